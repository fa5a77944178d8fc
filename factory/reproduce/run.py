"""Build once plainly and once under each variation, and compare the wheels."""

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from factory.digests import Sha256
from factory.errors import FactoryError
from factory.pipeline import make_wheels
from factory.planning import WheelsOrder, WheelsPlan
from factory.reproduce.variations import Variation, VaryingRunner
from factory.workshop import Workshop

Planner = Callable[[WheelsOrder], WheelsPlan]
"""Decides what a build is: the channel and the recipe are the caller's matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a variation.

    Attributes:
        variation: Its name.
        sha256: The wheel's digest; None when there is none.
        state: ``plain``, ``equal``, ``different``, ``failed`` or ``not tried``.
        detail: Differing members, or the reason.
    """

    variation: str
    sha256: str | None
    state: str
    detail: str = ""


def reproduce(
    order: WheelsOrder, plan: Planner, workshop: Workshop, variations: Sequence[Variation]
) -> tuple[Outcome, ...]:
    """Build an order's one wheel anew under each variation, each below its own directory of ``out``.

    Each variation is tried singly, so that a difference has one cause, and every build
    compresses anew: nothing of an earlier one is used.

    Raises:
        FactoryError: The plain build failed.
    """
    plain = _build(order, plan, workshop, "plain")
    outcomes = [Outcome(variation="plain", sha256=_sha256(plain), state="plain")]
    for variation in variations:
        reason = variation.why_not()
        if reason is not None:
            outcomes.append(Outcome(variation=variation.name, sha256=None, state="not tried", detail=reason))
            continue
        varied = replace(workshop, runner=VaryingRunner(runner=workshop.runner, variation=variation))
        try:
            wheel = _build(replace(order, engine=variation.engine), plan, varied, variation.name)
        except FactoryError as error:
            outcomes.append(Outcome(variation=variation.name, sha256=None, state="failed", detail=str(error)))
            continue
        outcomes.append(judge(variation.name, plain, wheel))
    return tuple(outcomes)


def judge(name: str, plain: Path, varied: Path) -> Outcome:
    """Compare two wheels and name the members that differ."""
    sha256 = _sha256(varied)
    if sha256 == _sha256(plain):
        return Outcome(variation=name, sha256=sha256, state="equal")
    members = ", ".join(_differing(plain, varied)) or "no member, only what is around them"
    return Outcome(variation=name, sha256=sha256, state="different", detail=members)


def _build(order: WheelsOrder, plan: Planner, workshop: Workshop, name: str) -> Path:
    planned = plan(replace(order, out=order.out / name, is_fresh=True))
    run = make_wheels(planned, workshop)
    return planned.dist.directory / run.manifest.wheels[0].name


def _sha256(path: Path) -> str:
    return str(Sha256.of_file(path))


def _differing(one: Path, other: Path) -> tuple[str, ...]:
    before, after = _members(one), _members(other)
    return tuple(name for name in sorted({*before, *after}) if before.get(name) != after.get(name))


def _members(path: Path) -> dict[str, tuple[str, int, tuple[int, ...]]]:
    found: dict[str, tuple[str, int, tuple[int, ...]]] = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as file:
                digest = hashlib.sha256()
                while piece := file.read(1 << 20):
                    digest.update(piece)
            found[entry.filename] = (digest.hexdigest(), entry.external_attr, entry.date_time)
    return found
