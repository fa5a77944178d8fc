"""Soak the program: ``python -m tests.soak --seconds 2700 [--seed N] [--json FILE]``."""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from tests.soak.registry import serving
from tests.soak.release import make_release
from tests.soak.soak import Soak, contents
from tests.soak.tries import KINDS, Faults, bytes_after_clear, can_mount, describe
from tests.toolchains import place_toolchain

_SIZE_BYTES = 1 << 20
_SHARES = {
    "kills": 3,
    "parallel runs": 1,
    "full disks": 2,
    "clock changes": 1,
    "damage": 1,
    "hostile answers": 4,
}
"""How often each kind is tried: a try of one kind takes longer than one of another."""


def main(argv: list[str]) -> int:
    """Try all kinds in turn until the time is up; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=2700)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=KINDS, action="append", help="try this kind only (repeatable)")
    arguments = parser.parse_args(argv)
    home = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        with serving(make_release(home / "release", size_bytes=_SIZE_BYTES)) as address:
            soak = Soak(home=home, address=address, choice=random.Random(arguments.seed))  # noqa: S311 - a test
            faults, left_bytes = _soak(
                soak, time.monotonic() + arguments.seconds, arguments.only or list(KINDS)
            )
    finally:
        shutil.rmtree(home, ignore_errors=True)
    for kind, found in faults.items():
        print(f"{kind}: {found.count('')} of {len(found)} right")
    print(f"bytes left in the caches after 'cache clear': {left_bytes}")
    if arguments.json:
        arguments.json.write_text(describe(faults))
    return 1 if left_bytes or any(fault for found in faults.values() for fault in found) else 0


def _soak(soak: Soak, end_s: float, only: Collection[str]) -> tuple[dict[str, Faults], int]:
    place_toolchain(soak.home)
    reference = soak.new_directory("reference")
    begun_s = time.monotonic()
    ended = soak.wheels(soak.cache(reference), reference / "out").wait()
    if ended.status != 0:
        raise SystemExit(f"the undisturbed run fails: {ended.err}")
    soak.run_s, soak.expected = time.monotonic() - begun_s, contents(reference / "out")
    kinds = [kind for kind, share in _SHARES.items() if kind in only for _ in range(share)]
    if not can_mount(soak.new_directory("mount")):
        kinds = [kind for kind in kinds if kind != "full disks"]
        print("full disks: not tried, since this user cannot mount disks")
    faults: dict[str, Faults] = {kind: [] for kind in dict.fromkeys(kinds)}
    left_bytes = 0
    while time.monotonic() < end_s:
        soak.choice.shuffle(kinds)
        for kind in kinds:
            before = soak.number
            try:
                found = KINDS[kind](soak)
            except Exception as error:  # noqa: BLE001 - a try that breaks is reported, and the rest goes on
                found = [f"the try itself failed: {type(error).__name__}: {error}"]
            faults[kind] += found
            for fault in filter(None, found):
                print(f"{kind} (try {soak.number}): {fault}", flush=True)
            for directory in soak.home.glob(f"*-{before + 1}"):
                if (directory / "cache").is_dir():
                    left_bytes += bytes_after_clear(directory / "cache", directory)
                shutil.rmtree(directory, ignore_errors=True)
            if time.monotonic() > end_s:
                break
        print(f"{time.monotonic() - begun_s:.0f} s: {describe(faults)}", flush=True)
    return faults, left_bytes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
