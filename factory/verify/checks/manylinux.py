"""What a manylinux tag promises: a glibc version, with the libraries and symbol versions that it has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from factory.core.targets import Architecture

_LEGACY_GLIBC = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManylinuxPolicy:
    """What every system of a manylinux tag has: libraries, and glibc's symbol versions."""

    libraries: frozenset[str]
    glibc_versions: frozenset[str]


def manylinux_policy(promised: tuple[int, int], architecture: Architecture) -> ManylinuxPolicy:
    """Return the policy of a manylinux tag, from auditwheel's file.

    For a glibc between two policies this is the older policy, since it promises less.
    """
    policies = _policies(architecture)
    older = [glibc for glibc in policies if glibc <= promised]
    return (
        policies[max(older)] if older else ManylinuxPolicy(libraries=frozenset(), glibc_versions=frozenset())
    )


@cache  # three checks of each wheel ask, and auditwheel reads its file every time
def _policies(architecture: Architecture) -> Mapping[tuple[int, int], ManylinuxPolicy]:
    """Return the policies of an architecture by their glibc version."""
    # Importing auditwheel takes longer than a whole run that has no work to do.
    from auditwheel.architecture import Architecture as Processor  # type: ignore[import-untyped]  # noqa: PLC0415
    from auditwheel.libc import Libc  # type: ignore[import-untyped]  # noqa: PLC0415
    from auditwheel.policy import WheelPolicies  # type: ignore[import-untyped]  # noqa: PLC0415

    policies = WheelPolicies(libc=Libc.GLIBC, arch=Processor(architecture.value))
    return {
        glibc: ManylinuxPolicy(
            libraries=frozenset(policy.whitelist),
            glibc_versions=frozenset(f"GLIBC_{version}" for version in policy.symbol_versions["GLIBC"]),
        )
        for policy in policies
        if (glibc := promised_glibc(policy.name)) is not None
    }


def promised_glibc(platform_tag: str) -> tuple[int, int] | None:
    """Return the oldest glibc that a manylinux tag promises to run with; None for any other tag."""
    match = _MANYLINUX.fullmatch(platform_tag)
    if match:
        return int(match[1]), int(match[2])
    return _LEGACY_GLIBC.get(platform_tag.partition("_")[0])
