"""Read sigstore's trust root from a file: the authorities and logs that bundles are verified with.

The sigstore package includes that of the public instance, so no network access is needed; updates of
the package keep it current.
"""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509.oid import NameOID

from factory.core.digests import Sha256
from factory.core.errors import HostError
from factory.core.extras import Extra, needs
from factory.core.json_reader import JsonObject, MalformedJson
from factory.executables.signatures.certificates import TrustedRoot, name_of
from factory.executables.signatures.result import InvalidSignature

_STORE = "_store"
_FILE = "trusted_root.json"
_PUBLIC_INSTANCE = "sigstore.dev"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A transparency log.

    Attributes:
        identifier: The digest of its key in hexadecimal, as in bundles.
        key: The key for its promises.
        since: The key is trusted from then on, `until` the other time, if there is one.
    """

    identifier: str
    key: ec.EllipticCurvePublicKey
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigstoreRoot:
    """The authorities and logs of a sigstore instance.

    Attributes:
        intermediates: The certificates below the roots that issue those of signers.
        logs: The logs that sign promises.
    """

    roots: tuple[TrustedRoot, ...]
    intermediates: tuple[x509.Certificate, ...]
    logs: tuple[Log, ...]

    def log_key(self, identifier: str, at: datetime) -> ec.EllipticCurvePublicKey:
        """Return the key of a log that was trusted at a time.

        Raises:
            InvalidSignature: No such log was trusted then.
        """
        for log in self.logs:
            if log.identifier == identifier and log.since <= at and (log.until is None or at <= log.until):
                return log.key
        raise InvalidSignature("its transparency log was not trusted at that time")


def packaged_root() -> Path:
    """Return the public instance's trust root in the sigstore package.

    Raises:
        HostError: The package does not include it.
        NotDecided: The package is not installed.
    """
    with needs(Extra.SIGN, "a sigstore bundle"):
        package = files("sigstore")
    for place in package.joinpath(_STORE).iterdir():
        path = Path(str(place)) / _FILE
        if place.name.endswith(_PUBLIC_INSTANCE) and path.is_file():
            return path
    raise _unusable("the sigstore package does not include one")


def read_sigstore_root(path: Path) -> SigstoreRoot:
    """Read a trust root.

    Raises:
        HostError: The file is missing or not valid.
    """
    try:
        document = JsonObject.parse(path.read_bytes(), where=path.name)
        chains = [list(_certificates(entry)) for entry in document.objects("certificateAuthorities")]
        return SigstoreRoot(
            roots=tuple(_trusted(chain[-1]) for chain in chains),
            intermediates=tuple(certificate for chain in chains for certificate in chain[:-1]),
            logs=tuple(_logs(document)),
        )
    except (OSError, MalformedJson, ValueError, IndexError, UnsupportedAlgorithm) as error:
        raise _unusable(str(error)) from error


def _unusable(reason: str) -> HostError:
    return HostError(
        f"no sigstore trust root: {reason}",
        hint="Install the locked requirements again: the sigstore package includes its trust root.",
    )


def _certificates(authority: JsonObject) -> Iterator[x509.Certificate]:
    for entry in authority.child("certChain").objects("certificates"):
        yield x509.load_der_x509_certificate(b64decode(entry.text("rawBytes")))


def _trusted(certificate: x509.Certificate) -> TrustedRoot:
    return TrustedRoot(
        name=name_of(certificate, NameOID.COMMON_NAME) or certificate.subject.rfc4514_string(),
        sha256=Sha256(certificate.fingerprint(hashes.SHA256()).hex()),
        certificate=certificate,
    )


def _logs(document: JsonObject) -> Iterator[Log]:
    for entry in document.objects("tlogs"):
        described = entry.child("publicKey")
        key = load_der_public_key(b64decode(described.text("rawBytes")))
        if isinstance(key, ec.EllipticCurvePublicKey):  # newer logs do not sign promises
            valid = described.child_or_none("validFor") or JsonObject({}, "validFor")
            until = valid.text_or_none("end")
            yield Log(
                identifier=b64decode(entry.child("logId").text("keyId")).hex(),
                key=key,
                since=_time(valid.text_or_none("start")) or _BEGINNING,
                until=_time(until),
            )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
