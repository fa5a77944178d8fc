"""The placements of an inferred recipe: exact paths and modes."""

from dataclasses import replace
from pathlib import PurePosixPath

from factory.build.payload_rules import Placement
from factory.build.recipe import lay_out, our_recipe
from factory.build.template import bundled_template
from factory.core.digests import Sha256
from factory.core.model import FileKind, Payload, PayloadFile
from factory.core.targets import Platform, Target

RECIPE = our_recipe(Platform.parse("manylinux_2_17_x86_64"), template=bundled_template())
CODEX, RG = (
    PayloadFile(
        path=PurePosixPath(path), mode=0o644, size_bytes=1, sha256=Sha256(digit * 64), kind=FileKind.ELF
    )
    for path, digit in (("codex/codex", "1"), ("path/rg", "2"))
)
PAYLOAD = Payload(target=Target.LINUX_X86_64, files=(CODEX, RG))
PLACED = replace(
    RECIPE,
    placements=(Placement(source=CODEX.path, becomes=PurePosixPath("bin/other"), mode=0o700),),
)


def test_placements_set_path_and_mode_and_leave_out_other_files() -> None:
    layout = lay_out(PLACED, PAYLOAD)

    assert [(str(member.path), member.file, member.mode) for member in layout.members] == [
        ("bin/other", CODEX, 0o700)
    ]
    assert [(left.file, left.reason) for left in layout.left_out] == [
        (RG, "the published wheel does not have it")
    ]


def test_placements_change_a_recipe_s_identity_only_where_there_are_any() -> None:
    assert PLACED.identity != RECIPE.identity
    assert replace(PLACED, placements=None).identity == RECIPE.identity
    assert replace(PLACED, placements=()).identity != RECIPE.identity
