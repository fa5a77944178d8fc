"""Group the texts that audits took from wheels: each text once, with the wheels that have it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from factory.audit.verdict import TrustedText, Verdict

_VERSION_FIELD = re.compile(r"^Version: .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenText:
    """One text; line endings, and the version in METADATA, do not make it another text.

    Attributes:
        base: The member's name without its directory.
        text: The text as in the first wheel that has it.
        digests: The SHA-256 of each variant.
        wheels: The names of the wheels that have it.
        releases: The number of releases of these wheels.
    """

    base: str
    text: str
    digests: tuple[str, ...]
    wheels: tuple[str, ...]
    releases: int


def seen_texts(verdicts: Sequence[Verdict]) -> tuple[SeenText, ...]:
    """Group the texts of some wheels, the most common text first."""
    groups: dict[tuple[str, str], list[tuple[Verdict, TrustedText]]] = {}
    for verdict in verdicts:
        for text in verdict.trust_base:
            groups.setdefault(_as_read(text), []).append((verdict, text))
    seen = [
        SeenText(
            base=base,
            text=found[0][1].text,
            digests=tuple(dict.fromkeys(str(text.sha256) for _, text in found)),
            wheels=tuple(verdict.name for verdict, _ in found),
            releases=len({verdict.tag for verdict, _ in found}),
        )
        for (base, _), found in groups.items()
    ]
    return tuple(sorted(seen, key=lambda text: (-len(text.wheels), text.base, text.digests)))


def _as_read(text: TrustedText) -> tuple[str, str]:
    base = text.place.rpartition("/")[2]
    plain = text.text.replace("\r\n", "\n")
    return base, _VERSION_FIELD.sub("Version:", plain, count=1) if base == "METADATA" else plain
