import shutil
import sys
from pathlib import Path

import factory
from factory.verify.baseline.rules import rules_digest
from tests.children import Child

SCRIPT = "from factory.verify.baseline.rules import rules_digest; print(rules_digest())"


def digest_in(tree: Path) -> str:
    argv = (sys.executable, "-P", "-c", SCRIPT)
    return Child(argv=argv, env={"PYTHONPATH": str(tree)}, cwd=tree).run().out.strip()


def test_a_check_that_changes_without_a_new_name_changes_the_digest(tmp_path: Path) -> None:
    package = Path(factory.__file__).parent
    shutil.copytree(package, tmp_path / "factory", ignore=shutil.ignore_patterns("__pycache__"))
    assert digest_in(tmp_path) == str(rules_digest())

    check = tmp_path / "factory/verify/checks/member_modes.py"
    check.write_text(check.read_text().replace("0o", "0O", 1))
    assert digest_in(tmp_path) != str(rules_digest())


def test_each_choice_of_rooms_has_its_own_digest() -> None:
    assert rules_digest(("core",)) != rules_digest(("core", "audit"))
