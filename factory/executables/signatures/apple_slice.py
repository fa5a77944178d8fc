"""The code signature of one architecture's program, judged from the outside in.

First what is signed and by whom, then whether the program still is that: so a changed
page tells whose signature was broken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from factory.core.trust_level import Level, Scheme, Signature
from factory.executables.image_bytes import ImageBytes, MalformedImage
from factory.executables.macho_frame import LC_CODE_SIGNATURE, LoadCommand, MachoFrame
from factory.executables.signatures.apple_authorship import Authorship, check_authorship
from factory.executables.signatures.apple_blobs import EmbeddedSignature, read_embedded_signature
from factory.executables.signatures.apple_directory import CodeDirectory, DirectoryFlag, DirectoryHash
from factory.executables.signatures.apple_seals import check_pages, check_special_slots, read_info_plist
from factory.executables.signatures.certificates import TrustedRoot
from factory.executables.signatures.invalid import InvalidSignature
from factory.executables.signatures.reading import Reading

_NO_DETAILS = Signature(scheme=Scheme.APPLE, signer=None, signed_at=None)


def not_valid(reason: str, signature: Signature = _NO_DETAILS) -> Reading:
    """Say that a signature is there and does not hold."""
    return Reading(level=Level.SIGNATURE_NOT_VALID, reason=reason, signature=signature)


def unsigned() -> Reading:
    """Say that a slice of a universal file has no signature, where another one has."""
    return Reading(level=Level.NOTHING_KNOWN, reason="it has no code signature", signature=_NO_DETAILS)


def read_slice(frame: MachoFrame, *, roots: tuple[TrustedRoot, ...], now: datetime) -> Reading | None:
    """Judge one slice; None where it has no signature."""
    try:
        commands = tuple(frame.commands())
        place = _place(frame.image, commands)
        if place is None:
            return None
        embedded = read_embedded_signature(place)
        directories = tuple(CodeDirectory.parse(encoded) for encoded in embedded.directories)
        _check_limits(directories, signature_at=place.start - frame.image.start)
        authorship = _authorship(embedded, directories, roots=roots, now=now)
    except (InvalidSignature, MalformedImage) as error:
        return not_valid(error.reason)
    reading = _reading(embedded, _strongest(directories), authorship)
    try:
        info_plist = read_info_plist(frame.image, commands)
        for directory in directories:
            check_special_slots(directory, sealed=embedded.sealed, info_plist=info_plist)
            check_pages(frame.image, directory)
    except (InvalidSignature, MalformedImage) as error:
        return not_valid(error.reason, reading.signature)
    return reading


def _place(image: ImageBytes, commands: Sequence[LoadCommand]) -> ImageBytes | None:
    places = [command.numbers("II", 8) for command in commands if command.kind == LC_CODE_SIGNATURE]
    if not places:
        return None
    if len(places) > 1:
        raise InvalidSignature("it has several code signatures")
    offset, size_bytes = places[0]
    extra = image.size_bytes - offset - size_bytes
    if extra < 0:
        raise InvalidSignature("its code signature is cut off, or gone")
    if extra > 0:
        raise InvalidSignature(f"{extra} bytes follow its code signature, and nobody signed them")
    return image.window(offset, size_bytes)


def _check_limits(directories: Sequence[CodeDirectory], *, signature_at: int) -> None:
    """Check that all bytes up to the signature are signed, and by all directories as one program."""
    for directory in directories:
        if directory.code_limit != signature_at:
            raise InvalidSignature(
                f"{directory.code_limit} bytes are signed, and the signature starts at {signature_at}"
            )
    if len({(directory.identifier, directory.team, directory.flags) for directory in directories}) > 1:
        raise InvalidSignature("its CodeDirectories disagree about the program")


def _strongest(directories: Sequence[CodeDirectory]) -> CodeDirectory:
    return max(directories, key=lambda directory: directory.hash.strength)


def _authorship(
    embedded: EmbeddedSignature,
    directories: Sequence[CodeDirectory],
    *,
    roots: tuple[TrustedRoot, ...],
    now: datetime,
) -> Authorship | None:
    """Return who signed; None of an ad hoc signature."""
    is_ad_hoc = DirectoryFlag.AD_HOC in directories[0].flags
    if is_ad_hoc and embedded.cms:
        raise InvalidSignature("it says that it is ad hoc, and carries a signer all the same")
    if is_ad_hoc:
        return None
    if not embedded.cms:
        raise InvalidSignature("it is not ad hoc, and the signature over its CodeDirectory is gone")
    if _strongest(directories).hash is DirectoryHash.SHA1:
        raise InvalidSignature("its pages are hashed with SHA-1 only, which no longer binds them")
    return check_authorship(embedded.cms, directories, roots=roots, now=now)


def _reading(embedded: EmbeddedSignature, directory: CodeDirectory, authorship: Authorship | None) -> Reading:
    details = tuple(_details(embedded, directory))
    if authorship is None:
        by = " by a linker" if DirectoryFlag.LINKER_SIGNED in directory.flags else ""
        return Reading(
            level=Level.NOTHING_KNOWN,
            reason=f"it is signed ad hoc{by}: its hashes hold and name nobody",
            signature=replace(_NO_DETAILS, details=details),
        )
    at = authorship.signed_at
    holds = "every page and seal, and the signer's chain to a pinned root,"
    when = "hold today; no timestamp tells when it was signed" if at is None else "held at the timestamp"
    return Reading(
        level=Level.AUTHORSHIP_VERIFIED,
        reason=f"{holds} {when}",
        signature=Signature(
            scheme=Scheme.APPLE,
            signer=authorship.signer,
            signed_at=at,
            details=(*details, *authorship.remarks),
        ),
    )


def _details(embedded: EmbeddedSignature, directory: CodeDirectory) -> Iterator[str]:
    yield f"identifier {directory.identifier}"
    yield f"CodeDirectory {directory.version:#x}, {directory.page_count} pages, {directory.hash.title}"
    is_hardened = DirectoryFlag.HARDENED_RUNTIME in directory.flags
    yield "hardened runtime" if is_hardened else "no hardened runtime"
    if embedded.has_ticket:
        yield "a notarization ticket is stapled to it, and not read"
    if embedded.has_residue:
        yield "bytes are left after the signature that nobody signed"
