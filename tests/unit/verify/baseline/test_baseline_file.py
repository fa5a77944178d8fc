from pathlib import Path

import pytest

from factory.build.template import bundled_template
from factory.core.digests import Sha256
from factory.core.errors import HostError, IntegrityError
from factory.verify.baseline.baseline import Baseline
from factory.verify.baseline.baseline_file import (
    BASELINE_PATH,
    bundled_baseline,
    parse_baseline,
    read_baseline,
    render_baseline,
)
from factory.verify.baseline.own_shape import own_shape
from tests.baselines import BASELINE
from tests.wheels import own_metadata


def test_a_baseline_survives_writing_and_reading() -> None:
    text = render_baseline(BASELINE)
    assert render_baseline(parse_baseline(text.encode(), where="x")) == text


def test_the_bundled_baseline_is_written_as_the_factory_writes_it() -> None:
    assert render_baseline(bundled_baseline()) == BASELINE_PATH.read_text("utf-8")


def test_the_bundled_baseline_has_the_template_and_the_rules_of_our_wheels() -> None:
    own = bundled_baseline().own
    expected = Baseline(own=own_shape(bundled_template(), own.metadata))
    assert render_baseline(Baseline(own=own)) == render_baseline(expected), "factory ci baseline propose"


def test_the_bundled_baseline_has_the_metadata_of_our_wheels() -> None:
    (metadata,) = bundled_baseline().own.metadata
    assert metadata.sha256 == Sha256.of([own_metadata("{version}").encode()])
    assert metadata.requires == ()


def test_only_our_wheels_have_the_module_that_runs_the_executable() -> None:
    baseline = bundled_baseline()
    assert baseline.own.has_text("codex_cli_bin/__main__.py")
    assert not baseline.published.has_text("codex_cli_bin/__main__.py")


def test_every_entry_is_on_a_line_of_its_own() -> None:
    lines = render_baseline(BASELINE).splitlines()
    assert (
        '{"path": "codex_cli_bin/py.typed", "family": "win32", "sha256":'
        ' "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "first": "rust-v0.160.0",'
        ' "last": "rust-v0.163.0"},' in lines
    )


def test_a_missing_file_is_an_error_of_the_installation(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="No such file") as caught:
        read_baseline(tmp_path / "baseline.json")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"[]", "should be an object"),
        (b'{"schema_version": "1"}', "schema_version"),
        (b'{"schema_version": 1}', "published"),
        (render_baseline(BASELINE).replace('"family": "win32"', '"family": "os2"').encode(), "os2"),
        (render_baseline(BASELINE).replace('"first": "rust-v0.160.0"', '"first": "x"').encode(), "'x'"),
        (
            render_baseline(BASELINE)
            .replace('"first": "rust-v0.160.0"', '"first": "rust-v0.170.0"')
            .encode(),
            "ends before it begins",
        ),
        (render_baseline(BASELINE)[:-20].encode(), "not JSON"),
    ],
)
def test_a_damaged_baseline_is_refused_with_a_sentence(content: bytes, message: str) -> None:
    with pytest.raises(IntegrityError, match="the baseline is damaged: ") as caught:
        parse_baseline(content, where="baseline.json")
    assert message in str(caught.value)
    assert caught.value.hint == "Restore the file from version control, or install the factory again."


def test_a_newer_baseline_is_refused_with_its_version() -> None:
    with pytest.raises(IntegrityError) as caught:
        parse_baseline(b'{"schema_version": 9}', where="baseline.json")
    assert str(caught.value) == "baseline.json has version 9; this factory reads version 1"
    assert caught.value.hint == "Use the baseline and the factory of one version."
