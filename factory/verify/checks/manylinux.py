"""What a manylinux tag promises: a glibc version, with the libraries and symbol versions that it has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from factory.core.platform_tags import glibc_of_tag
from factory.core.targets import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class ManylinuxPolicy:
    """What every system of a manylinux tag has.

    Attributes:
        libraries: The names of its libraries.
        versions: The symbol versions of its libraries by their prefix, such as ``GLIBC`` or ``GLIBCXX``.
    """

    libraries: frozenset[str] = frozenset()
    versions: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def glibc_versions(self) -> frozenset[str]:
        """The symbol versions of glibc."""
        return self.versions.get("GLIBC", frozenset())


def manylinux_policy(promised: tuple[int, int], architecture: Architecture) -> ManylinuxPolicy:
    """Return the policy of a manylinux tag, from auditwheel's file.

    For a glibc between two policies this is the older policy, since it promises less.
    """
    policies = _policies(architecture)
    older = [glibc for glibc in policies if glibc <= promised]
    return policies[max(older)] if older else ManylinuxPolicy()


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
            versions={
                prefix: frozenset(f"{prefix}_{version}" for version in versions)
                for prefix, versions in policy.symbol_versions.items()
            },
        )
        for policy in policies
        if (glibc := glibc_of_tag(policy.name)) is not None
    }
