"""Ed25519 keys in PEM files, for statements that no identity provider vouches for."""

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


class UnusableKey(UsageError):
    """A file holds no key of the kind that is asked for."""

    hint = "'factory attest --new-key FILE' makes a pair: FILE is the private key, FILE.pub the public one."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is no usable key: {reason}")


class KeyIsThere(UsageError):
    """A new key would take the place of another file."""

    hint = "Name another file; a private key that is lost cannot be made again."

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What anybody may have, to check with."""

    key: Ed25519PublicKey

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a public key, SubjectPublicKeyInfo in PEM.

        Raises:
            UnusableKey: There is none.
        """
        content = _read(path)
        try:
            key = load_pem_public_key(content)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise UnusableKey(path, "it is no public key in PEM") from error
        if not isinstance(key, Ed25519PublicKey):
            raise UnusableKey(path, "it is no Ed25519 key")
        return cls(key)

    @property
    def key_id(self) -> str:
        """The SHA-256 of the key's DER form: the same for everybody who has it."""
        der = self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    @property
    def pem(self) -> bytes:
        """The text of its file."""
        return self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def is_signature(self, value: bytes, content: bytes) -> bool:
        """Whether the private key made a signature over some bytes."""
        try:
            self.key.verify(value, content)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What only the signer has."""

    key: Ed25519PrivateKey

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a private key, PKCS 8 in PEM, not encrypted: nobody is there to ask for a passphrase.

        Raises:
            UnusableKey: There is none.
        """
        content = _read(path)
        try:
            key = load_pem_private_key(content, password=None)
        except TypeError as error:
            raise UnusableKey(path, "it is encrypted, and no passphrase is asked for") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise UnusableKey(path, "it is no private key in PEM") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise UnusableKey(path, "it is no Ed25519 key")
        return cls(key)

    @property
    def public(self) -> PublicKey:
        """The other half of the pair."""
        return PublicKey(self.key.public_key())

    def sign(self, content: bytes) -> bytes:
        """Sign some bytes; Ed25519 gives the same signature each time."""
        return self.key.sign(content)


def make_key(path: Path) -> PublicKey:
    """Write a new pair of keys: the private one, which only its owner can read, and ``<path>.pub``.

    Raises:
        KeyIsThere: One of the files exists.
        CannotWrite: The place does not take them.
    """
    public_path = path.with_name(f"{path.name}.pub")
    if public_path.exists():
        raise KeyIsThere(public_path)
    private = PrivateKey(Ed25519PrivateKey.generate())
    pem = private.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with writing(path):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise KeyIsThere(path) from error
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
    atomic_write(public_path, private.public.pem)
    return private.public


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_PEM_BYTES)
    except OSError as error:
        raise UnusableKey(path, error.strerror or str(error)) from error
