"""Infer the ``pyproject.toml`` of a wheel from its METADATA.

Each METADATA field comes from one key of ``pyproject.toml``
(https://packaging.python.org/specifications/core-metadata/). A field that is not handled here stops
the inference: a rebuild without it would have another METADATA.
"""

import email.utils
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import tomlkit

README = "README.md"
HOOK = "hatch_build.py"
_SINGLE = {
    "Metadata-Version",
    "Name",
    "Version",
    "Summary",
    "Author",
    "Author-email",
    "Maintainer",
    "Maintainer-email",
    "License",
    "License-Expression",
    "Keywords",
    "Requires-Python",
    "Description-Content-Type",
}
_REPEATED = {"Project-URL", "License-File", "Classifier", "Requires-Dist"}


class NotInferable(Exception):
    """Something that determines the wheel's bytes cannot be inferred; the message is the verdict's reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreMetadata:
    """The fields of METADATA in order, and the description."""

    fields: tuple[tuple[str, str], ...]
    description: str

    @classmethod
    def parse(cls, content: bytes) -> "CoreMetadata":
        """Parse METADATA as backends write it: one field per line, an empty line, the description.

        Raises:
            NotInferable: It has another form, or a field that comes from no known key.
        """
        try:
            head, _, description = content.decode("utf-8").partition("\n\n")
        except UnicodeDecodeError as error:
            raise NotInferable("METADATA is not UTF-8") from error
        fields = tuple(_field(line) for line in head.removesuffix("\n").split("\n"))
        for name in _SINGLE:
            if sum(field == name for field, _ in fields) > 1:
                raise NotInferable(f"METADATA has the field {name} more than once")
        return cls(fields=fields, description=description)

    def one(self, name: str) -> str | None:
        """Return the value of a field, or None if METADATA lacks it."""
        return next((value for field, value in self.fields if field == name), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Return the values of a field that may occur several times."""
        return tuple(value for field, value in self.fields if field == name)


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(": ")
    if not colon or not value:
        raise NotInferable(f"METADATA has a line that is not a field: {line[:80]!r}")
    if name not in _SINGLE | _REPEATED:
        raise NotInferable(f"METADATA has the field {name}, which comes from no known key of a project file")
    return name, value


def hatchling_project(
    project: Mapping[str, object],
    wheel: Mapping[str, object],
    hook: Mapping[str, object],
    *,
    metadata: CoreMetadata,
    backend: str,
) -> bytes:
    """Write a ``pyproject.toml`` for hatchling.

    Args:
        project: Its ``[project]`` table.
        wheel: What the wheel contains, as keys of hatchling's table for wheels.
        hook: The options of the build hook in ``hatch_build.py``.
        metadata: The METADATA that a build must give.
        backend: The exact requirement of the backend.

    Raises:
        NotInferable: METADATA does not have its own version.
    """
    version = metadata.one("Metadata-Version")
    if version is None:
        raise NotInferable("METADATA has no Metadata-Version")
    document = {
        "build-system": {"requires": [backend], "build-backend": "hatchling.build"},
        "project": project,
        "tool": {
            "hatch": {
                "build": {
                    "ignore-vcs": True,
                    "targets": {"wheel": {"core-metadata-version": version, **wheel}},
                    "hooks": {"custom": {"path": HOOK, **hook}},
                }
            }
        },
    }
    return tomlkit.dumps(document).encode("utf-8")


def project_table(metadata: CoreMetadata) -> dict[str, object]:
    """Return the ``[project]`` table that gives some METADATA.

    Raises:
        NotInferable: No table gives the value of some field.
    """
    project: dict[str, object] = {"name": metadata.one("Name"), "version": metadata.one("Version")}
    for field, (key, origin) in _ORIGINS.items():
        values = metadata.all(field)
        if values:
            project[key] = origin(values)
    project.update(_people(metadata))
    if metadata.one("Description-Content-Type") is not None:
        project["readme"] = {"file": README, "content-type": metadata.one("Description-Content-Type")}
    elif metadata.description:
        raise NotInferable("METADATA has a description without a content type")
    return project


def _urls(values: Iterable[str]) -> dict[str, str]:
    urls = {}
    for value in values:
        label, comma, url = value.partition(", ")
        if not comma or label in urls:
            raise NotInferable(f"METADATA has the project URL {value!r}, which no project file can give")
        urls[label] = url
    return urls


def _first(values: tuple[str, ...]) -> str:
    return values[0]


_ORIGINS: Mapping[str, tuple[str, Callable[[tuple[str, ...]], object]]] = {
    "Summary": ("description", _first),
    "Project-URL": ("urls", _urls),
    "License": ("license", lambda values: {"text": values[0]}),
    "License-Expression": ("license", _first),
    "License-File": ("license-files", list),
    "Keywords": ("keywords", lambda values: values[0].split(",")),
    "Classifier": ("classifiers", list),
    "Requires-Python": ("requires-python", _first),
    "Requires-Dist": ("dependencies", list),
}


def _people(metadata: CoreMetadata) -> dict[str, object]:
    """Return authors and maintainers; METADATA has names without addresses in a field of their own."""
    people: dict[str, object] = {}
    for field, key in (("Author", "authors"), ("Maintainer", "maintainers")):
        names = [{"name": name} for name in (metadata.one(field) or "").split(", ") if name]
        addresses = email.utils.getaddresses([metadata.one(f"{field}-email") or ""])
        named = [{"name": name, "email": mail} if name else {"email": mail} for name, mail in addresses]
        entries = [*names, *(entry for entry in named if entry["email"])]
        if entries:
            people[key] = entries
    return people
