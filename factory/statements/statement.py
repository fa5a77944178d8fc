"""in-toto statements as values: who said what of which files, without the signature around it.

The format is https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from factory.core.digests import MalformedDigest, Sha256
from factory.core.json_reader import JsonObject, MalformedJson

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
OUR_TYPES = "urn:uuid:08cabbf3-06a3-4202-b588-2e2f5d32685f"
"""The beginning of this project's type URIs: it owns no domain. docs/statements.md describes each type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who says something, as the statement itself has it; only a signature proves it.

    Attributes:
        uri: Who ran the build or the audit.
        factory_version: With which factory.
    """

    uri: str
    factory_version: str

    def to_json(self) -> dict[str, object]:
        """Return what SLSA calls a builder or a verifier."""
        return {"id": self.uri, "version": {"codex-wheel-factory": self.factory_version}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A file that a statement is about."""

    name: str
    sha256: Sha256

    @classmethod
    def from_json(cls, data: JsonObject) -> Self:
        """Read one entry of ``subject``; one without a SHA-256 could not be told apart."""
        return cls(name=data.text("name"), sha256=read_sha256(data.child("digest"), "sha256"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is said of some files.

    Attributes:
        subjects: The files.
        predicate_type: The URI of the predicate's format.
        predicate: What is said, as JSON has it.
    """

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, object]

    @classmethod
    def parse(cls, payload: bytes, *, where: str) -> Self:
        """Parse a statement.

        Raises:
            MalformedJson: It is none, or is about nothing.
        """
        data = JsonObject.parse(payload, where=where)
        _require_plain(data)
        if data.text("_type") != STATEMENT_TYPE:
            raise MalformedJson(where, f"'_type' should be {STATEMENT_TYPE}")
        subjects = tuple(Subject.from_json(item) for item in data.objects("subject"))
        if not subjects:
            raise MalformedJson(where, "it is about no file")
        return cls(
            subjects=subjects,
            predicate_type=data.text("predicateType"),
            predicate={} if data.members.get("predicate") is None else data.child("predicate").members,
        )

    def render(self) -> bytes:
        """Return the bytes that are signed: equal statements give equal bytes."""
        document = {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": subject.name, "digest": {"sha256": str(subject.sha256)}} for subject in self.subjects
            ],
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _require_plain(data: JsonObject) -> None:
    """Refuse what Python reads and no other program has to: half a surrogate pair, numbers that are none."""
    try:
        json.dumps(data.members, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise MalformedJson(data.where, f"it is not JSON for everybody ({error})") from error


def read_sha256(data: JsonObject, key: str) -> Sha256:
    """Return a member that is a SHA-256 in hexadecimal.

    Raises:
        MalformedJson: It is none.
    """
    text = data.text(key)
    try:
        return Sha256(text)
    except MalformedDigest as error:
        raise MalformedJson(data.where, f"{key!r} should be a SHA-256") from error
