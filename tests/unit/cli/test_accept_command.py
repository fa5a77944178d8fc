"""``factory sdk accept``: wrong input is refused before anything is started, and what is printed."""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from factory.cli.accept import show
from factory.core.case_result import CaseOutcome, CaseResult, UnparsedMessage
from factory.core.digests import Sha256
from factory.core.tags import CodexTag
from factory.core.targets import Platform
from factory.sdk.accept.wheel_under_test import RuntimeWheel
from tests.unit.cli.conftest import Factory
from tests.unit.manifest.test_manifest import ACCEPTANCE

LINUX = "openai_codex_cli_bin-0.163.0-py3-none-manylinux_2_17_x86_64.whl"


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("absent",), 20, "factory: cannot read absent: No such file or directory"),
        (("absent.whl",), 20, "factory: cannot test absent.whl: its name is not a wheel's"),
        ((LINUX, "--platform", "win_amd64"), 20, "factory: --platform needs a manifest, not a wheel"),
        ((LINUX, "--case", "no-such-case"), 20, "factory: there is no acceptance case 'no-such-case'"),
        (
            (LINUX, "--sdk", "absent.whl"),
            20,
            "factory: absent.whl is not a usable SDK: it does not exist",
        ),
    ],
)
def test_wrong_input_is_refused(
    factory: Factory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    status: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(LINUX).touch()
    ended = factory("accept", *words)
    assert (ended.status, ended.out) == (status, "")
    assert message in ended.err
    assert "hint: " in ended.err
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == [LINUX]


def test_each_message_that_the_sdk_cannot_parse_has_a_row(
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = UnparsedMessage(
        kind="response", name="GetAccountResponse", example='Account (type "gcp")', problem="type: not gcp"
    )
    failed = CaseResult(
        case="every-message-is-parsed",
        outcome=CaseOutcome.FAILED,
        detail="1 of 2 messages",
        unparsed=(message,),
    )
    runtime = RuntimeWheel(
        wheel=Path(LINUX),
        sha256=Sha256("5" * 64),
        tag=CodexTag.parse("0.163.0"),
        platform=Platform.parse("manylinux_2_17_x86_64"),
    )

    show(runtime, replace(ACCEPTANCE, cases=(*ACCEPTANCE.cases, failed)), Namespace(format="table"))

    assert capsys.readouterr().out.splitlines() == [
        "case\toutcome\tdetail",
        "closing-twice\tpassed\t",
        "every-message-is-parsed\tfailed\t1 of 2 messages",
        'response GetAccountResponse\trefused\tAccount (type "gcp"): type: not gcp',
    ]
