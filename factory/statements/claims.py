"""Read the claims of a statement: sentences for a person, and one answer for a program.

Predicates are untrusted input, so every value is checked before it is used.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from factory.audit.answer import Answer
from factory.audit.verdict import Outcome
from factory.core.counted import counted
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import Severity
from factory.statements import audit_statement, build_statement
from factory.statements.statement import Statement


class StatementAnswer(StrEnum):
    """Whether a statement vouches for its wheel."""

    YES = "yes"
    WITH_ERRORS = "faithful, with errors"
    NO = "no"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The claims of a statement."""

    answer: StatementAnswer
    sentences: tuple[str, ...]


_OUTDATED = Claims(
    answer=StatementAnswer.UNDECIDED,
    sentences=("made under older, weaker rules; audit the wheel again, and ask for a new statement",),
)


def claims_of(statement: Statement) -> Claims:
    """Return the claims of a statement.

    Raises:
        MalformedJson: The predicate does not have the form of its type.
    """
    predicate = JsonObject.of(dict(statement.predicate), "the statement's predicate")
    match statement.predicate_type:
        case build_statement.PREDICATE_TYPE:
            return _build(predicate)
        case audit_statement.PREDICATE_TYPE:
            return _audit(predicate)
        case audit_statement.OLD_PREDICATE_TYPE:
            return _OUTDATED
        case audit_statement.SUMMARY_TYPE:
            return _summary(predicate)
        case other:
            return Claims(answer=StatementAnswer.UNDECIDED, sentences=(f"unknown predicate type {other}",))


def _build(predicate: JsonObject) -> Claims:
    definition = predicate.child("buildDefinition")
    built_by = f"built by {predicate.child('runDetails').child('builder').text('id')}"
    build_type = definition.text("buildType")
    if build_type != build_statement.BUILD_TYPE:
        return Claims(
            answer=StatementAnswer.UNDECIDED,
            sentences=(built_by, f"unknown build type {build_type}"),
        )
    chosen = definition.child("externalParameters")
    return Claims(
        answer=StatementAnswer.YES,
        sentences=(
            built_by,
            f"from {chosen.text('tag')} for {chosen.text('platform')}",
            f"with recipe {chosen.child('recipe').text('sha256')}",
            *(_used(item) for item in definition.objects("resolvedDependencies")),
        ),
    )


def _used(dependency: JsonObject) -> str:
    name = dependency.text_or_none("uri") or dependency.text("name")
    if "digest" not in dependency.members:
        return f"with {name}"
    digests = dependency.child("digest").text_members()
    return f"with {name}, " + ", ".join(f"{algorithm}:{value}" for algorithm, value in digests.items())


def _audit(predicate: JsonObject) -> Claims:
    verdict = predicate.child("verdict")
    outcome = _outcome(verdict)
    return Claims(
        answer=_answer(verdict, outcome),
        sentences=(
            f"audited by {predicate.child('auditor').text('id')}",
            *_mapping(predicate.child_or_none("mapping")),
            f"{outcome}: {outcome.meaning}",
            _origin(verdict.child("origin")),
            *_details(verdict),
        ),
    )


def _mapping(mapping: JsonObject | None) -> Iterator[str]:
    if mapping is not None:
        is_bundled = mapping.members.get("is_bundled") is True
        kind = "a reviewed mapping" if is_bundled else "the auditor's own mapping"
        yield f"compared by {kind}, {mapping.text('name')}, sha256:{mapping.text('sha256')}"


def _outcome(verdict: JsonObject) -> Outcome:
    text = verdict.text("outcome")
    try:
        return Outcome(text)
    except ValueError as error:
        raise MalformedJson(verdict.where, f"{text!r} is not an outcome of an audit") from error


def _origin(origin: JsonObject) -> str:
    if origin.text("kind") != "listed":
        return "it was a local file; no index vouches for its SHA-256"
    listed = f"its SHA-256 was listed by {origin.text('index')} at {origin.text('asked_at')}"
    yanked = origin.text_or_none("yanked")
    return listed if yanked is None else f"{listed} as yanked: {yanked or 'no reason given'}"


def _answer(verdict: JsonObject, outcome: Outcome) -> StatementAnswer:
    """Return the answer that corresponds to the exit status of ``factory audit``.

    The outcome and the findings can make the stated answer stricter, never milder.
    """
    stated = _stated(verdict)
    if outcome is Outcome.DIFFERENT or stated is Answer.NO:
        return StatementAnswer.NO
    if outcome is Outcome.NOT_REBUILT or stated in {Answer.UNDECIDED, Answer.NONE}:
        return StatementAnswer.UNDECIDED
    has_error = any(finding.text("severity") == Severity.ERROR for finding in verdict.objects("findings"))
    return StatementAnswer.WITH_ERRORS if has_error or stated is Answer.WITH_ERRORS else StatementAnswer.YES


def _stated(verdict: JsonObject) -> Answer:
    text = verdict.text("answer")
    try:
        return Answer(text)
    except ValueError as error:
        raise MalformedJson(verdict.where, f"{text!r} is not an answer of an audit") from error


def _details(verdict: JsonObject) -> Iterator[str]:
    if verdict.text("reason"):
        yield verdict.text("reason")
    for cause in verdict.objects("causes"):
        yield f"{cause.text('severity')}: {cause.text('id')}: {cause.text('place')}: {cause.text('sentence')}"
    links = verdict.objects("chain")
    from_release = sum(link.text_or_none("asset") is not None for link in links)
    yield f"{from_release} of {counted(len(links), 'executable is', 'executables are')} from the release"
    texts = ", ".join(text.text("place") for text in verdict.objects("trust_base"))
    if texts:
        yield f"taken from the wheel itself: {texts}"
    yield from _findings(verdict)


def _findings(verdict: JsonObject) -> Iterator[str]:
    """Yield each error that ``factory verify`` found, and the number of findings."""
    if verdict.members.get("is_inspected") is not True:
        yield "factory verify did not inspect it"
        return
    findings = verdict.objects("findings")
    for finding in findings:
        if finding.text("severity") == Severity.ERROR:
            yield f"error: {finding.text('check')}: {finding.text('place')}: {finding.text('evidence')}"
    counts = Counter(finding.text("severity") for finding in findings)
    counted = ", ".join(f"{count} {severity}" for severity, count in sorted(counts.items()))
    yield f"findings of factory verify: {counted or '0'}"


def _summary(predicate: JsonObject) -> Claims:
    result = predicate.text("verificationResult")
    if result not in {audit_statement.PASSED, audit_statement.FAILED}:
        raise MalformedJson(predicate.where, f"{result!r} is not a verification result")
    policy = predicate.child("policy").text("uri")
    return Claims(
        answer=_summary_answer(result, policy),
        sentences=(
            f"verified by {predicate.child('verifier').text('id')}",
            f"{result} under the policy {policy}",
            *(() if policy == audit_statement.POLICY else ("this policy is unknown, or older and weaker",)),
            f"verified levels: {', '.join(predicate.texts('verifiedLevels')) or '(empty)'}",
        ),
    )


def _summary_answer(result: str, policy: str) -> StatementAnswer:
    """Return the answer of a summary; only the current policy says what a yes means."""
    if result == audit_statement.FAILED:
        return StatementAnswer.NO
    return StatementAnswer.YES if policy == audit_statement.POLICY else StatementAnswer.UNDECIDED
