from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.errors import HostError
from factory.system.containers.cleanup import cleaning_up
from factory.system.containers.engine import OWNER_LABEL, engine_lost
from tests.fake_engine import FakeEngine, Scripted
from tests.unit.system.containers.test_run_container import SPEC


class Interrupted(BaseException):
    pass


def create(engine: FakeEngine, owner: str) -> str:
    return engine.create(replace(SPEC, name=f"of-{owner}", labels={OWNER_LABEL: owner}))


def names(engine: FakeEngine) -> list[str]:
    return sorted(container.spec.name for container in engine.containers.values())


def test_each_run_has_its_own_token_and_removes_its_lock(tmp_path: Path) -> None:
    engine = FakeEngine()
    with cleaning_up(engine, tmp_path / "locks") as one, cleaning_up(engine, tmp_path / "locks") as other:
        assert one != other
        assert len(list((tmp_path / "locks").iterdir())) == 2
    assert list((tmp_path / "locks").iterdir()) == []


@pytest.mark.parametrize("error", [Interrupted(), ValueError("a bug")])
def test_any_error_removes_the_containers_of_the_run(tmp_path: Path, error: BaseException) -> None:
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


def test_the_containers_of_another_running_run_are_kept(tmp_path: Path) -> None:
    engine = FakeEngine(Scripted())
    with cleaning_up(engine, tmp_path) as living:
        create(engine, living)
        with cleaning_up(engine, tmp_path):
            assert names(engine) == [f"of-{living}"]


def test_the_next_run_removes_the_containers_of_a_killed_run(tmp_path: Path) -> None:
    engine = FakeEngine(Scripted())
    create(engine, "00112233")
    (tmp_path / "00112233.lock").touch()  # as a killed process leaves it: present, but not locked
    with cleaning_up(engine, tmp_path):
        assert names(engine) == []
    assert list(tmp_path.iterdir()) == []


def test_containers_of_another_cache_are_kept(tmp_path: Path) -> None:
    engine = FakeEngine(Scripted())
    create(engine, "44556677")
    with cleaning_up(engine, tmp_path):
        pass
    assert names(engine) == ["of-44556677"]


def test_containers_left_on_a_lost_engine_are_removed_by_the_next_run(tmp_path: Path) -> None:
    engine = FakeEngine(Scripted())

    def lose() -> None:
        with cleaning_up(engine, tmp_path) as owner:
            create(engine, owner)
            engine.is_lost = True
            raise engine_lost("waiting for a container", "broken pipe")

    with pytest.raises(HostError, match="waiting for a container"):
        lose()
    assert len(names(engine)) == len(list(tmp_path.iterdir())) == 1

    engine.is_lost = False
    with cleaning_up(engine, tmp_path):
        assert names(engine) == []
    assert list(tmp_path.iterdir()) == []
