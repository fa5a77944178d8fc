"""A real published wheel, rebuilt from the real release package."""

from pathlib import Path

import pytest

from factory.cli import main


@pytest.mark.network
@pytest.mark.slow
def test_a_published_wheel_of_an_old_release_comes_out_identical(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTORY_CACHE_DIR", str(tmp_path / "cache"))

    status = main(
        ["audit", "rust-v0.131.0", "--platform", "musllinux_1_1_x86_64", "--out", str(tmp_path / "out")]
    )

    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert rows[1][:4] == [
        "openai_codex_cli_bin-0.131.0-py3-none-musllinux_1_1_x86_64.whl",
        "index",
        "IDENTICAL",
        "2 of 2 from the release",
    ]
    assert status == 0
