"""Build once plainly and once under each variation, compare, and bisect what differs only together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from factory.audit.reproduce.bisection import find_culprits
from factory.audit.reproduce.differences import differences
from factory.audit.reproduce.result import State, VariationResult
from factory.audit.reproduce.variations import Surroundings, Variation
from factory.audit.reproduce.varied_builds import NotTried, VariedBuilder
from factory.build.deflate_check import OtherDeflate
from factory.core.digests import Sha256
from factory.core.errors import FactoryError
from factory.wheels.plan import WheelsPlan

PLAIN = "plain"
INDEX = "index"
TOGETHER = "together"

Wheels = Mapping[str, Path]
"""Wheels by platform tag."""


def reproduce(
    plan: WheelsPlan, builder: VariedBuilder, variations: Sequence[Variation], *, is_together: bool = False
) -> Iterator[VariationResult]:
    """Build a plan's wheels anew under each variation, and then under all that can be made together.

    Tried singly, a difference has one cause. Two changes may make one only where they
    meet, so those surroundings that were equal are made together at last; if that differs, it is
    bisected. Nothing of an earlier build is used.

    Args:
        plan: What to build; judging the wheels is not part of it.
        builder: With what.
        variations: Which changes.
        is_together: Do not try surroundings singly at all, but together first: two builds say
            that all is equal, and bisection finds what is not.

    Raises:
        FactoryError: The plain build failed.
    """
    with builder.build(plan, (), name=PLAIN) as plain:
        yield from _plain(plan, plain)
        meeting = []
        for variation in variations:
            if isinstance(variation.change, Surroundings) and is_together:
                reason = builder.missing_for(variation.change)
                outcomes = () if reason is None else _all(plan, variation.name, State.NOT_TRIED, reason)
            else:
                outcomes = _try((variation,), variation.name, plan, builder, plain)
            yield from outcomes
            if isinstance(variation.change, Surroundings) and _is_harmless(outcomes):
                meeting.append(variation)
        if len(meeting) > (0 if is_together else 1):
            yield from _meet(meeting, plan, builder, plain)


def _plain(plan: WheelsPlan, plain: Wheels) -> Iterator[VariationResult]:
    """Tell the plain wheels, and how those that are made like published ones stand to the index."""
    for planned in plan.wheels:
        platform = planned.recipe.platform.tag
        sha256 = Sha256.of_file(plain[platform])
        yield VariationResult(variation=PLAIN, platform=platform, state=State.PLAIN, sha256=str(sha256))
        if planned.promised is not None:
            yield VariationResult(
                variation=INDEX,
                platform=platform,
                state=State.EQUAL if sha256 == planned.promised else State.DIFFERENT,
                sha256=str(planned.promised),
            )


def _try(
    variations: Sequence[Variation], name: str, plan: WheelsPlan, builder: VariedBuilder, plain: Wheels
) -> tuple[VariationResult, ...]:
    try:
        with builder.build(plan, variations, name=name) as varied:
            return tuple(judge(name, tag, plain[tag], varied[tag]) for tag in _platforms(plan))
    except NotTried as error:
        return _all(plan, name, State.NOT_TRIED, str(error))
    except OtherDeflate as error:
        return _all(plan, name, State.REFUSED, str(error))
    except FactoryError as error:
        return _all(plan, name, State.FAILED, str(error))


def _all(plan: WheelsPlan, name: str, state: State, reason: str) -> tuple[VariationResult, ...]:
    """Say the same of every wheel of a plan."""
    return tuple(
        VariationResult(variation=name, platform=tag, state=state, detail=reason) for tag in _platforms(plan)
    )


def _platforms(plan: WheelsPlan) -> tuple[str, ...]:
    return tuple(planned.recipe.platform.tag for planned in plan.wheels)


def _is_harmless(outcomes: Sequence[VariationResult]) -> bool:
    return all(outcome.state is State.EQUAL for outcome in outcomes)


def judge(name: str, platform: str, plain: Path, varied: Path) -> VariationResult:
    """Compare two wheels and name the members that differ."""
    sha256 = Sha256.of_file(varied)
    is_equal = sha256 == Sha256.of_file(plain)
    return VariationResult(
        variation=name,
        platform=platform,
        state=State.EQUAL if is_equal else State.DIFFERENT,
        sha256=str(sha256),
        detail="" if is_equal else ", ".join(differences(plain, varied)),
    )


def _meet(
    variations: Sequence[Variation], plan: WheelsPlan, builder: VariedBuilder, plain: Wheels
) -> Iterator[VariationResult]:
    """Make surroundings together, and bisect for every wheel that differs."""
    for outcome in _try(variations, TOGETHER, plan, builder, plain):
        match outcome.state:
            case State.DIFFERENT:
                alone = tuple(one for one in plan.wheels if one.recipe.platform.tag == outcome.platform)
                yield from _bisect(outcome, variations, replace(plan, wheels=alone), builder, plain)
            case State.EQUAL:
                yield replace(outcome, detail=_joined(variations))
            case _:
                yield outcome


def _bisect(
    seen: VariationResult,
    variations: Sequence[Variation],
    plan: WheelsPlan,
    builder: VariedBuilder,
    plain: Wheels,
) -> Iterator[VariationResult]:
    """Name the fewest surroundings that make one wheel differ, and so on until the rest does not.

    Args:
        seen: What all of them together gave.
        variations: All of them.
        plan: For that wheel alone.
        builder: With what to build.
        plain: What to compare with.
    """

    def ask(changes: tuple[Variation, ...]) -> VariationResult:
        (outcome,) = _try(changes, _joined(changes), plan, builder, plain)
        return outcome

    left = tuple(variations)
    while seen.state is State.DIFFERENT:
        found = find_culprits(left, lambda changes: ask(changes).state is State.DIFFERENT)
        named = ask(found)
        if named.state is not State.DIFFERENT:
            yield replace(seen, variation=TOGETHER, detail=f"once and not again: {seen.detail}")
            return
        yield named
        left = tuple(one for one in left if one not in found)
        if not left:
            return
        seen = ask(left)
    yield replace(seen, variation=TOGETHER, detail=seen.detail or _joined(left))


def _joined(variations: Sequence[Variation]) -> str:
    return " + ".join(variation.name for variation in variations)
