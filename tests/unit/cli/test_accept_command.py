"""``factory sdk accept`` refuses wrong input before it starts anything."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Factory

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
