"""What an SDK's code uses of its generated modules, and what a release lacks of it."""

from pathlib import Path, PurePosixPath

import pytest

from factory.sdk.regenerate.models import read_models
from factory.sdk.regenerate.sdk_package import SdkPackage, dropped_fields, missing_names
from factory.sdk.sdk_files import UnusableSdk, read_sdk
from tests.unit.sdk.regenerate.small_sdk import NEW_MODELS, OLD_MODELS, REGISTRY, small_sdk

GENERATED = {
    "v2_all": read_models(NEW_MODELS.encode()),
    "notification_registry": read_models(REGISTRY.encode()),
}


def missing(source: str) -> list[str]:
    return list(missing_names({PurePosixPath("src/small_sdk/client.py"): source}, GENERATED))


def test_the_package_is_found_by_its_generated_models(tmp_path: Path) -> None:
    source = small_sdk(tmp_path / "sdk")
    package = SdkPackage.find(read_sdk(source), source)
    assert package.generated == PurePosixPath("src/small_sdk/generated")
    assert sorted(path.name for path in package.modules) == ["api.py", "limits.py"]
    assert package.models.fields["Started"].keys() == {"id"}


def test_a_source_without_one_package_of_types_is_refused(tmp_path: Path) -> None:
    source = small_sdk(tmp_path / "sdk")
    copy = source / "src" / "other" / "v2_all.py"
    copy.parent.mkdir()
    copy.write_text(OLD_MODELS)
    with pytest.raises(UnusableSdk, match=r"it has 2 modules v2_all.py of generated types"):
        SdkPackage.find(read_sdk(source), source)
    copy.unlink()
    (source / "src" / "small_sdk" / "generated" / "v2_all.py").unlink()
    with pytest.raises(UnusableSdk, match=r"it has 0 modules v2_all.py"):
        SdkPackage.find(read_sdk(source), source)


@pytest.mark.parametrize("module", ["api", "v2_all"])
def test_a_module_that_is_not_python_is_refused(tmp_path: Path, module: str) -> None:
    source = small_sdk(tmp_path / "sdk", **{module: "class :"})
    with pytest.raises(UnusableSdk, match="a module is not Python"):
        SdkPackage.find(read_sdk(source), source)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("from .generated.v2_all import Gone", "client.py imports Gone"),
        (
            "def f():\n    from small_sdk.generated.notification_registry import TURNS",
            "client.py imports TURNS",
        ),
        ("print(Effort.ultra)", "client.py uses Effort.ultra"),
        ("Started()", "client.py calls Started without id"),
    ],
)
def test_what_the_release_does_not_have_is_named(source: str, problem: str) -> None:
    assert missing(source) == [problem]


@pytest.mark.parametrize(
    "source",
    [
        "from .generated.v2_all import Started as S, Any",
        "from .other import Gone",
        "Effort.low; Effort._value2member_map_; Other.gone; Started.model_validate({})",
        "Started(id='a'); Started(**values); Started(values); Other()",
    ],
)
def test_what_the_release_has_is_accepted(source: str) -> None:
    assert missing(source) == []


def test_fields_that_a_model_would_ignore_are_named() -> None:
    source = "StartParams(depth=1, model='m', **more)\nOther(depth=1)\n"
    modules = {PurePosixPath("client.py"): source}
    assert list(dropped_fields(modules, GENERATED["v2_all"])) == ["client.py sets StartParams.depth"]
