"""Sign and check with sigstore: signatures by an identity instead of a key.

Signing uses sigstore's public services. Checking needs no network: it uses the trusted root that is
included in the library.
"""

from typing import TYPE_CHECKING

from factory.core.errors import HostError, IntegrityError, UpstreamError
from factory.core.extras import Extra, needs, needs_to_work
from factory.core.printable import escaped
from factory.statements.statement import PAYLOAD_TYPE

if TYPE_CHECKING:
    from sigstore.models import Bundle


class KeylessSigner:
    """Signs with the OIDC identity of the CI job."""

    suffix = "sigstore.json"

    def sign(self, statement: bytes) -> bytes:
        """Sign a statement and return the bundle.

        Raises:
            HostError: This machine has no OIDC identity, or sigstore is not installed.
            UpstreamError: Sigstore's services failed.
        """
        with needs_to_work(Extra.SIGN, "signing with sigstore"):
            from sigstore.dsse import Statement  # noqa: PLC0415 - sigstore is slow to import
            from sigstore.errors import Error  # noqa: PLC0415
            from sigstore.models import ClientTrustConfig  # noqa: PLC0415
            from sigstore.oidc import IdentityError, IdentityToken, detect_credential  # noqa: PLC0415
            from sigstore.sign import SigningContext  # noqa: PLC0415

        try:
            token = detect_credential()
            if token is None:
                raise _no_identity("this is not a CI job that sigstore supports")
            context = SigningContext.from_trust_config(ClientTrustConfig.production())
            with context.signer(IdentityToken(token)) as signer:
                bundle = signer.sign_dsse(Statement(statement))
        except IdentityError as error:
            raise _no_identity(str(error)) from error
        except Error as error:
            raise UpstreamError(
                f"sigstore did not sign: {error}",
                hint="Run again; see sigstore's status page if its services are down.",
            ) from error
        return bundle.to_json().encode() + b"\n"


def open_bundle(content: bytes, *, identity: str, issuer: str, where: str) -> bytes:
    """Check the signature of a bundle and return the statement in it.

    Args:
        content: The bundle.
        identity: Who must have signed: an e-mail address, or a workflow's URI with its ref.
        issuer: Who must have vouched for that identity.
        where: The name of the bundle in errors.

    Raises:
        IntegrityError: It is damaged, signed by another identity, or contains no statement.
        NotDecided: sigstore is not installed.
    """
    with needs(Extra.SIGN, "a sigstore bundle"):
        from sigstore.errors import Error  # noqa: PLC0415 - sigstore is slow to import
        from sigstore.verify import Verifier  # noqa: PLC0415
        from sigstore.verify.policy import Identity  # noqa: PLC0415

    bundle = _parse(content, where)
    try:
        verifier = Verifier.production(offline=True)
        kind, payload = verifier.verify_dsse(bundle, Identity(identity=identity, issuer=issuer))
    except (Error, ValueError) as error:
        raise _invalid(where, str(error)) from error
    if kind != PAYLOAD_TYPE:
        raise _invalid(where, f"it signs {kind}, which is not a statement")
    return payload


def _parse(content: bytes, where: str) -> "Bundle":
    from sigstore.errors import Error  # noqa: PLC0415 - sigstore is slow to import
    from sigstore.models import Bundle  # noqa: PLC0415

    try:
        return Bundle.from_json(content)
    except (Error, ValueError) as error:
        raise _invalid(where, f"the file is not a bundle ({str(error).splitlines()[0]})") from error


def _no_identity(reason: str) -> HostError:
    return HostError(
        f"no OIDC identity to sign with: {reason}",
        hint="Sign in a CI job with an OIDC identity (GitHub Actions: permissions: id-token: write),"
        " or with a key: --key FILE.",
    )


def _invalid(where: str, reason: str) -> IntegrityError:
    return IntegrityError(
        f"{where}: the signature is not valid: {escaped(reason)}",
        hint="Do not trust the statement: it is damaged, or another identity signed it.",
    )
