"""What an extra brings is imported where it is needed, and its absence is never silent."""

import tomllib

import pytest
from packaging.requirements import Requirement

from factory.core.errors import HostError
from factory.core.extras import Extra, NotDecided, needs, needs_to_work
from tests.extras import take_away
from tests.unit.test_ground import ROOT, who_imports

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_a_question_without_its_extra_is_not_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(monkeypatch, "sigstore")
    with (
        pytest.raises(
            NotDecided, match=r"^a bundle needs the Python package sigstore\.?\w*, which is not installed$"
        ) as caught,
        needs(Extra.SIGN, "a bundle"),
    ):
        import sigstore  # noqa: F401, PLC0415 - it must not be found
    assert caught.value.exit_code == 11
    assert caught.value.hint == "Install it: python -m pip install 'codex-wheel-factory[sign]'"


def test_an_action_without_its_extra_cannot_be_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(monkeypatch, "docker")
    with pytest.raises(HostError) as caught, needs_to_work(Extra.DOCKER, "a container engine"):
        import docker  # noqa: F401, PLC0415 - it must not be found
    assert (caught.value.exit_code, caught.value.hint[-8:]) == (25, "docker]'")


def test_another_error_is_not_explained_away() -> None:
    with pytest.raises(ValueError, match=r"^a bug$"), needs(Extra.SIGN, "a bundle"):
        raise ValueError("a bug")


def test_the_extras_are_those_of_the_project() -> None:
    extras = PROJECT["optional-dependencies"]
    assert set(extras) == {*Extra, "all"}
    assert extras["all"] == [f"codex-wheel-factory[{','.join(sorted(Extra))}]"]


def test_only_some_modules_import_what_an_extra_brings() -> None:
    texts = [text for extra in Extra for text in PROJECT["optional-dependencies"][extra]]
    brought = {Requirement(text).name.replace("-", "_") for text in texts}
    assert brought == {"docker", "jinja2", "pypi_attestations", "sigstore"}
    assert {module for name in brought for module in who_imports(name)} == {
        "factory/system/containers/docker_engine.py",
        "factory/verify/output/page_template.py",
        "factory/audit/provenance.py",
    }, "sigstore is imported by its modules only"
    assert who_imports("sigstore.errors") == {
        "factory/audit/provenance.py",
        "factory/executables/signatures/sigstore_bundles.py",
        "factory/statements/keyless.py",
    }
