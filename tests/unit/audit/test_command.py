import pytest

from factory.cli import main


def test_an_audit_of_nothing_says_what_to_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit"]) == 20
    assert capsys.readouterr().err == (
        "factory: nothing says what to audit\n"
        "hint: Name releases (rust-v0.163.0 ...), or give --all or --wheel FILE.\n"
    )
