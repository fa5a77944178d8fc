"""A baseline for the small wheels of `tests.wheels`, which have texts of their own."""

from factory.core.digests import Sha256
from factory.core.tags import CodexTag
from factory.core.targets import OperatingSystem
from factory.verify.baseline.baseline import (
    Baseline,
    KnownGenerator,
    KnownMetadata,
    KnownText,
    ReviewedPlatform,
    Shape,
)
from tests.wheels import INIT, LICENCE, METADATA, VERSION

FIRST = CodexTag.parse("0.160.0")
LAST = CodexTag.parse(VERSION)


def sha256(text: str) -> Sha256:
    return Sha256.of([text.encode()])


SHAPE = Shape(
    platforms=(ReviewedPlatform(platform="manylinux_2_17_x86_64", first=FIRST, last=LAST),),
    generators=(KnownGenerator(name="hatchling 1.33.0", first=FIRST, last=LAST),),
    metadata=(
        KnownMetadata(
            sha256=sha256(METADATA.replace(f"Version: {VERSION}", "Version: {version}")),
            requires=(),
            first=FIRST,
            last=LAST,
        ),
    ),
    texts=tuple(
        KnownText(path=path, family=family, sha256=sha256(text), first=FIRST, last=LAST)
        for path, text in (
            ("codex_cli_bin/__init__.py", INIT),
            ("codex_cli_bin/py.typed", ""),
            ("{dist-info}/licenses/LICENSE", LICENCE),
        )
        for family in OperatingSystem
    ),
)
BASELINE = Baseline(published=SHAPE)
