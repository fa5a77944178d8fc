import zlib

import pytest

from factory.build.encoder import Encoder
from factory.build.exact_deflate import NotAvailable
from factory.cli.host_report import Ability, Examination, examine_containers, examine_deflate
from factory.system.containers.engine import ContainerSetup
from tests.encoders import EQUAL
from tests.fake_engine import IMAGE, NAME, FakeEngine, answering


def examine(engine: FakeEngine) -> tuple[Examination, ...]:
    return examine_containers(ContainerSetup(open_engine=lambda: answering(engine), image=NAME))


def test_an_engine_and_its_image_are_reported() -> None:
    assert examine(FakeEngine()) == (
        Examination(subject="container engine", ability=Ability.OK, detail="Docker 20.10.24, amd64"),
        Examination(subject="builder image", ability=Ability.OK, detail=f"{NAME}, {IMAGE.id}"),
    )


@pytest.mark.parametrize(
    ("engine", "detail"),
    [
        (FakeEngine(images={}), "the container engine has no image codex-wheel-factory:local"),
        (
            FakeEngine(architecture="arm64"),
            "image codex-wheel-factory:local is for amd64, but the engine runs arm64",
        ),
    ],
)
def test_an_engine_without_a_suitable_image_gets_a_remedy(engine: FakeEngine, detail: str) -> None:
    found, image = examine(engine)
    assert found.ability is Ability.OK
    assert (image.ability, image.detail) == (Ability.ABSENT, detail)
    assert "make image" in image.remedy


def test_the_encoder_and_zlib_are_examined() -> None:
    assert examine_deflate(lambda: EQUAL) == (
        Examination(
            subject="encoder",
            ability=Ability.OK,
            detail="exact_deflate 5e5e5e5e5e5e5e5e, the same bytes as zlib",
        ),
        Examination(
            subject="deflate",
            ability=Ability.OK,
            detail=f"zlib {zlib.ZLIB_RUNTIME_VERSION}, the reference encoder",
        ),
    )


def test_without_the_encoder_zlib_is_required() -> None:
    def open_encoder() -> Encoder:
        raise NotAvailable("no C compiler is on PATH")

    encoder, deflate = examine_deflate(open_encoder)
    assert (encoder.ability, encoder.is_required) == (Ability.ABSENT, False)
    assert encoder.detail == "zlib, because no C compiler is on PATH"
    assert "apt-get install gcc" in encoder.remedy
    assert deflate.is_required
