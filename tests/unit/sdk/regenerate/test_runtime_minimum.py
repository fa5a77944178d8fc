"""The oldest runtime that an SDK's code accepts."""

from pathlib import Path

import pytest

from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.sdk.regenerate.runtime_minimum import RuntimeMinimum, runtime_minimum, with_minimum
from factory.sdk.sdk_files import read_sdk
from tests.unit.sdk.regenerate.small_sdk import MINIMUM, small_sdk


@pytest.mark.parametrize("name", ["MINIMUM_RUNTIME_VERSION", "_MIN_CODEX_VERSION", "CLI_VERSION_MIN"])
def test_a_constant_with_a_minimum_is_found(name: str) -> None:
    found = runtime_minimum(f'"""Doc."""\n{name} = "0.151.0"\n')
    assert found == RuntimeMinimum(name=name, version="0.151.0", line=2)


@pytest.mark.parametrize(
    "source",
    [
        'MINIMUM_PYTHON_VERSION = "3.10"',
        'RUNTIME_VERSION = "0.151.0"',
        'MINIMUM_RUNTIME = "0.151.0"',
        'MINIMUM_RUNTIME_VERSION = "newest"',
        "MINIMUM_RUNTIME_VERSION = 151",
        'def f():\n    MINIMUM_RUNTIME_VERSION = "0.151.0"',
    ],
)
def test_other_constants_are_no_minimum(source: str) -> None:
    assert runtime_minimum(source) is None


@pytest.mark.parametrize("version", ["0.149.0", "0.151.0a1"])
def test_an_older_runtime_is_refused(tmp_path: Path, version: str) -> None:
    files = read_sdk(small_sdk(tmp_path / "sdk"))
    for is_raised in (False, True):
        with pytest.raises(UsageError, match=f"requires Codex 0.151.0 or newer, not {version}") as refused:
            with_minimum(files, CodexTag.parse(version), is_raised=is_raised)
        assert "(MINIMUM_RUNTIME_VERSION in src/small_sdk/limits.py)" in str(refused.value)


def test_a_supported_runtime_changes_nothing(tmp_path: Path) -> None:
    files = read_sdk(small_sdk(tmp_path / "sdk", api="class :"))
    limited = with_minimum(files, CodexTag.parse("0.151.0"), is_raised=False)
    assert (limited.files, limited.changes) == (files, ())


def test_the_minimum_is_raised_on_request(tmp_path: Path) -> None:
    files = read_sdk(small_sdk(tmp_path / "sdk"))
    raised = with_minimum(files, CodexTag.parse("0.171.0"), is_raised=True)
    assert raised.changes == ("limits.py: MINIMUM_RUNTIME_VERSION raised from 0.151.0 to 0.171.0",)
    changed = {
        after.path.name: after.content
        for before, after in zip(files, raised.files, strict=True)
        if before != after
    }
    notice = "# Changed by codex-wheel-factory for Codex 0.171.0.\n"
    assert changed == {"limits.py": (notice + MINIMUM.replace("0.151.0", "0.171.0")).encode()}


def test_an_sdk_without_a_minimum_has_none_to_raise(tmp_path: Path) -> None:
    files = read_sdk(small_sdk(tmp_path / "sdk", limits=""))
    assert with_minimum(files, CodexTag.parse("0.1.0"), is_raised=False).files == files
    with pytest.raises(UsageError, match="has no oldest runtime to raise"):
        with_minimum(files, CodexTag.parse("0.171.0"), is_raised=True)
