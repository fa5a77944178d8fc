"""Wheels with a bill of materials that does not match them."""

import hashlib
import json
from collections.abc import Callable

from tests.wheels import PACKAGE, Wheel
from tests.zoo.breakage import Breakage

_CODEX = f"{PACKAGE}/bin/codex"
_RG = f"{PACKAGE}/codex-path/rg"
_BWRAP = f"{PACKAGE}/codex-resources/bwrap"
_GONE = (
    f'{{"type": "file", "name": "gone", "evidence": {{"occurrences": [{{"location": "{PACKAGE}/gone"}}]}}}}, '
)


def listing(wheel: Wheel, *places: str) -> str:
    """Return a bill of materials that lists some members correctly."""
    components = [
        {
            "type": "application",
            "name": place.rpartition("/")[2],
            "hashes": [
                {"alg": "SHA-256", "content": hashlib.sha256(wheel.member(place).content).hexdigest()}
            ],
            "evidence": {"occurrences": [{"location": place}]},
        }
        for place in places
    ]
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components})


def with_sbom(wheel: Wheel, edit: Callable[[str], str] = lambda text: text) -> Wheel:
    """Add an edited bill of materials of all programs to a Linux wheel."""
    return wheel.with_info("sboms/codex.cdx.json", edit(listing(wheel, _CODEX, _RG, _BWRAP)))


def _edited(old: str, new: str) -> Callable[[Wheel], Wheel]:
    return lambda wheel: with_sbom(wheel, lambda text: text.replace(old, new))


def _lists_only_two(wheel: Wheel) -> Wheel:
    return wheel.with_info("sboms/codex.cdx.json", listing(wheel, _CODEX, _RG))


def _lists_what_was_there(wheel: Wheel) -> Wheel:
    before = listing(wheel, _CODEX, _RG, _BWRAP)
    return wheel.edited_text(_RG, "rg", "gr").with_info("sboms/codex.cdx.json", before)


SBOMS: tuple[Breakage, ...] = (
    Breakage(
        "a bill of materials that is not JSON",
        "sbom-readable",
        lambda wheel: with_sbom(wheel, lambda text: text[:-1]),
    ),
    Breakage("a bill of materials of another format", "sbom-readable", _edited("CycloneDX", "SPDX")),
    Breakage(
        "a bill of materials with a malformed digest",
        "sbom-readable",
        _edited('"alg": "SHA-256"', '"alg": 256'),
    ),
    Breakage("an executable that differs from the listed one", "sbom-content", _lists_what_was_there),
    Breakage(
        "a listed file that is missing", "sbom-content", _edited('"components": [', f'"components": [{_GONE}')
    ),
    Breakage("an executable that the bill of materials omits", "sbom-complete", _lists_only_two),
)
