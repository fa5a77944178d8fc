import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from factory.build import deflate_probe
from factory.build.deflate_check import (
    REFERENCE_ANSWER,
    DeflateIdentity,
    OtherDeflate,
    ProbeFailed,
    deflate_identity,
    probe_interpreter,
    require_reference_deflate,
)
from factory.core.digests import Sha256
from factory.system.process import Completed, SubprocessRunner
from tests.fake_runner import Expected, FakeRunner

STOCK = "61459afb16515381ed4f664ecaaa059563d45f93a2ffe85d9fa5f21d720adc28"
NG = DeflateIdentity(name="zlib-ng", version="2.2.4", answer=Sha256("ab" * 32))


def test_the_reference_answer_is_that_of_stock_zlib() -> None:
    assert Sha256(STOCK) == REFERENCE_ANSWER
    assert replace(NG, answer=Sha256(STOCK)).is_reference


def test_this_interpreter_is_identified() -> None:
    identity = deflate_identity()

    assert identity.name in {"zlib", "zlib-ng"}
    assert identity.name == "zlib-ng" or identity.version == zlib.ZLIB_RUNTIME_VERSION
    assert deflate_probe.answer() == str(identity.answer)


def test_the_reference_encoder_is_accepted() -> None:
    require_reference_deflate(replace(NG, answer=Sha256(STOCK)))


def test_another_encoder_is_refused_with_a_hint() -> None:
    with pytest.raises(OtherDeflate) as caught:
        require_reference_deflate(NG)

    assert "zlib-ng 2.2.4" in str(caught.value)
    assert "container builder" in caught.value.hint
    assert caught.value.exit_code == 25


def test_another_process_gives_the_same_answer_as_this_one() -> None:
    interpreter = probe_interpreter(Path(sys.executable), env={}, runner=SubprocessRunner())

    assert interpreter.deflate == deflate_identity()
    assert interpreter.version == ".".join(str(part) for part in sys.version_info[:3])


def test_warnings_above_the_output_of_the_probe_are_ignored() -> None:
    said = (
        "warning: something\n"
        '{"executable": "/opt/python", "implementation": "CPython", "python": "3.14.0", '
        f'"name": "zlib-ng", "version": "2.2.4", "answer": "{"ab" * 32}"}}'
    )
    runner = FakeRunner(Expected(argv=["python", "-I"], completed=Completed(returncode=0, output=said)))

    interpreter = probe_interpreter(Path("python"), env={"A": "b"}, runner=runner)

    assert interpreter.executable == Path("/opt/python")
    assert interpreter.deflate == NG
    assert runner.commands[0].env == {"A": "b"}


@pytest.mark.parametrize(
    ("completed", "reason"),
    [
        (Completed(returncode=1, output="No module named zlib"), "exit status 1\nNo module named zlib"),
        (Completed(returncode=0, output=""), "it printed ''"),
        (Completed(returncode=0, output='{"executable": 1}'), "it printed"),
    ],
)
def test_an_interpreter_that_does_not_start_is_an_error(completed: Completed, reason: str) -> None:
    runner = FakeRunner(Expected(argv=["python"], completed=completed))

    with pytest.raises(ProbeFailed) as caught:
        probe_interpreter(Path("python"), env={}, runner=runner)

    assert reason in str(caught.value)
