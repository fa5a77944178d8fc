"""The kinds of tries. Each returns what was right and wrong: one text for each run, empty if it was right."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from factory.core.errors import HostError
from tests.soak.registry import BEHAVIOURS, GOOD
from tests.soak.soak import Soak, Started

Faults = list[str]
_FOLLOWED_BY_A_GOOD_SERVER = 0.3


def killed(soak: Soak) -> Faults:
    """Kill a run at a random time, one to three times; the next run must be right and leave nothing more."""
    directory = soak.new_directory("kill")
    cache, out = soak.cache(directory), directory / "out"
    times = soak.choice.randint(1, 3)
    for _ in range(times):
        started = soak.wheels(cache, out)
        time.sleep(soak.choice.random() * soak.run_s * 0.9)
        how = soak.choice.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
        started.process.send_signal(how)
        ended = started.wait()
        if "Traceback" in ended.err and "in _run_module_as_main" not in ended.err:
            return [f"{how.name}: traceback: {ended.err.splitlines()[-1]}"]
    fault = soak.fault_of(soak.wheels(cache, out).wait(), out)
    return [fault or _left_in(cache)] + [""] * (times - 1)


def together(soak: Soak) -> Faults:
    """Start runs in one cache while entries are evicted in many ways; all runs must be right."""
    directory = soak.new_directory("together")
    cache = soak.cache(directory)
    limits = (("--deflate-limit", "0"), ("--deflate-limit", "1MB"), ("--fresh",), ())
    runs: list[tuple[Path, Started]] = []
    for number in range(4):
        out = directory / f"run-{number}" / "out"
        runs.append((out, soak.wheels(cache, out, *soak.choice.choice(limits), key=str(number))))
        time.sleep(soak.choice.random() * 0.5)
    evictions = (("clear",), ("prune", "--max-size", "1MB"), ("prune", "--older-than", "0"))
    faults = []
    while any(started.process.poll() is None for _, started in runs):
        words = ("cache", *soak.choice.choice(evictions))
        ended = Started(words, cache=cache, cwd=directory).wait()
        if ended.status != 0 or "Traceback" in ended.err:
            faults.append(f"{' '.join(words)}: exit status {ended.status}: {ended.first}")
        time.sleep(0.2)
    return faults + [soak.fault_of(started.wait(), out) for out, started in runs]


def full(soak: Soak) -> Faults:
    """Let the disk of the cache or of the output fill; with more room, the next run must be right."""
    directory = soak.new_directory("full")
    disk = directory / "disk"
    disk.mkdir()
    size_kb = soak.choice.randint(200, soak.choice.choice((2500, 6000)))
    is_cache = soak.choice.random() < 0.7
    with _mounted(disk, size_kb) as grow:
        cache = soak.cache(disk if is_cache else directory)
        out = (directory if is_cache else disk) / "out"
        ended = soak.wheels(cache, out).wait()
        named = ended.status == HostError.exit_code and "No space left on device" in ended.first
        fault = soak.fault_of(ended, out)
        if "Traceback" in ended.err or (fault and not named):
            return [f"{size_kb} kB of {'cache' if is_cache else 'output'}: {fault}"]
        grow(60_000)
        again = soak.fault_of(soak.wheels(cache, out).wait(), out)
        return [again and f"{size_kb} kB, then more room: {again}"]


def clock(soak: Soak) -> Faults:
    """Set the times of all files of a cache to other years during a run, with pruning by age."""
    directory = soak.new_directory("clock")
    cache, out = soak.cache(directory), directory / "out"
    if soak.choice.random() < 0.5:
        soak.wheels(cache, directory / "first" / "out").wait()
    started = soak.wheels(cache, out)
    faults = []
    while started.process.poll() is None:
        moment = soak.choice.choice((0, 1e9, time.time() + 3e8, 4e9))
        for path in _files(cache):
            try:
                os.utime(path, (moment, moment), follow_symlinks=False)
            except OSError:
                continue
        ended = Started(("cache", "prune", "--older-than", "1"), cache=cache, cwd=directory).wait()
        if ended.status != 0:
            faults.append(f"prune: exit status {ended.status}: {ended.first}")
    return [*faults, soak.fault_of(started.wait(), out)]


def damaged(soak: Soak) -> Faults:
    """Damage a filled cache in many ways, also during the run; the run must be right."""
    directory = soak.new_directory("damage")
    cache, out = soak.cache(directory), directory / "out"
    soak.wheels(cache, directory / "first" / "out").wait()
    _damage_some(soak, cache)
    if soak.choice.random() < 0.5:
        shutil.rmtree(cache / "deflate")
    started = soak.wheels(cache, out)
    if soak.choice.random() < 0.5:
        time.sleep(soak.choice.random() * soak.run_s / 2)
        for path in (cache / "locks").glob("*"):
            path.unlink(missing_ok=True)
    return [soak.fault_of(started.wait(), out)]


def hostile(soak: Soak) -> Faults:
    """Use a server that behaves in one of many bad ways; the run must end for the true reason."""
    directory = soak.new_directory("hostile")
    cache, out = soak.cache(directory), directory / "out"
    name = soak.choice.choice([name for name in BEHAVIOURS if name != GOOD])
    behaviour = BEHAVIOURS[name]
    ended = soak.wheels(cache, out, *behaviour.options, behaviour=name, key=str(soak.number)).wait(
        timeout_s=180
    )
    if "Traceback" in ended.err or ended.status not in behaviour.statuses:
        return [f"{name}: exit status {ended.status}: {ended.first}"]
    if ended.status == 0:
        fault = soak.fault_of(ended, out)
        return [fault and f"{name}: {fault}"]
    if not re.search(behaviour.says, ended.first):
        return [f"{name}: not the true cause: {ended.first}"]
    if out.exists() and any(path.suffix == ".whl" for path in out.rglob("*")):
        return [f"{name}: wheels were written"]
    if soak.choice.random() > _FOLLOWED_BY_A_GOOD_SERVER:
        return [""]
    fault = soak.fault_of(soak.wheels(cache, out).wait(), out)
    return [fault and f"{name}, then a good server: {fault}"]


KINDS: Mapping[str, Callable[[Soak], Faults]] = {
    "kills": killed,
    "parallel runs": together,
    "full disks": full,
    "clock changes": clock,
    "damage": damaged,
    "hostile answers": hostile,
}


def _left_in(cache: Path) -> str:
    temporary = [path for path in (cache / "temporary").rglob("*") if path.is_file() and path.stat().st_size]
    return f"left in the cache: {temporary[:3]}" if temporary else ""


def _files(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if "toolchains" not in path.parts and path.is_file()]


def _damage_some(soak: Soak, cache: Path) -> None:
    files = [path for path in _files(cache) if path.parent.name not in {"locks", "temporary"}]
    for path in soak.choice.sample(files, k=min(len(files), soak.choice.randint(1, 6))):
        _damage(soak, path)


def _damage(soak: Soak, path: Path) -> None:
    content = bytearray(path.read_bytes())
    match soak.choice.choice(("flip", "cut", "empty", "gone", "directory", "link", "fifo", "deep")):
        case "flip" if content:
            content[soak.choice.randrange(len(content))] ^= 1 << soak.choice.randrange(8)
            path.write_bytes(content)
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "gone":
            path.unlink()
        case "directory":
            path.unlink()
            (path / "below").mkdir(parents=True)
        case "link":
            path.replace(path.with_name("elsewhere"))
            path.symlink_to(path.with_name("elsewhere"))
        case "fifo":
            path.unlink()
            os.mkfifo(path)
        case "deep":
            path.write_text("[" * 100_000)
        case _:
            path.write_bytes(b"")


@contextmanager
def _mounted(directory: Path, size_kb: int) -> Iterator[Callable[[int], None]]:
    """Mount a disk in memory; yield a function that gives it another size."""

    def mount(*words: str) -> None:
        subprocess.run(["mount", *words, str(directory)], check=True)  # noqa: S603, S607 - fixed words

    mount("-t", "tmpfs", "-o", f"size={size_kb}k", "none")
    try:
        yield lambda size: mount("-o", f"remount,size={size}k")
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)  # noqa: S603, S607 - as above


def can_mount(directory: Path) -> bool:
    """Return whether this user can mount disks, on this system."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    try:
        with _mounted(directory, 100):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def bytes_after_clear(cache: Path, cwd: Path) -> int:
    """Clear a cache and return the size of what remains, without the shared toolchains."""
    Started(("cache", "clear"), cache=cache, cwd=cwd).wait()
    return sum(path.lstat().st_size for path in _files(cache))


def describe(faults: Mapping[str, Faults]) -> str:
    """Return the number of runs and of right ones for each kind, as JSON."""
    return json.dumps(
        {kind: {"tried": len(found), "right": found.count("")} for kind, found in faults.items()}
    )
