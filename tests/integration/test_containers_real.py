"""Builds in real containers: what they see, what they may use, and that nothing of them stays.

They run where an engine answers and has the builder image; ``.ci/run`` provides both.
"""

import json
import os
import shlex
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from factory.build.backend.docker import plan_docker_build
from factory.build.backend.output import WheelOutput
from factory.build.toolchain import lock_for
from factory.core.errors import HostError
from factory.system.containers.cleanup import cleaning_up
from factory.system.containers.docker_engine import DockerEngine, open_engine
from factory.system.containers.engine import ContainerSpec
from factory.system.containers.images import require_image
from factory.system.containers.run_container import ContainerExit, ContainerResult, run_container
from factory.system.parallel import Stopped
from tests.children import Child, factory
from tests.documented import Need, documented
from tests.engines import ENGINE, IMAGE, required_engine
from tests.packages import bulky_directory, release_directory
from tests.relay import Relay
from tests.wheels import staged_runtime

pytestmark = pytest.mark.docker

WHEEL = "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl"
REAL_WHEEL = "openai_codex_cli_bin-0.131.0-py3-none-win_arm64.whl"
REAL_PLATFORM = "win_arm64"
MIB = 1 << 20

Containers = Callable[[], list[str]]


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerEngine]:
    with required_engine() as found:
        yield found


@pytest.fixture(scope="module")
def client(engine: DockerEngine) -> Iterator[docker.DockerClient]:
    assert engine.identify().name
    client = docker.DockerClient.from_env()
    yield client
    client.close()


@pytest.fixture
def spec(engine: DockerEngine, tmp_path: Path) -> Iterator[ContainerSpec]:
    """Give the spec of a real build, whose program a test replaces."""
    for name in ("stage", "scratch", "scratch/out"):
        (tmp_path / name).mkdir()
    (tmp_path / "scratch/out").chmod(0o777)
    output = WheelOutput(
        staged=staged_runtime(tmp_path / "stage", "win_amd64"),
        scratch=tmp_path / "scratch",
        dist=tmp_path / "dist",
        log=tmp_path / "logs" / "build.log",
    )
    with cleaning_up(engine, tmp_path / "locks") as owner:
        yield plan_docker_build(
            output,
            stage_bytes=0,
            image=require_image(engine, IMAGE),
            lock=lock_for("1.33.0"),
            owner=owner,
        ).spec


def run(spec: ContainerSpec, engine: DockerEngine, script: str) -> ContainerResult:
    """Run another program in place of the build, with all else as it is."""
    python = spec.argv.index("-m")
    argv = (*spec.argv[:python], "-I", "-c", script)
    return run_container(replace(spec, argv=argv), engine, stop=threading.Event())


LOOK_AROUND = """
import json, os, socket
def refused(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__ + ": " + os.strerror(error.errno or 0)
def write(place):
    with open(place + "/written", "w") as file:
        file.write("x")
status = dict(line.rstrip().split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
json.dump({
    "uid": os.getuid(), "gid": os.getgid(),
    "capabilities": [status[name] for name in ("CapEff", "CapPrm", "CapBnd")],
    "no_new_privileges": status["NoNewPrivs"],
    "interfaces": os.listdir("/sys/class/net"),
    "connected": refused(lambda: socket.create_connection(("192.0.2.1", 443), 5)),
    "resolved": refused(lambda: socket.getaddrinfo("index.example.invalid", 443)) is not None,
    "refused": {place: refused(lambda: write(place))
                for place in ("/", "/stage", "/opt/factory", "/etc", "/tmp", "/var/tmp", "/cache", "/root",
                              "/dev", "/sys", "/proc")},
    "allowed": {place: refused(lambda: write(place)) for place in ("/scratch", "/out")},
    "programs_in_scratch": open("/proc/mounts").read().split(" /scratch ")[1].split()[1],
}, __import__("sys").stdout)
"""


def test_a_build_has_no_network_no_privilege_and_one_place_to_write(
    spec: ContainerSpec, engine: DockerEngine, tmp_path: Path
) -> None:
    ended = run(spec, engine, LOOK_AROUND)
    assert ended.reason is ContainerExit.DONE, ended.log
    seen = json.loads(ended.log)
    assert (seen["uid"], seen["gid"]) == (65532, 65532)
    assert seen["capabilities"] == ["0000000000000000"] * 3
    assert seen["no_new_privileges"] == "1"
    assert seen["interfaces"] == ["lo"]
    assert seen["connected"] == "OSError: Network is unreachable"
    assert seen["resolved"] is True
    assert None not in seen["refused"].values(), seen["refused"]
    assert seen["refused"]["/stage"] == "OSError: Read-only file system"
    assert seen["allowed"] == {"/scratch": None, "/out": None}
    assert "noexec" in seen["programs_in_scratch"].split(",")
    assert [path.name for path in tmp_path.rglob("written")] == ["written"]
    assert (tmp_path / "scratch/out/written").stat().st_uid == 65532


def test_nothing_of_the_caller_s_environment_reaches_a_build(
    spec: ContainerSpec, engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.invalid")
    ended = run(spec, engine, "import json, os; print(json.dumps(sorted(os.environ)))")
    names = set(json.loads(ended.log))
    assert names == {
        *("HOSTNAME", "PATH", "HOME", "TEMP", "TMP", "TMPDIR", "TZ", "LC_ALL", "NO_COLOR"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONNOUSERSITE"),
        *("FACTORY_CACHE_DIR", "PIP_NO_INDEX", "PIP_FIND_LINKS"),
    }


@pytest.fixture
def containers(client: docker.DockerClient, tmp_path: Path) -> Containers:
    """List the containers that see the test's directory: others on this engine are not of this test."""

    def list_them() -> list[str]:
        return [
            entry["Names"][0]
            for entry in client.api.containers(all=True)
            if any(mount["Source"].startswith(f"{tmp_path}/") for mount in entry["Mounts"])
        ]

    return list_them


FILL = "file = open('{place}/big', 'wb')\nfor _ in range({mib}): file.write(bytes(1 << 20)); file.flush()"


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ("raise SystemExit(3)", ContainerExit.FAILED),
        (FILL.format(place="/scratch", mib=64), ContainerExit.OUT_OF_SCRATCH),
        (FILL.format(place="/out", mib=64), ContainerExit.OUT_OF_SCRATCH),
        ("import time; time.sleep(60)", ContainerExit.OUT_OF_TIME),
        ("held = [bytearray(1 << 26) for _ in range(64)]", ContainerExit.OUT_OF_MEMORY),
        ("import os\nwhile True: os.fork()", ContainerExit.FAILED),
    ],
    ids=["status", "scratch", "output", "time", "memory", "processes"],
)
def test_a_build_keeps_within_its_limits_and_leaves_no_container(
    script: str,
    ending: ContainerExit,
    spec: ContainerSpec,
    engine: DockerEngine,
    containers: Containers,
) -> None:
    # 64 interpreters can need more than 96 MiB: that case is about the number of processes alone.
    memory_bytes = (512 if "fork" in script else 96) * MIB
    limits = replace(spec.limits, memory_bytes=memory_bytes, time_s=4.0 if "sleep" in script else 60.0)
    ended = run(replace(spec, limits=limits), engine, script)
    assert ended.reason is ending, (ended.exit_code, ended.log[-500:])
    assert containers() == []


def test_a_container_ends_by_itself_when_the_run_is_dead(spec: ContainerSpec, engine: DockerEngine) -> None:
    at = spec.argv.index("--signal=KILL") + 1
    argv = (*spec.argv[:at], "1", *spec.argv[at + 1 :])
    ended = run(replace(spec, argv=argv), engine, "import time; time.sleep(60)")
    assert (ended.reason, ended.exit_code) == (ContainerExit.FAILED, 137)


def test_a_stopped_run_removes_its_container(
    spec: ContainerSpec, engine: DockerEngine, containers: Containers
) -> None:
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    with pytest.raises(Stopped):
        run_container(replace(spec, argv=("sleep", "60")), engine, stop=stop)
    assert containers() == []


def test_an_engine_error_is_reported(spec: ContainerSpec, engine: DockerEngine, tmp_path: Path) -> None:
    (tmp_path / "stage").rmdir()
    with pytest.raises(HostError, match="bind source path does not exist"):
        run(spec, engine, "")


def test_a_user_without_access_to_the_engine_gets_a_hint(engine: DockerEngine) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become a user without rights")
    assert engine.identify().name
    script = (
        "import os\n"
        "from factory.system.containers.docker_engine import open_engine\n"
        "from factory.core.errors import FactoryError\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        "    with open_engine(os.environ): pass\n"
        "except FactoryError as error: print(type(error).__name__, '|', error, '|', error.hint)\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    ended = Child(argv=(sys.executable, "-c", script), env={"PYTHONPATH": root}, cwd=Path("/")).run()
    assert ended.out.startswith("HostError | this user may not use the container engine: "), ended.err
    assert "Permission denied" in ended.out
    assert "rootless" in ended.out


def test_a_missing_engine_is_reported_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught, open_engine({"DOCKER_HOST": f"unix://{tmp_path}/no.sock"}):
        pass
    assert str(caught.value) == f"no container engine answers: {tmp_path}/no.sock does not exist"


# The rest runs the real command line, as a person does.


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bulky_directory(tmp_path_factory.mktemp("release") / "packages", mib=40)


def wheels(packages: Path, directory: Path, *more: str, **environ: str) -> Child:
    words = ("wheels", "0.163.0", "--channel", "directory", "--directory", str(packages), *more)
    return factory(
        *words,
        cwd=directory,
        env={"FACTORY_CACHE_DIR": str(directory / "cache"), **ENGINE, **environ},
    )


def files_in(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


MADE = ["0.163.0/SHA256SUMS", "0.163.0/manifest.json", f"0.163.0/{WHEEL}", f"0.163.0/{WHEEL}.cdx.json"]


@pytest.mark.parametrize(("by", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_no_container(
    packages: Path, tmp_path: Path, containers: Containers, by: signal.Signals, status: int
) -> None:
    ended = wheels(packages, tmp_path, "--builder", "docker").kill_once(containers, by=by)
    assert ended.status == status, ended.err
    assert "run the same command again" in ended.err
    assert containers() == []
    assert files_in(tmp_path / "dist") == []
    assert list((tmp_path / "cache" / "containers").iterdir()) == []


def test_the_next_run_removes_the_containers_of_a_killed_run(
    packages: Path, tmp_path: Path, containers: Containers
) -> None:
    command = wheels(packages, tmp_path)
    assert command.kill_once(containers).status == -9
    assert len(containers()) == 1, "it was killed in the middle of the build"

    ended = command.run()
    assert ended.status == 0, ended.err
    assert containers() == []
    assert files_in(tmp_path / "dist") == MADE
    assert list((tmp_path / "cache" / "containers").iterdir()) == []


def until(condition: Callable[[], object], *, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_engine_that_dies_is_reported_and_the_next_run_cleans_up(
    packages: Path, tmp_path: Path, containers: Containers
) -> None:
    behind = Path(ENGINE["DOCKER_HOST"].rpartition("unix://")[2])
    with tempfile.TemporaryDirectory() as short, Relay(Path(short) / "engine.sock", behind) as relay:

        def cut_in_the_middle() -> None:
            until(containers)
            relay.cut()

        command = wheels(packages, tmp_path, "--builder", "docker", DOCKER_HOST=f"unix://{short}/engine.sock")
        cutting = threading.Thread(target=cut_in_the_middle)
        cutting.start()
        ended = command.run()
        cutting.join()
    assert ended.status == 25, ended.err
    assert "factory: the container engine stopped answering while " in ended.err
    assert "hint: Start it and run the same command again" in ended.err
    assert "Traceback" not in ended.err
    assert files_in(tmp_path / "dist") == []
    assert len(containers()) == 1

    assert wheels(packages, tmp_path, "--builder", "docker").run().status == 0
    assert containers() == []


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("codex-wheel-factory:absent", "the container engine has no image codex-wheel-factory:absent"),
        (f"{IMAGE}@sha256:{'0' * 64}", f"the container engine's image {IMAGE} is not {IMAGE}@sha256:000"),
    ],
)
def test_a_missing_image_is_reported(
    packages: Path, tmp_path: Path, engine: DockerEngine, reference: str, sentence: str
) -> None:
    assert engine.identify().name
    ended = wheels(packages, tmp_path, "--builder", "docker", "--image", reference).run()
    assert ended.status == 25
    assert f"factory: {sentence}" in ended.err
    assert "hint: " in ended.err
    assert files_in(tmp_path) == []


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="containers-") as directory:
        yield Path(directory)


def real(place: Path, out: str, *options: str) -> bytes:
    words = ("wheels", "0.131.0", "--platform", "win_arm64", "--out", out, *options)
    environ = {"FACTORY_CACHE_DIR": str(place / "cache"), **ENGINE}
    ended = factory(*words, cwd=place, env=environ).run()
    assert ended.status == 0, ended.err
    return (place / out / "0.131.0" / REAL_WHEEL).read_bytes()


@pytest.mark.network
def test_a_real_wheel_is_the_same_from_a_container_and_from_this_host(
    place: Path, engine: DockerEngine
) -> None:
    contained = real(place, "contained")
    manifest = json.loads((place / "contained/0.131.0/manifest.json").read_bytes())
    assert manifest["toolchain"]["builder"] == "docker"
    assert manifest["toolchain"]["image"] == require_image(engine, IMAGE).id
    assert contained == real(place, "native", "--builder", "native")


@pytest.mark.network
def test_the_image_makes_the_same_wheel_with_a_filled_cache_and_no_network(
    place: Path, client: docker.DockerClient
) -> None:
    expected = real(place, "outside", "--builder", "native")
    out = place / "inside"
    out.mkdir()
    said = client.containers.run(
        IMAGE,
        ["wheels", "0.131.0", "--platform", "win_arm64", "--out", "/out"],
        volumes={str(place / "cache"): {"bind": "/cache"}, str(out): {"bind": "/out"}},
        network_mode="none",
        user=f"{os.getuid()}:{os.getgid()}",  # whose directories those are
        remove=True,
        stderr=True,
    )
    assert b"builder: native (no container engine answers)" in said
    assert (out / "0.131.0" / REAL_WHEEL).read_bytes() == expected


def test_the_documented_commands_run(place: Path, engine: DockerEngine) -> None:
    assert engine.identify().name
    work = place / "documented"
    release_directory(work / "packages")
    settings = f'channel = "directory"\ndirectory = "packages"\n[wheels]\nplatform = ["{REAL_PLATFORM}"]\n'
    (work / "factory.toml").write_text(settings)
    lines = {one.line for one in documented() if one.need is Need.DOCKER}
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "factory"
        ended = factory(*words, cwd=work, env={"FACTORY_CACHE_DIR": str(place / "cache"), **ENGINE}).run()
        assert ended.status == 0, ended.err
    manifest = json.loads((work / "dist/0.163.0/manifest.json").read_bytes())
    assert manifest["toolchain"]["builder"] == "docker"
