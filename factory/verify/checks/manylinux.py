"""What a manylinux tag promises: a glibc version, with the libraries and symbol versions that it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from factory.core.platform_tags import glibc_of_tag
from factory.core.targets import Architecture


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
        if (glibc := glibc_of_tag(policy.name)) is not None
    }
