"""A whole acceptance run with scripted processes: which ones are started, how, and what they print."""

import json
import os
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.case_result import CaseOutcome, CaseResult, UnparsedMessage
from factory.core.digests import Sha256
from factory.core.errors import BuildError, UpstreamError, UsageError, VerificationError
from factory.core.progress import SilentProgress
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.manifest.acceptance import Acceptance, RequestedSdk
from factory.manifest.dist import Dist
from factory.sdk.accept.acceptance_run import AcceptanceOrder, accept, record, require_accepted
from factory.sdk.accept.cases import cases_named
from factory.sdk.accept.driver_output import normalise_detail, read_result
from factory.sdk.accept.environment import AcceptanceContext, copy_driver
from factory.sdk.accept.wheel_under_test import RuntimeWheel
from factory.sdk.pip import Pip, Sources
from factory.sdk.sdk_files import UnusableSdk
from factory.system.process import CannotStart, Command, Completed
from factory.verify.baseline.rules import ACCEPTANCE_ROOMS, rules_digest
from tests.children import Child
from tests.fake_runner import Expected, FakeRunner
from tests.unit.manifest.test_manifest import ACCEPTANCE, MANIFEST
from tests.unit.sdk.accept.test_wheel_under_test import LINUX, QEMU

TAG = CodexTag.parse("rust-v0.163.0")
WHEEL = Path("/dist/openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl")
PASSED = {"case": "closing-twice", "outcome": "passed", "detail": ""}
METADATA = (
    "Metadata-Version: 2.4\nName: openai-codex\nVersion: {0}\nRequires-Dist: openai-codex-cli-bin=={0}\n"
)


def sdk_file(directory: Path, version: str = "0.163.0") -> Path:
    path = directory / f"openai_codex-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"openai_codex-{version}.dist-info/METADATA", METADATA.format(version))
        archive.writestr("openai_codex/__init__.py", "")
    return path


def order(sdk: Path | str, platform: str = "manylinux_2_17_x86_64") -> AcceptanceOrder:
    runtime = RuntimeWheel(wheel=WHEEL, sha256=Sha256("5" * 64), tag=TAG, platform=Platform.parse(platform))
    return AcceptanceOrder(
        runtime=runtime, sdk=str(sdk), is_repinned=False, cases=cases_named(("closing-twice",))
    )


def run(order: AcceptanceOrder, runner: FakeRunner, directory: Path) -> Acceptance:
    local = Sources(find_links=(Path("/wheels"),), is_local=True)
    pip = Pip(python=Path("/usr/bin/python3"), env={"PIP_CERT": "c"}, runner=runner, sources=local)
    host = replace(LINUX, env={"SYSTEMROOT": "c:/w"})
    context = AcceptanceContext(directory=directory, host=host, pip=pip)
    return accept(order, context, progress=SilentProgress(), jobs=1, stop=threading.Event())


def prints(document: object) -> Completed:
    return Completed(returncode=0, output=f"a warning\n{json.dumps(document)}\n")


def native(answer: Completed, directory: Path) -> tuple[Expected, ...]:
    python = f"{directory}/venv/bin/python"
    return (
        Expected(argv=("-m", "venv", f"{directory}/venv")),
        Expected(argv=(python, "install", "--no-index", "--require-hashes", f"{directory}/runtime.txt")),
        Expected(argv=(python, "install", "--constraint", "--no-index", "--find-links", "/wheels")),
        Expected(argv=(python, "-P", "-m", "factory.sdk.accept.driver"), completed=answer),
    )


def test_the_wheel_under_test_is_installed_and_the_case_runs_isolated(tmp_path: Path) -> None:
    runner = FakeRunner(*native(prints(PASSED), tmp_path))
    acceptance = run(order(sdk_file(tmp_path)), runner, tmp_path)
    runner.assert_done()

    assert acceptance == Acceptance(
        sdk=replace(acceptance.sdk, name="openai-codex", version="0.163.0"),
        how="natively",
        cases=(CaseResult(case="closing-twice", outcome=CaseOutcome.PASSED),),
        rules=rules_digest(ACCEPTANCE_ROOMS),
    )
    digest = "5" * 64
    assert (tmp_path / "runtime.txt").read_text() == (
        f"openai-codex-cli-bin @ file://{WHEEL} --hash=sha256:{digest}\n"
    )
    assert (tmp_path / "constraints.txt").read_text() == "openai-codex-cli-bin==0.163.0\n"
    command = runner.commands[-1]
    home = str(tmp_path / "cases" / "closing-twice")
    dead = dict.fromkeys(
        ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"
    )
    assert command.env == {
        **dead,
        "SYSTEMROOT": "c:/w",
        "HOME": home,
        "TMPDIR": home,
        "PATH": os.defpath,
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": str(tmp_path / "modules"),
    }
    assert command.timeout_s == 90.0
    assert json.loads(command.argv[-1]) == {
        "case": "closing-twice",
        "needs": ["Codex.close", "Codex.thread_start", "Thread.run|final_text"],
        "home": home,
        "package": "openai_codex",
        "codex": None,
        "version": "0.163.0",
        "environ": dict(command.env),
        "limit_s": 60.0,
    }


def test_a_wheel_for_another_processor_is_started_by_the_emulator(tmp_path: Path) -> None:
    python = f"{tmp_path}/venv/bin/python"
    target = ("--platform", "manylinux_2_17_aarch64", "--target", "/site")
    runner = FakeRunner(
        Expected(argv=("-m", "venv")),
        Expected(argv=(python, "-I", "-c"), completed=Completed(returncode=0, output="/site\n")),
        Expected(argv=(python, "install", "--require-hashes", *target)),
        Expected(argv=(python, "install", "--constraint")),
        Expected(argv=(python, "-I", "-c"), completed=Completed(returncode=0, output="/a site/bin/codex\n")),
        Expected(argv=(python, "factory.sdk.accept.driver"), completed=prints(PASSED)),
    )
    acceptance = run(order(sdk_file(tmp_path), "manylinux_2_17_aarch64"), runner, tmp_path)

    assert acceptance.how == "under qemu-aarch64-static"
    launcher = tmp_path / "codex"
    assert launcher.read_text() == f"#!/bin/sh\nexec {QEMU} '/a site/bin/codex' \"$@\"\n"
    assert launcher.stat().st_mode & 0o111
    request = json.loads(runner.commands[-1].argv[-1])
    assert (request["codex"], request["limit_s"]) == (str(launcher), 300.0)


def test_the_host_of_code_mode_is_started_by_the_emulator(tmp_path: Path) -> None:
    site = tmp_path / "a site" / "bin"
    site.mkdir(parents=True)
    host = site / "codex-code-mode-host"
    host.write_bytes(b"the host")
    python = f"{tmp_path}/venv/bin/python"
    runner = FakeRunner(
        Expected(argv=("-m", "venv")),
        Expected(argv=(python, "-I", "-c"), completed=Completed(returncode=0, output="/site\n")),
        Expected(argv=(python, "install", "--require-hashes")),
        Expected(argv=(python, "install", "--constraint")),
        Expected(argv=(python, "-I", "-c"), completed=Completed(returncode=0, output=f"{site}/codex\n")),
        Expected(argv=(python, "factory.sdk.accept.driver"), completed=prints(PASSED)),
    )
    run(order(sdk_file(tmp_path), "manylinux_2_17_aarch64"), runner, tmp_path)

    moved = site / "codex-code-mode-host.emulated"
    assert moved.read_bytes() == b"the host"
    assert host.read_text() == f"#!/bin/sh\nexec {QEMU} '{moved}' \"$@\"\n"
    assert host.stat().st_mode & 0o111


def test_an_sdk_of_another_release_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        run(order(sdk_file(tmp_path, "0.154.0")), FakeRunner(), tmp_path)
    assert str(caught.value) == (
        "openai_codex-0.154.0-py3-none-any.whl requires openai-codex-cli-bin==0.154.0,"
        " and the runtime is 0.163.0"
    )
    assert "--repin" in caught.value.hint


def test_a_missing_sdk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableSdk, match="it does not exist"):
        run(order("absent.whl"), FakeRunner(), tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK not a zip"])
def test_an_incomplete_wheel_is_refused(tmp_path: Path, content: bytes) -> None:
    sdk = tmp_path / "openai_codex-0.163.0-py3-none-any.whl"
    sdk.write_bytes(content)
    with pytest.raises(UnusableSdk, match="not a complete wheel"):
        run(order(sdk), FakeRunner(), tmp_path)


def test_an_sdk_without_a_wheel_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sdk.whl").touch()
    with pytest.raises(UnusableSdk, match="its name is not a wheel's"):
        run(order(tmp_path / "sdk.whl"), FakeRunner(), tmp_path)


def test_an_sdk_that_does_not_install_is_an_error(tmp_path: Path) -> None:
    runner = FakeRunner(
        Expected(argv=("venv",)),
        Expected(argv=("install",)),
        Expected(argv=("install",), completed=Completed(returncode=1, output="no pydantic")),
    )
    with pytest.raises(UpstreamError, match="no pydantic"):
        run(order(sdk_file(tmp_path)), runner, tmp_path)


def test_a_host_without_venv_is_an_error(tmp_path: Path) -> None:
    runner = FakeRunner(Expected(argv=("venv",), completed=Completed(returncode=1, output="no ensurepip")))
    with pytest.raises(
        BuildError, match="could not create a virtual environment: exit status 1: no ensurepip"
    ):
        run(order(sdk_file(tmp_path)), runner, tmp_path)


def test_a_project_is_copied_before_it_is_built(tmp_path: Path) -> None:
    project = tmp_path / "sdk"
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "openai-codex"\nversion = "0.162.0"\n')
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def write(command: Command) -> None:
        sdk_file(Path(command.argv[command.argv.index("--wheel-dir") + 1]))

    build = Expected(argv=("wheel", "--wheel-dir", str(scratch / "project")), effect=write)
    script = (build, *native(prints(PASSED), scratch))
    acceptance = run(order(project), FakeRunner(*script), scratch)
    assert acceptance.has_passed
    requested = acceptance.sdk.requested
    assert requested is not None
    assert (requested.name, requested.version) == ("openai-codex", "0.162.0")
    assert requested.sha256 != acceptance.sdk.sha256
    assert acceptance.summary.startswith("openai-codex 0.163.0, natively")


def test_a_repinned_sdk_is_recorded_with_its_source(tmp_path: Path) -> None:
    asked = sdk_file(tmp_path, "0.154.0")
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def write(command: Command) -> None:
        sdk_file(Path(command.argv[command.argv.index("--wheel-dir") + 1]))

    build = Expected(argv=("wheel", "--wheel-dir", str(scratch / "repinned")), effect=write)
    script = (build, *native(prints(PASSED), scratch))
    repinned = replace(order(asked), is_repinned=True)
    sdk = run(repinned, FakeRunner(*script), scratch).sdk
    assert (sdk.name, sdk.version, sdk.repinned) == ("openai-codex", "0.163.0", True)
    expected = RequestedSdk(name="openai-codex", version="0.154.0", sha256=Sha256.of_file(asked))
    assert sdk.requested == expected
    assert str(sdk) == "openai-codex 0.163.0 (re-pinned from openai-codex 0.154.0)"


def test_a_regenerated_sdk_is_recorded_with_its_source(tmp_path: Path) -> None:
    asked = sdk_file(tmp_path, "0.154.0")
    stage = tmp_path / "stage"
    stage.mkdir()
    digest = Sha256.of_file(asked)
    (stage / "pyproject.toml").write_text(
        '[project]\nname = "openai-codex"\nversion = "0.163.0"\n\n[tool.codex-wheel-factory]\n'
        'runtime = "0.163.0"\nrepinned = true\nregenerated = true\n'
        f'source = {{name = "openai-codex", version = "0.154.0", sha256 = "{digest}"}}\n'
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def write(command: Command) -> None:
        sdk_file(Path(command.argv[command.argv.index("--wheel-dir") + 1]))

    build = Expected(argv=("wheel", "--wheel-dir", str(scratch / "project")), effect=write)
    script = (build, *native(prints(PASSED), scratch))
    sdk = run(order(stage), FakeRunner(*script), scratch).sdk
    assert (sdk.repinned, sdk.regenerated) == (True, True)
    assert sdk.requested == RequestedSdk(name="openai-codex", version="0.154.0", sha256=digest)
    assert str(sdk) == "openai-codex 0.163.0 (regenerated from openai-codex 0.154.0)"


def test_a_process_that_cannot_start_is_not_a_pass(tmp_path: Path) -> None:
    def refuse(command: Command) -> None:
        raise CannotStart(command.argv[0], "no room")

    script = native(prints(PASSED), tmp_path)
    runner = FakeRunner(*script[:-1], Expected(argv=(), effect=refuse))
    (result,) = run(order(sdk_file(tmp_path)), runner, tmp_path).cases
    assert result.outcome is CaseOutcome.COULD_NOT_RUN
    assert result.detail == "cannot start <scratch>/venv/bin/python: no room"


def test_a_failed_case_is_an_error() -> None:
    failed = CaseResult(case="tool-calls", outcome=CaseOutcome.FAILED, detail="no command was run")
    runtime = order("sdk.whl").runtime
    with pytest.raises(VerificationError) as caught:
        require_accepted(replace(ACCEPTANCE, cases=(*ACCEPTANCE.cases, failed)), runtime)
    assert str(caught.value) == f"{WHEEL.name} failed 1 of 2 cases with openai-codex 0.154.0"
    assert "--case NAME" in caught.value.hint


def test_evidence_is_recorded_only_for_the_tested_bytes(tmp_path: Path) -> None:
    dist = Dist(directory=tmp_path / "0.163.0")
    dist.directory.mkdir()
    dist.manifest_path.write_text(MANIFEST.render())
    tested = replace(order("sdk.whl").runtime, sha256=MANIFEST.wheels[0].sha256)
    record(ACCEPTANCE, tested, dist)
    amended = dist.read_manifest()
    assert amended is not None
    assert [wheel.acceptance for wheel in amended.wheels] == [ACCEPTANCE]

    with pytest.raises(UsageError, match="no longer lists"):
        record(ACCEPTANCE, replace(tested, sha256=Sha256("6" * 64)), dist)
    assert dist.read_manifest() == amended


@pytest.mark.parametrize(
    ("completed", "detail"),
    [
        (Completed(returncode=0, output=""), "the driver gave no answer: exit status 0"),
        (Completed(returncode=1, output="Traceback\nBoom"), "the driver gave no answer: exit status 1: Boom"),
        (Completed(returncode=-11, output=""), "the driver gave no answer: killed by SIGSEGV"),
        (prints({"case": "another", "outcome": "passed", "detail": ""}), None),
        (prints({"case": "closing-twice", "outcome": "splendid", "detail": ""}), None),
        (replace(prints(PASSED), returncode=1), None),
    ],
)
def test_a_missing_answer_is_not_a_pass(completed: Completed, detail: str | None) -> None:
    result = read_result("closing-twice", completed)
    assert result.outcome is CaseOutcome.COULD_NOT_RUN
    assert detail is None or result.detail == detail


def test_the_answer_is_the_last_line() -> None:
    document = {"case": "closing-twice", "outcome": "failed", "detail": "seen"}
    result = read_result("closing-twice", prints(document))
    assert result == CaseResult(case="closing-twice", outcome=CaseOutcome.FAILED, detail="seen")


def test_messages_that_the_sdk_cannot_parse_are_read() -> None:
    message = {"kind": "response", "name": "R", "example": "Account", "problem": "wrong"}
    result = read_result("closing-twice", prints({**PASSED, "outcome": "failed", "unparsed": [message]}))
    assert result.unparsed == (
        UnparsedMessage(kind="response", name="R", example="Account", problem="wrong"),
    )


def test_what_differs_from_run_to_run_is_replaced() -> None:
    detail = "at /tmp/x/cases/a, 127.0.0.1:4711\n thread 01a20e1f-993c-7b33-b482-487d52c05bd4"
    assert normalise_detail(detail, Path("/tmp/x")) == (  # noqa: S108 - a name, no file
        "at <scratch>/cases/a, 127.0.0.1:<port> thread <id>"
    )
    assert normalise_detail("a" * 600, Path("/x")) == "a" * 500 + "..."


def test_the_driver_imports_only_what_is_copied(tmp_path: Path) -> None:
    copy_driver(tmp_path)
    ask = "import factory.sdk.accept.driver.__main__, sys; print(*(m for m in sys.modules if 'factory' in m))"
    argv = (sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {ask}")
    ended = Child(argv=argv, cwd=tmp_path).run()
    assert ended.status == 0, ended.err
    assert "factory.sdk.model_server" in ended.out.split()
    assert not (tmp_path / "factory" / "errors.py").exists()
