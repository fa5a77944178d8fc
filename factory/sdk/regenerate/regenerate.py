"""Regenerate an SDK: its code, with the types, the registry and the methods of another release."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.sdk.regenerate.files import RegeneratedFiles, noticed
from factory.sdk.regenerate.flat_methods import Releases, with_methods_of
from factory.sdk.regenerate.models import Models, read_models
from factory.sdk.regenerate.sdk_package import MODELS_FILE, SdkPackage, dropped_fields, missing_names
from factory.sdk.regenerate.text_wrappers import with_wrappers_of
from factory.sdk.sdk_files import SdkFile
from factory.sdk.types.maker import TypesMaker
from factory.sdk.types.registry_module import MODELS
from factory.sdk.types.types_package import TypesPackage

_MAX_NAMED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Regeneration:
    """What an SDK is regenerated with.

    Attributes:
        types: The types of the release.
        format_modules: Formats the text of modules, by name.
    """

    types: TypesPackage
    format_modules: Callable[[Mapping[str, bytes]], Mapping[str, bytes]]


def regeneration_by(maker: TypesMaker, release: CodexTag) -> Regeneration:
    """Generate the types of a release.

    Raises:
        FactoryError: The runtime cannot be fetched or writes no schema, or the generator fails.
    """
    return Regeneration(types=maker.make(release), format_modules=maker.format_modules)


def regenerated(
    files: tuple[SdkFile, ...], source: Path, runtime: CodexTag, regeneration: Regeneration
) -> RegeneratedFiles:
    """Return an SDK's files with the types and methods of a release.

    Raises:
        UnusableSdk: The source has no generated types, or a module is not Python.
        UsageError: The SDK's code uses something that the release does not have.
        BuildError: The formatter fails.
    """
    package = SdkPackage.find(files, source)
    types = {package.generated / name: content for name, content in regeneration.types.files.items()}
    models = package.generated / MODELS_FILE
    types[models], kept_classes = with_wrappers_of(package.models, types[models])
    generated = {path.stem: read_models(content) for path, content in types.items()}
    modules, method_changes = _with_methods(package, generated[MODELS])
    _require_complete(modules, generated, runtime)
    changed = {path: text.encode() for path, text in modules.items() if text != package.modules[path]}
    if kept_classes:
        changed[models] = types[models]
    formatted = regeneration.format_modules({str(path): content for path, content in changed.items()})
    kept = [file for file in files if not file.path.is_relative_to(package.generated)]
    own = (
        SdkFile(path=path, content=formatted.get(str(path), content), mode=0o644)
        for path, content in types.items()
    )
    return RegeneratedFiles(
        files=(*(_replaced(file, formatted, runtime) for file in kept), *own),
        changes=(
            _type_change(package, generated[MODELS], runtime),
            *kept_classes,
            *method_changes,
            *(
                f"{text}, which the release does not have"
                for text in dropped_fields(modules, generated[MODELS])
            ),
        ),
    )


def _with_methods(package: SdkPackage, after: Models) -> tuple[Mapping[PurePosixPath, str], tuple[str, ...]]:
    releases = Releases(before=package.models, after=after)
    results = {path: with_methods_of(text, releases) for path, text in package.modules.items()}
    changes = (f"{path.name}: {change}" for path, (_, found) in results.items() for change in found)
    return {path: text for path, (text, _) in results.items()}, tuple(changes)


def _require_complete(
    modules: Mapping[PurePosixPath, str], generated: Mapping[str, Models], runtime: CodexTag
) -> None:
    missing = sorted(set(missing_names(modules, generated)))
    if missing:
        more = f" and {len(missing) - _MAX_NAMED} more" if len(missing) > _MAX_NAMED else ""
        raise UsageError(
            f"the SDK's code does not fit the protocol of {runtime.pep440}:"
            f" {'; '.join(missing[:_MAX_NAMED])}{more}",
            hint="Regenerate the SDK of a release nearer to it.",
        )


def _type_change(package: SdkPackage, after: Models, runtime: CodexTag) -> str:
    before = package.models.fields.keys()
    new, gone = len(after.fields.keys() - before), len(before - after.fields.keys())
    where = f"{package.generated}: types and registry of Codex {runtime.pep440}"
    return f"{where}; {new} of {len(after.fields)} classes are new, and {gone} are gone"


def _replaced(file: SdkFile, formatted: Mapping[str, bytes], runtime: CodexTag) -> SdkFile:
    text = formatted.get(str(file.path))
    return file if text is None else replace(file, content=noticed(text, runtime))
