import tempfile
from pathlib import Path

import pytest

from factory.verify.reading.read import read_wheel
from tests.authority import TRUST
from tests.fuzz.structure import changed, judge
from tests.installers import PLATFORM, Installers, ask
from tests.wheels import good_wheel
from tests.zoo.judge import errors_of


def test_a_changed_wheel_depends_on_the_seed_alone() -> None:
    assert changed(5) == changed(5)
    assert changed(5) != changed(6)


@pytest.mark.slow
def test_verify_ends_on_every_changed_wheel(tmp_path: Path) -> None:
    for seed in range(200):
        name, content = changed(seed)
        path = tmp_path / name
        path.write_bytes(content)
        with tempfile.TemporaryDirectory(dir=tmp_path) as scratch:
            errors_of(read_wheel(path, scratch=Path(scratch), trust=TRUST))


@pytest.mark.slow
@pytest.mark.network
def test_installers_install_what_verify_accepts(tmp_path: Path) -> None:
    with Installers.started(tmp_path) as installers:
        good = ask("nothing wrong", good_wheel(PLATFORM), installers)
        assert set(good.answers.values()) == {"same"}
        assert good.errors == ()
        wrong = {seed: outcome for seed in range(60) if (outcome := judge(seed, installers)).wrong}
    assert wrong == {}
