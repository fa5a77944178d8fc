"""The versions of hatchling with a locked toolchain, and the assembler that builds wheels with one."""

import re
from pathlib import Path

from factory.build.assembler.assembler import AssemblingBuilder
from factory.build.deflate_cache import DeflateCache
from factory.build.deflate_check import REFERENCE_ANSWER, deflate_identity, require_reference_deflate
from factory.build.toolchain import lock_for, locked_versions
from factory.system.cache_entries import Namespace
from factory.wheels.context import RunContext

HATCHLING = re.compile(r"hatchling (\d+(?:\.\d+)*)")
"""A generator as WHEEL names it."""


def locked_version(generator: str) -> str | None:
    """Return the version of hatchling that a generator names, if a locked toolchain has it."""
    match = HATCHLING.fullmatch(generator)
    return match[1] if match is not None and match[1] in locked_versions() else None


def builder_for(version: str, tools: RunContext, cold: Path | None = None) -> AssemblingBuilder:
    """Return the assembler with the toolchain of a version of hatchling.

    ``cold`` is a directory for the compressed files in place of the cache.
    """
    encoder = tools.encoders.current()
    if encoder.is_zlib:
        require_reference_deflate(deflate_identity())
    toolchain = tools.toolchain_for(lock_for(version))
    if encoder.is_zlib:
        require_reference_deflate(toolchain.interpreter.deflate)
    return AssemblingBuilder(
        toolchain=toolchain,
        runner=tools.runner,
        progress=tools.progress,
        host_env=tools.host_env,
        jobs=tools.jobs,
        cache=DeflateCache(
            root=cold or tools.cache.root / Namespace.DEFLATE,
            answer=REFERENCE_ANSWER,
            encoder=encoder,
            lease=None if cold else tools.cache.lease,
        ),
        stop=tools.stop,
        encoders=tools.encoders,
    )
