import pytest

from factory.cli import main


def test_an_audit_without_arguments_is_refused_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit"]) == 20
    assert capsys.readouterr().err == (
        "factory: no release or wheel given\n"
        "hint: Name releases (rust-v0.163.0 ...), or give --all or --wheel FILE.\n"
    )
