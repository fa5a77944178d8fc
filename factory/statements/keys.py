"""Ed25519 keys in PEM files, for signing without an identity provider."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from factory.core.errors import UsageError
from factory.system.files import atomic_write, writing

MAX_PEM_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The key that checks signatures."""

    key: Ed25519PublicKey

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a public key, SubjectPublicKeyInfo in PEM.

        Raises:
            UsageError: The file cannot be read, or is not such a key.
        """
        content = _read(path)
        try:
            key = load_pem_public_key(content)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _unusable(path, "it is not a public key in PEM") from error
        if not isinstance(key, Ed25519PublicKey):
            raise _unusable(path, "it is not an Ed25519 key")
        return cls(key)

    @property
    def key_id(self) -> str:
        """The SHA-256 of the key in DER."""
        der = self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    @property
    def pem(self) -> bytes:
        """The key in PEM."""
        return self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def is_signature(self, value: bytes, content: bytes) -> bool:
        """Whether a signature of some bytes was made with the private key."""
        try:
            self.key.verify(value, content)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """The key that makes signatures."""

    key: Ed25519PrivateKey

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a private key, PKCS 8 in PEM, without encryption, since jobs cannot enter a passphrase.

        Raises:
            UsageError: The file cannot be read, or is not such a key.
        """
        content = _read(path)
        try:
            key = load_pem_private_key(content, password=None)
        except TypeError as error:
            raise _unusable(path, "it is encrypted, and passphrases are not supported") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _unusable(path, "it is not a private key in PEM") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _unusable(path, "it is not an Ed25519 key")
        return cls(key)

    @property
    def public(self) -> PublicKey:
        """The public key of the pair."""
        return PublicKey(self.key.public_key())

    def sign(self, content: bytes) -> bytes:
        """Sign some bytes; Ed25519 signatures are deterministic."""
        return self.key.sign(content)


def make_key(path: Path) -> PublicKey:
    """Create a key pair: the private key, readable only by its owner, and ``<path>.pub``.

    Raises:
        UsageError: One of the files exists.
        CannotWrite: The directory is not writable, or the disk is full.
    """
    public_path = path.with_name(f"{path.name}.pub")
    if public_path.exists():
        raise _exists(public_path)
    private = PrivateKey(Ed25519PrivateKey.generate())
    pem = private.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with writing(path):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise _exists(path) from error
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
    atomic_write(public_path, private.public.pem)
    return private.public


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_PEM_BYTES)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error


def _unusable(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"{path} is not a usable key: {reason}",
        hint="Create one: 'factory statement create --new-key FILE'. FILE is private, FILE.pub is public.",
    )


def _exists(path: Path) -> UsageError:
    return UsageError(
        f"{path} already exists", hint="Name another file; a lost private key cannot be recovered."
    )
