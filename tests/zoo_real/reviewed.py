"""The reviewed list, ``wheels.toml``: each wheel by its SHA-256, with the findings that were confirmed."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import parse_wheel_filename

from factory.core.digests import Sha256

LIST = Path(__file__).parent / "wheels.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedError:
    """An error that is true, and how that was confirmed without this project."""

    check: str
    place: str
    confirmed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedWheel:
    """A published wheel.

    Attributes:
        is_in_gate: Whether the gate verifies it; these wheels are small.
        errors: Each error, with how it was confirmed.
        others: The number of warnings and notes by check.
    """

    file: str
    sha256: Sha256
    is_in_gate: bool
    errors: tuple[ConfirmedError, ...]
    others: Mapping[str, int]

    @property
    def requirement(self) -> str:
        """The line of a requirements file that only this file satisfies."""
        name, version, _, _ = parse_wheel_filename(self.file)
        return f"{name}=={version} --hash=sha256:{self.sha256}"

    @property
    def pip_options(self) -> tuple[str, ...]:
        """The options that let pip take the file on any host."""
        _, _, _, tags = parse_wheel_filename(self.file)
        platforms = sorted({tag.platform for tag in tags})
        abis = sorted({tag.abi for tag in tags})
        version = max((tag.interpreter[2:] for tag in tags), key=lambda text: (len(text), text))
        options = [option for platform in platforms for option in ("--platform", platform)]
        options += [option for abi in abis for option in ("--abi", abi)]
        return (*options, "--python-version", version if len(version) > 1 else "3.13")

    def differences(self, findings: Iterable[Mapping[str, str]]) -> list[str]:
        """Return how findings, as ``factory verify --json`` lists them, differ from the reviewed ones."""
        listed = list(findings)
        errors = Counter((one["check"], one["place"]) for one in listed if one["severity"] == "error")
        others = Counter(one["check"] for one in listed if one["severity"] != "error")
        reviewed = Counter((one.check, one.place) for one in self.errors)
        lines = [f"new error {check} at {place}" for check, place in errors - reviewed]
        lines += [f"no error {check} at {place}" for check, place in reviewed - errors]
        for check in sorted(others.keys() | self.others.keys()):
            if others[check] != self.others.get(check, 0):
                lines.append(f"{check}: {others[check]}, reviewed {self.others.get(check, 0)}")
        return lines


def reviewed_wheels() -> tuple[ReviewedWheel, ...]:
    """Read the list."""
    document = tomllib.loads(LIST.read_text(encoding="utf-8"))
    return tuple(
        ReviewedWheel(
            file=wheel["file"],
            sha256=Sha256(wheel["sha256"]),
            is_in_gate=wheel.get("in_gate", False),
            errors=tuple(ConfirmedError(**error) for error in wheel.get("error", ())),
            others=wheel.get("others", {}),
        )
        for wheel in document["wheel"]
    )


def confirmed_checks() -> Mapping[str, str]:
    """Return how the warnings and notes of each check were confirmed."""
    confirmed: Mapping[str, str] = tomllib.loads(LIST.read_text(encoding="utf-8"))["confirmed"]
    return confirmed
