"""What a manylinux tag promises: a glibc version, with the libraries and symbol versions that it has."""

import re
from dataclasses import dataclass

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
    # Importing auditwheel takes longer than a whole run that has no work to do.
    from auditwheel.architecture import Architecture as Processor  # type: ignore[import-untyped]  # noqa: PLC0415
    from auditwheel.libc import Libc  # type: ignore[import-untyped]  # noqa: PLC0415
    from auditwheel.policy import WheelPolicies  # type: ignore[import-untyped]  # noqa: PLC0415

    policies = WheelPolicies(libc=Libc.GLIBC, arch=Processor(architecture.value))
    by_glibc = {promised_glibc(policy.name): policy for policy in policies}
    older = [glibc for glibc in by_glibc if glibc is not None and glibc <= promised]
    if not older:
        return ManylinuxPolicy(libraries=frozenset(), glibc_versions=frozenset())
    found = by_glibc[max(older)]
    return ManylinuxPolicy(
        libraries=frozenset(found.whitelist),
        glibc_versions=frozenset(f"GLIBC_{version}" for version in found.symbol_versions["GLIBC"]),
    )


def promised_glibc(platform_tag: str) -> tuple[int, int] | None:
    """Return the oldest glibc that a manylinux tag promises to run with; None for any other tag."""
    match = _MANYLINUX.fullmatch(platform_tag)
    if match:
        return int(match[1]), int(match[2])
    return _LEGACY_GLIBC.get(platform_tag.partition("_")[0])
