"""in-toto statements as values, without their signatures.

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
"""The prefix of our type URIs, since we own no domain. docs/statements.md describes each type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who made a statement, by its own claim; only a signature proves it.

    Attributes:
        uri: The person or workflow that ran the build or the audit.
        factory_version: The factory that it ran.
    """

    uri: str
    factory_version: str

    def to_json(self) -> dict[str, object]:
        """Return the author in the form of SLSA's ``builder`` and ``verifier``."""
        return {"id": self.uri, "version": {"codex-wheel-factory": self.factory_version}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A file that a statement is about."""

    name: str
    sha256: Sha256

    @classmethod
    def from_json(cls, data: JsonObject) -> Self:
        """Read one entry of ``subject``, which must have a SHA-256."""
        return cls(name=data.text("name"), sha256=read_sha256(data.child("digest"), "sha256"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement about some files.

    Attributes:
        predicate_type: The URI of the predicate's format.
        predicate: The content of the statement, as parsed JSON.
    """

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, object]

    @classmethod
    def parse(cls, payload: bytes, *, where: str) -> Self:
        """Parse a statement.

        Raises:
            MalformedJson: It is not a statement, or has no subject.
        """
        data = JsonObject.parse(payload, where=where)
        if data.text("_type") != STATEMENT_TYPE:
            raise MalformedJson(where, f"'_type' should be {STATEMENT_TYPE}")
        subjects = tuple(Subject.from_json(item) for item in data.objects("subject"))
        if not subjects:
            raise MalformedJson(where, "it has no subject")
        return cls(
            subjects=subjects,
            predicate_type=data.text("predicateType"),
            predicate={} if data.members.get("predicate") is None else data.child("predicate").members,
        )

    def render(self) -> bytes:
        """Return the bytes to sign; equal statements give equal bytes."""
        document = {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": subject.name, "digest": {"sha256": str(subject.sha256)}} for subject in self.subjects
            ],
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def read_sha256(data: JsonObject, key: str) -> Sha256:
    """Return a member that must be a SHA-256 in hexadecimal.

    Raises:
        MalformedJson: It is not a SHA-256.
    """
    text = data.text(key)
    try:
        return Sha256(text)
    except MalformedDigest as error:
        raise MalformedJson(data.where, f"{key!r} should be a SHA-256") from error
