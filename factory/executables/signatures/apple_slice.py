"""Verify the code signature of one slice: first the signer, then the hashes of the program.

In this order, the result for a changed page can name the signer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from factory.core.counted import counted
from factory.core.trust_level import Level, Scheme, Signature
from factory.executables.image_bytes import ImageBytes, MalformedImage
from factory.executables.macho_frame import LC_CODE_SIGNATURE, LoadCommand, MachoFrame
from factory.executables.signatures.apple_authorship import Authorship, check_authorship
from factory.executables.signatures.apple_blobs import EmbeddedSignature, read_embedded_signature
from factory.executables.signatures.apple_directory import CodeDirectory, DirectoryFlag, DirectoryHash
from factory.executables.signatures.apple_seals import check_pages, check_special_slots, read_info_plist
from factory.executables.signatures.certificates import TrustedRoot
from factory.executables.signatures.result import InvalidSignature, SignatureResult

_NO_DETAILS = Signature(scheme=Scheme.APPLE, signer=None, signed_at=None)


def not_valid(reason: str, signature: Signature = _NO_DETAILS) -> SignatureResult:
    """Return the result for a signature that is not valid."""
    return SignatureResult(level=Level.SIGNATURE_NOT_VALID, reason=reason, signature=signature)


def unsigned() -> SignatureResult:
    """Return the result for an unsigned slice of a universal file with a signed one."""
    return SignatureResult(
        level=Level.NOTHING_KNOWN, reason="it has no code signature", signature=_NO_DETAILS
    )


def read_slice(frame: MachoFrame, *, roots: tuple[TrustedRoot, ...], now: datetime) -> SignatureResult | None:
    """Verify one slice; None if it has no signature."""
    try:
        commands = tuple(frame.commands())
        data = _signature_data(frame.image, commands)
        if data is None:
            return None
        embedded = read_embedded_signature(data)
        directories = tuple(CodeDirectory.parse(encoded) for encoded in embedded.directories)
        _check_limits(directories, signature_at=data.start - frame.image.start)
        authorship = _authorship(embedded, directories, roots=roots, now=now)
    except (InvalidSignature, MalformedImage) as error:
        return not_valid(error.reason)
    result = _result(embedded, _strongest(directories), authorship)
    try:
        info_plist = read_info_plist(frame.image, commands)
        for directory in directories:
            check_special_slots(directory, sealed=embedded.sealed, info_plist=info_plist)
            check_pages(frame.image, directory)
    except (InvalidSignature, MalformedImage) as error:
        return not_valid(error.reason, result.signature)
    return result


def _signature_data(image: ImageBytes, commands: Sequence[LoadCommand]) -> ImageBytes | None:
    places = [command.numbers("II", 8) for command in commands if command.kind == LC_CODE_SIGNATURE]
    if not places:
        return None
    if len(places) > 1:
        raise InvalidSignature("it has several code signatures")
    offset, size_bytes = places[0]
    extra = image.size_bytes - offset - size_bytes
    if extra < 0:
        raise InvalidSignature("its code signature is truncated or missing")
    if extra > 0:
        raise InvalidSignature(f"{extra} unsigned bytes follow its code signature")
    return image.window(offset, size_bytes)


def _check_limits(directories: Sequence[CodeDirectory], *, signature_at: int) -> None:
    """Check that every directory covers all bytes up to the signature, and that they agree otherwise."""
    for directory in directories:
        if directory.code_limit != signature_at:
            signed = counted(directory.code_limit, "byte is", "bytes are")
            raise InvalidSignature(f"{signed} signed, but the signature starts at {signature_at}")
    if len({(directory.identifier, directory.team, directory.flags) for directory in directories}) > 1:
        raise InvalidSignature("its CodeDirectories are of different programs")


def _strongest(directories: Sequence[CodeDirectory]) -> CodeDirectory:
    return max(directories, key=lambda directory: directory.hash.strength)


def _authorship(
    embedded: EmbeddedSignature,
    directories: Sequence[CodeDirectory],
    *,
    roots: tuple[TrustedRoot, ...],
    now: datetime,
) -> Authorship | None:
    """Return the verified signer; None for an ad hoc signature."""
    is_ad_hoc = DirectoryFlag.AD_HOC in directories[0].flags
    if is_ad_hoc and embedded.cms:
        raise InvalidSignature("it is marked as ad hoc but has a signer")
    if is_ad_hoc:
        return None
    if not embedded.cms:
        raise InvalidSignature("it is not ad hoc but has no signer")
    if _strongest(directories).hash is DirectoryHash.SHA1:
        raise InvalidSignature("its pages are hashed only with SHA-1, which is too weak")
    return check_authorship(embedded.cms, directories, roots=roots, now=now)


def _result(
    embedded: EmbeddedSignature, directory: CodeDirectory, authorship: Authorship | None
) -> SignatureResult:
    details = tuple(_details(embedded, directory))
    if authorship is None:
        by = " by a linker" if DirectoryFlag.LINKER_SIGNED in directory.flags else ""
        return SignatureResult(
            level=Level.NOTHING_KNOWN,
            reason=f"it is signed ad hoc{by}: its hashes match, but no signer is named",
            signature=replace(_NO_DETAILS, details=details),
        )
    at = authorship.signed_at
    when = "as of today; it has no timestamp" if at is None else "as of the timestamp"
    return SignatureResult(
        level=Level.AUTHORSHIP_VERIFIED,
        reason=f"its pages, sealed parts and the signer's chain to a pinned root are valid {when}",
        signature=Signature(
            scheme=Scheme.APPLE,
            signer=authorship.signer,
            signed_at=at,
            details=(*details, *authorship.remarks),
            serials=(authorship.serial,),
        ),
    )


def _details(embedded: EmbeddedSignature, directory: CodeDirectory) -> Iterator[str]:
    yield f"identifier {directory.identifier}"
    pages = counted(directory.page_count, "page")
    yield f"CodeDirectory {directory.version:#x}, {pages}, {directory.hash.title}"
    is_hardened = DirectoryFlag.HARDENED_RUNTIME in directory.flags
    yield "hardened runtime" if is_hardened else "no hardened runtime"
    if embedded.has_ticket:
        yield "a notarization ticket is stapled to it (not checked)"
    if embedded.has_residue:
        yield "unsigned bytes follow the signature"
