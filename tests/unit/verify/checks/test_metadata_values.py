"""Values in METADATA that are well-formed, and still wrong; and the ones beside them that are right."""

from pathlib import Path

import pytest

from factory.verify.checks.metadata_values import CHECKS
from factory.verify.reading.read import read_wheel
from tests.wheels import INFO, good_wheel

METADATA = f"{INFO}/METADATA"


def found(tmp_path: Path, old: str, new: str) -> list[tuple[str, str]]:
    wheel = good_wheel().edited_text(METADATA, old, new)
    contents = read_wheel(wheel.write(tmp_path), scratch=tmp_path)
    return [(finding.check, finding.evidence) for check in CHECKS for finding in check.findings(contents)]


@pytest.mark.parametrize("requires", [">=4.0", ">=3.20", "<2.7", ">=3.10,<3.9", "==3.11.99", "~=4.1"])
def test_no_python_satisfies_it(tmp_path: Path, requires: str) -> None:
    evidence = f"Requires-Python is {requires}, which no Python from 2.7 to 3.19 satisfies"
    assert found(tmp_path, ">=3.10", requires) == [("metadata-python", evidence)]


@pytest.mark.parametrize(
    "requires",
    [
        "==2.7.*",
        "==3.0.0",
        ">=3.19",
        "==3.11.9",
        ">3.10",
        ">=2.7, !=3.0.*, !=3.1.*",
        "<4",
        "!=3.9.*",
        "three",
    ],
)
def test_some_python_satisfies_it(tmp_path: Path, requires: str) -> None:
    assert found(tmp_path, ">=3.10", requires) == []


def test_too_many_clauses_are_not_judged(tmp_path: Path) -> None:
    requires = ",".join(f"!=3.1.{patch}" for patch in range(65))
    assert found(tmp_path, ">=3.10", requires) == [
        ("metadata-python", "not judged: Requires-Python has 65 clauses")
    ]
    assert found(tmp_path, ">=3.10", requires.removesuffix(",!=3.1.64")) == []


def with_classifier(tmp_path: Path, classifier: str) -> list[tuple[str, str]]:
    return found(tmp_path, "Requires-Python", f"Classifier: {classifier}\nRequires-Python")


def test_an_unknown_classifier(tmp_path: Path) -> None:
    assert with_classifier(tmp_path, "Topic :: Executables") == [
        ("metadata-classifier", "Classifier: Topic :: Executables is not in the list")
    ]


@pytest.mark.parametrize(
    "classifier",
    ["Operating System :: OS Independent", "Framework :: Django CMS :: 4.2", "Private :: Do Not Upload"],
    ids=["current", "deprecated", "private"],
)
def test_a_known_classifier(tmp_path: Path, classifier: str) -> None:
    assert with_classifier(tmp_path, classifier) == []


LICENCE = "License :: OSI Approved :: Apache Software License"


def test_a_licence_classifier_beside_the_expression(tmp_path: Path) -> None:
    assert with_classifier(tmp_path, LICENCE) == [
        ("metadata-licence-twice", f"besides License-Expression there is {LICENCE}")
    ]


def test_a_licence_field_beside_the_expression(tmp_path: Path) -> None:
    assert found(tmp_path, "License-File", "License: Apache-2.0\nLicense-File") == [
        ("metadata-licence-twice", "besides License-Expression there is License")
    ]


def test_a_licence_classifier_alone(tmp_path: Path) -> None:
    assert found(tmp_path, "License-Expression: Apache-2.0", f"Classifier: {LICENCE}") == []
