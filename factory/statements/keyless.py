"""Sigstore: signatures by an identity instead of a key, and their check without any network.

Signing asks sigstore's public services, with sigstore's own client; checking uses the
trusted root that the library brings along, so that a statement can be judged offline.
"""

from typing import TYPE_CHECKING

from factory.core.errors import HostError, IntegrityError, UpstreamError
from factory.statements.statement import PAYLOAD_TYPE
from factory.verify.checks.registry import escaped

if TYPE_CHECKING:
    from sigstore.models import Bundle


class NoIdentity(HostError):
    """Nothing on this machine says who it acts for."""

    hint = (
        "Sign in a CI job that has an OIDC identity (GitHub Actions: permissions: id-token: write),"
        " or with a key: --key FILE."
    )

    def __init__(self, reason: str) -> None:
        super().__init__(f"there is no OIDC identity to sign with: {reason}")


class CannotSign(UpstreamError):
    """Sigstore's services did not sign."""

    hint = "Run it again; sigstore's status page says whether its services are up."

    def __init__(self, reason: str) -> None:
        super().__init__(f"sigstore did not sign: {reason}")


class WrongBundle(IntegrityError):
    """A sigstore bundle does not prove what it should."""

    hint = "Do not rely on it: it is damaged, not by this identity, or signed with something else."

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: the signature is not valid: {escaped(reason)}")


class KeylessSigner:
    """Signs as whoever this machine acts for: the workflow of a CI job."""

    suffix = "sigstore.json"

    def sign(self, statement: bytes) -> bytes:
        """Sign a statement and return the bundle.

        Raises:
            NoIdentity: There is no identity at hand.
            CannotSign: The services failed.
        """
        from sigstore.dsse import Statement  # noqa: PLC0415 - sigstore is slow to import
        from sigstore.errors import Error  # noqa: PLC0415
        from sigstore.models import ClientTrustConfig  # noqa: PLC0415
        from sigstore.oidc import IdentityError, IdentityToken, detect_credential  # noqa: PLC0415
        from sigstore.sign import SigningContext  # noqa: PLC0415

        try:
            token = detect_credential()
            if token is None:
                raise NoIdentity("this is no CI job that sigstore knows")
            context = SigningContext.from_trust_config(ClientTrustConfig.production())
            with context.signer(IdentityToken(token)) as signer:
                bundle = signer.sign_dsse(Statement(statement))
        except IdentityError as error:
            raise NoIdentity(str(error)) from error
        except Error as error:
            raise CannotSign(str(error)) from error
        return bundle.to_json().encode() + b"\n"


def open_bundle(content: bytes, *, identity: str, issuer: str, where: str) -> bytes:
    """Check a bundle and return the statement in it.

    Args:
        content: The bundle.
        identity: Who must have signed: an e-mail address, or a workflow's URI with its ref.
        issuer: Who must have vouched for that identity.
        where: What to call it.

    Raises:
        WrongBundle: It is damaged, of another identity, or holds no statement.
    """
    from sigstore.errors import Error  # noqa: PLC0415 - sigstore is slow to import
    from sigstore.verify import Verifier  # noqa: PLC0415
    from sigstore.verify.policy import Identity  # noqa: PLC0415

    bundle = _parse(content, where)
    try:
        verifier = Verifier.production(offline=True)
        kind, payload = verifier.verify_dsse(bundle, Identity(identity=identity, issuer=issuer))
    except (Error, ValueError) as error:
        raise WrongBundle(where, str(error)) from error
    if kind != PAYLOAD_TYPE:
        raise WrongBundle(where, f"it is over {kind}, which is no statement")
    return payload


def _parse(content: bytes, where: str) -> "Bundle":
    from sigstore.errors import Error  # noqa: PLC0415 - sigstore is slow to import
    from sigstore.models import Bundle  # noqa: PLC0415

    try:
        return Bundle.from_json(content)
    except (Error, ValueError) as error:
        raise WrongBundle(where, f"it is no bundle ({str(error).splitlines()[0]})") from error
