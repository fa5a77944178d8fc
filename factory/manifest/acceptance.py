"""Evidence that a runtime serves an SDK, as a manifest keeps it: nothing in it makes two runs differ."""

from collections import Counter
from dataclasses import dataclass
from typing import Self

from factory.core.case_result import CaseOutcome, CaseResult
from factory.core.digests import Sha256
from factory.core.json_reader import JsonObject, MalformedJson


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkIdentity:
    """The SDK that a runtime was tried with: its wheel as it was installed."""

    name: str
    version: str
    sha256: Sha256

    @classmethod
    def from_json(cls, data: JsonObject) -> Self:
        """Read ``sdk``."""
        return cls(name=data.text("name"), version=data.text("version"), sha256=Sha256(data.text("sha256")))

    def to_json(self) -> dict[str, object]:
        """Return ``sdk``."""
        return {"name": self.name, "version": self.version, "sha256": str(self.sha256)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What came of trying a wheel with an SDK; the wheel is the one whose record this is part of.

    Attributes:
        sdk: The SDK.
        how: How the executable was started, ``natively`` or ``under qemu-aarch64-static``.
        cases: Every case in the table's order.
    """

    sdk: SdkIdentity
    how: str
    cases: tuple[CaseResult, ...]

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The cases that failed."""
        return tuple(case for case in self.cases if case.outcome is CaseOutcome.FAILED)

    @property
    def is_whole(self) -> bool:
        """Whether every case that applies was run and passed, and some case was."""
        outcomes = {case.outcome for case in self.cases}
        return CaseOutcome.PASSED in outcomes and outcomes <= {
            CaseOutcome.PASSED,
            CaseOutcome.NOT_APPLICABLE,
        }

    @property
    def told(self) -> str:
        """Say it in a line."""
        counts = Counter(case.outcome for case in self.cases)
        numbers = (f"{counts[outcome]} {outcome}" for outcome in CaseOutcome if counts[outcome])
        return f"{self.sdk.name} {self.sdk.version}, {self.how}: {', '.join(numbers)}"

    @classmethod
    def from_json(cls, data: JsonObject) -> Self:
        """Read a wheel's ``acceptance``."""
        return cls(
            sdk=SdkIdentity.from_json(data.child("sdk")),
            how=data.text("how"),
            cases=tuple(case_from_json(item) for item in data.objects("cases")),
        )

    def to_json(self) -> dict[str, object]:
        """Return a wheel's ``acceptance``."""
        return {
            "sdk": self.sdk.to_json(),
            "how": self.how,
            "cases": [case_to_json(case) for case in self.cases],
        }


def case_from_json(data: JsonObject) -> CaseResult:
    """Read the answer of one case.

    Raises:
        MalformedJson: It is none.
    """
    try:
        outcome = CaseOutcome(data.text("outcome"))
    except ValueError as error:
        raise MalformedJson(data.where, str(error)) from error
    return CaseResult(case=data.text("case"), outcome=outcome, detail=data.text("detail"))


def case_to_json(result: CaseResult) -> dict[str, object]:
    """Return one case's answer."""
    return {"case": result.case, "outcome": result.outcome.value, "detail": result.detail}
