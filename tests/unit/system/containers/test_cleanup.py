from dataclasses import replace
from pathlib import Path

import pytest

from factory.system.containers.cleanup import cleaning_up
from factory.system.containers.engine import OWNER_LABEL, EngineLost
from tests.fake_engine import FakeEngine, Scripted
from tests.unit.system.containers.test_run_container import SPEC


class Interrupted(BaseException):
    pass


def create(engine: FakeEngine, owner: str) -> str:
    return engine.create(replace(SPEC, name=f"of-{owner}", labels={OWNER_LABEL: owner}))


def names(engine: FakeEngine) -> list[str]:
    return sorted(container.spec.name for container in engine.containers.values())


def test_every_run_has_a_token_of_its_own_and_leaves_no_lock(tmp_path: Path) -> None:
    engine = FakeEngine()
    with cleaning_up(engine, tmp_path / "locks") as one, cleaning_up(engine, tmp_path / "locks") as other:
        assert one != other
        assert len(list((tmp_path / "locks").iterdir())) == 2
    assert list((tmp_path / "locks").iterdir()) == []


@pytest.mark.parametrize("error", [Interrupted(), ValueError("a bug")])
def test_whatever_ends_a_run_takes_its_containers(tmp_path: Path, error: BaseException) -> None:
    engine = FakeEngine(Scripted(), Scripted())
    create(engine, "another")

    def interrupted() -> None:
        with cleaning_up(engine, tmp_path) as owner:
            create(engine, owner)
            raise error

    with pytest.raises(type(error)):
        interrupted()
    assert names(engine) == ["of-another"]
    assert list(tmp_path.iterdir()) == []


def test_a_living_run_keeps_its_containers(tmp_path: Path) -> None:
    engine = FakeEngine(Scripted())
    with cleaning_up(engine, tmp_path) as living:
        create(engine, living)
        with cleaning_up(engine, tmp_path):
            assert names(engine) == [f"of-{living}"]


def test_what_a_killed_run_left_goes_with_the_next_one(tmp_path: Path) -> None:
    engine = FakeEngine(Scripted())
    create(engine, "00112233")
    (tmp_path / "00112233.lock").touch()  # as the kernel leaves it: there, and held by nobody
    with cleaning_up(engine, tmp_path):
        assert names(engine) == []
    assert list(tmp_path.iterdir()) == []


def test_containers_of_another_cache_are_left_alone(tmp_path: Path) -> None:
    engine = FakeEngine(Scripted())
    create(engine, "44556677")
    with cleaning_up(engine, tmp_path):
        pass
    assert names(engine) == ["of-44556677"]


def test_an_engine_that_died_is_swept_once_it_lives_again(tmp_path: Path) -> None:
    engine = FakeEngine(Scripted())

    def lose() -> None:
        with cleaning_up(engine, tmp_path) as owner:
            create(engine, owner)
            engine.is_lost = True
            raise EngineLost("waiting for a container", "broken pipe")

    with pytest.raises(EngineLost, match="waiting for a container"):
        lose()
    assert len(names(engine)) == len(list(tmp_path.iterdir())) == 1

    engine.is_lost = False
    with cleaning_up(engine, tmp_path):
        assert names(engine) == []
    assert list(tmp_path.iterdir()) == []
