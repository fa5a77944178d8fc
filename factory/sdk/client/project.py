"""Write the project of the factory's own SDK: the template, with the modules of a release."""

import keyword
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Final

from packaging.utils import canonicalize_name

from factory.build.template import DISTRIBUTION as RUNTIME
from factory.build.template import PACKAGE as RUNTIME_PACKAGE
from factory.core.errors import UsageError
from factory.core.tags import CodexTag
from factory.sdk.client.client_methods import client_methods_source, client_requests
from factory.sdk.client.model_source import ModelSource
from factory.sdk.client.server_answers import server_answers_source
from factory.sdk.types.methods import MessageKind, methods_of
from factory.sdk.types.registry_module import MODELS
from factory.sdk.types.schema import SchemaBundle, UnusableSchema
from factory.sdk.types.types_package import TypesPackage
from factory.system.files import writing

DISTRIBUTION: Final = "codex-wheel-factory-sdk"
PACKAGE: Final = "codex_factory_sdk"
"""The names in the template; a project can have others."""

_NEEDED: Final = (
    *("account/login/cancel", "account/login/start", "account/logout", "account/read", "initialize"),
    *("model/list", "thread/archive", "thread/compact/start", "thread/fork", "thread/list"),
    *("thread/name/set", "thread/read", "thread/resume", "thread/start", "thread/unarchive"),
    *("turn/interrupt", "turn/start", "turn/steer"),
)
"""The requests behind the methods of ``Codex``; all releases from 0.105.0 on have them."""
_OFFICIAL: Final = frozenset({"openai-codex", RUNTIME})
_RELEASE_MARK: Final = "@RELEASE@"
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkNames:
    """The names of an SDK.

    Attributes:
        distribution: The name that installers use.
        package: The name that programs import.
    """

    distribution: str = DISTRIBUTION
    package: str = PACKAGE

    def require_usable(self) -> None:
        """Refuse names that are not valid, or belong to something else.

        Raises:
            UsageError: One is not usable.
        """
        if not _NAME.fullmatch(self.distribution):
            raise UsageError(
                f"{self.distribution!r} is not a valid name for a distribution",
                hint="Use letters, digits and single dashes, such as --sdk-name my-codex-sdk.",
            )
        if canonicalize_name(self.distribution) in _OFFICIAL:
            raise UsageError(
                f"{self.distribution} is the name of an official package",
                hint=f"Choose another --sdk-name; the default is {DISTRIBUTION}.",
            )
        taken = {RUNTIME_PACKAGE, "openai_codex", "pydantic", *sys.stdlib_module_names}
        if not self.package.isascii() or not self.package.isidentifier() or keyword.iskeyword(self.package):
            raise UsageError(
                f"{self.package!r} is not a valid name for a package",
                hint="Give a Python identifier, such as --import-name my_codex_sdk.",
            )
        if self.package in taken:
            raise UsageError(
                f"the name {self.package} belongs to another package",
                hint=f"Choose another --import-name; the default is {PACKAGE}.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkRelease:
    """The release that an SDK is made for.

    Attributes:
        version: The SDK's own version.
        types: The types that were generated from ``schema``.
    """

    tag: CodexTag
    version: str
    schema: SchemaBundle
    types: TypesPackage


def write_project(release: SdkRelease, names: SdkNames, directory: Path) -> None:
    """Write a project to a new directory; the pin of the runtime is for `factory.sdk.staged_sdk` to set.

    Raises:
        UsageError: A name is not usable.
        BuildError: The generated models have an unknown form.
        UnusableSchema: The schema lacks what the SDK needs.
    """
    names.require_usable()
    _require_needed(release.schema)
    contents = dict(_template_files(files("factory").joinpath("sdk/client_template")))
    package = PurePosixPath("src", PACKAGE)
    contents |= {package / "generated" / name: text for name, text in _generated(release).items()}
    with writing(directory):
        for path, text in contents.items():
            place = directory / str(path).replace(PACKAGE, names.package)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(_filled(text, names, release.tag), encoding="utf-8", newline="\n")


def _require_needed(schema: SchemaBundle) -> None:
    known = {method.name for method in methods_of(schema, MessageKind.CLIENT_REQUEST)}
    for name in _NEEDED:
        if name not in known:
            raise UnusableSchema(name, "is not a request of this release, and the SDK needs it")


def _generated(release: SdkRelease) -> Mapping[str, str]:
    """Return the modules that the schema decides, with the template's package name."""
    texts = {name: content.decode() for name, content in release.types.files.items()}
    source = ModelSource(texts[f"{MODELS}.py"])
    requests = client_requests(release.schema, source)
    origin = f"the app-server schema of Codex {release.tag.pep440}"
    header = f"# Made by codex-wheel-factory from {origin}; do not edit.\n"
    own = {
        "client_methods.py": client_methods_source(requests, source, PACKAGE),
        "server_answers.py": server_answers_source(release.schema),
        "release.py": _release_source(release),
    }
    texts[f"{MODELS}.py"] = source.with_open_bases(PACKAGE)
    return texts | {name: f"{header}{text}" for name, text in own.items()}


def _release_source(release: SdkRelease) -> str:
    return (
        '"""The release that this SDK was made for."""\n\n'
        f'RELEASE = "{release.tag.semver}"\n'
        f'RUNTIME_REQUIREMENT = "{RUNTIME}=={release.tag.pep440}"\n'
        f'SDK_VERSION = "{release.version}"\n'
    )


def _template_files(directory: Traversable) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in directory.iterdir():
        if (
            entry.is_dir()
            and entry.name not in {"__pycache__", "generated"}
            and not entry.name.startswith(".")
        ):
            yield from ((PurePosixPath(entry.name, path), text) for path, text in _template_files(entry))
        elif entry.is_file() and entry.name.endswith((".py", ".md", ".toml", ".typed")):
            yield PurePosixPath(entry.name), entry.read_text(encoding="utf-8")


def _filled(text: str, names: SdkNames, tag: CodexTag) -> str:
    named = text.replace(PACKAGE, names.package).replace(DISTRIBUTION, names.distribution)
    return named.replace(_RELEASE_MARK, tag.pep440)
