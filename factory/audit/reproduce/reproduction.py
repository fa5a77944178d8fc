"""Build wheels plainly and under each variation, compare them, and bisect differences of combinations."""

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
    """Build the wheels of a plan under each variation, then under all surroundings that were equal.

    A single variation has a clear cause if it differs. Two surroundings may differ only in combination,
    so those that were equal are combined in a last build, and a difference there is bisected. Nothing
    from an earlier run is reused.

    Args:
        plan: The wheels to build; they are compared, not verified.
        builder: Builds them.
        variations: The variations to try.
        is_together: Combine the surroundings at once instead of trying each alone first: if all is equal,
            two builds show it.

    Raises:
        FactoryError: The plain build failed.
    """
    with builder.build(plan, (), name=PLAIN) as plain:
        yield from _plain(plan, plain)
        combinable = []
        for variation in variations:
            if isinstance(variation.change, Surroundings) and is_together:
                reason = builder.missing_for(variation.change)
                results = () if reason is None else _all(plan, variation.name, State.NOT_TRIED, reason)
            else:
                results = _try((variation,), variation.name, plan, builder, plain)
            yield from results
            is_equal = all(result.state is State.EQUAL for result in results)
            if isinstance(variation.change, Surroundings) and is_equal:
                combinable.append(variation)
        if len(combinable) > (0 if is_together else 1):
            yield from _combine(combinable, plan, builder, plain)


def _plain(plan: WheelsPlan, plain: Wheels) -> Iterator[VariationResult]:
    """Yield the plain wheels, and their comparison with the index if the plan has its digests."""
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
            return tuple(_compare(name, tag, plain[tag], varied[tag]) for tag in _platforms(plan))
    except NotTried as error:
        return _all(plan, name, State.NOT_TRIED, str(error))
    except OtherDeflate as error:
        return _all(plan, name, State.REFUSED, str(error))
    except FactoryError as error:
        return _all(plan, name, State.FAILED, str(error))


def _compare(name: str, platform: str, plain: Path, varied: Path) -> VariationResult:
    sha256 = Sha256.of_file(varied)
    is_equal = sha256 == Sha256.of_file(plain)
    return VariationResult(
        variation=name,
        platform=platform,
        state=State.EQUAL if is_equal else State.DIFFERENT,
        sha256=str(sha256),
        detail="" if is_equal else ", ".join(differences(plain, varied)),
    )


def _all(plan: WheelsPlan, name: str, state: State, reason: str) -> tuple[VariationResult, ...]:
    """Return the same result for every wheel of a plan."""
    return tuple(
        VariationResult(variation=name, platform=tag, state=state, detail=reason) for tag in _platforms(plan)
    )


def _platforms(plan: WheelsPlan) -> tuple[str, ...]:
    return tuple(planned.recipe.platform.tag for planned in plan.wheels)


def _combine(
    variations: Sequence[Variation], plan: WheelsPlan, builder: VariedBuilder, plain: Wheels
) -> Iterator[VariationResult]:
    """Build under all surroundings at once, and bisect for every wheel that differs."""
    for result in _try(variations, TOGETHER, plan, builder, plain):
        match result.state:
            case State.DIFFERENT:
                alone = tuple(one for one in plan.wheels if one.recipe.platform.tag == result.platform)
                yield from _bisect(result, variations, replace(plan, wheels=alone), builder, plain)
            case State.EQUAL:
                yield replace(result, detail=_joined(variations))
            case _:
                yield result


def _bisect(
    together: VariationResult,
    variations: Sequence[Variation],
    plan: WheelsPlan,
    builder: VariedBuilder,
    plain: Wheels,
) -> Iterator[VariationResult]:
    """Yield each minimal combination that makes one wheel differ, until the rest does not differ.

    Args:
        together: The result of all variations together.
        variations: These variations.
        plan: The plan for this wheel alone.
        builder: Builds it.
        plain: The wheels to compare with.
    """

    def attempt(changes: tuple[Variation, ...]) -> VariationResult:
        (result,) = _try(changes, _joined(changes), plan, builder, plain)
        return result

    left = tuple(variations)
    while together.state is State.DIFFERENT:
        culprits = find_culprits(left, lambda changes: attempt(changes).state is State.DIFFERENT)
        confirmed = attempt(culprits)
        if confirmed.state is not State.DIFFERENT:
            detail = f"differed once, but not again: {together.detail}"
            yield replace(together, variation=TOGETHER, detail=detail)
            return
        yield confirmed
        left = tuple(one for one in left if one not in culprits)
        if not left:
            return
        together = attempt(left)
    yield replace(together, variation=TOGETHER, detail=together.detail or _joined(left))


def _joined(variations: Sequence[Variation]) -> str:
    return " + ".join(variation.name for variation in variations)
