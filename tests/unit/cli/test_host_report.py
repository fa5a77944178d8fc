import pytest

from factory.cli.host_report import Ability, Examination, examine_containers
from factory.system.containers.engine import ContainerSetup
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
