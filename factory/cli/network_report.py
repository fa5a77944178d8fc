"""Examine the network for ``factory doctor``: npm registry, package index, proxies and certificates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from factory.cli.host_report import Ability, Examination
from factory.core.addresses import redacted
from factory.core.errors import FactoryError
from factory.system.http import HttpClient, HttpStatusError

_CERTIFICATE_FILES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server, and the request that shows whether it answers.

    Attributes:
        url: The request. It can have credentials, so this must not be shown.
        shown: The address of the server and the setting that names it.
        headers: The headers of the request, with secrets.
        login: Where the credentials are set; empty if there are none.
        needed_for: What does not work without it.
        is_required: Whether ``factory wheels`` needs it.
        again: Returns the server with other credentials after a refusal, if there are some.
    """

    url: str = field(repr=False)
    shown: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    login: str = ""
    needed_for: str
    is_required: bool
    again: Callable[[HttpStatusError], "Server | None"] = field(default=lambda _: None, repr=False)


def examine_server(
    subject: str,
    find: Callable[[], Server],
    client: HttpClient,
    *,
    is_required: bool,
    clock: Callable[[], float],
) -> Examination:
    """Send one request to a server, and report the answer, its time and the place of the credentials.

    Args:
        subject: The name of the server.
        find: Reads the settings.
        client: Sends the request, once.
        is_required: Whether ``factory wheels`` needs it, if the settings are broken.
        clock: The time in seconds.
    """
    try:
        server = find()
    except FactoryError as error:
        return _broken(subject, str(error), error.hint, is_required=is_required)
    login = f"credentials: {server.login}" if server.login else "no credentials"
    begun = clock()
    try:
        with client.stream(server.url, headers=server.headers):
            answer = f"answers in {clock() - begun:.1f} s"
    except HttpStatusError as error:
        if (other := server.again(error)) is not None:
            return examine_server(subject, lambda: other, client, is_required=is_required, clock=clock)
        detail = f"{server.shown}; answers with status {error.status}; {login}"
        return _broken(subject, detail, f"{server.needed_for}: {error.hint}", is_required=server.is_required)
    except FactoryError as error:
        detail = f"{server.shown}; {error}; {login}"
        return _broken(subject, detail, f"{server.needed_for}: {error.hint}", is_required=server.is_required)
    return Examination(
        subject=subject,
        ability=Ability.OK,
        detail=f"{server.shown}; {answer}; {login}",
        is_required=server.is_required,
    )


def examine_proxy(urls: Mapping[str, str | None]) -> Examination:
    """Report the proxy for each server, as the environment sets it.

    Args:
        urls: The address of the proxy by the name of the server; None for a direct connection.
    """
    used = [f"{redacted(proxy)} for the {name}" for name, proxy in urls.items() if proxy]
    return Examination(
        subject="proxy", ability=Ability.OK, detail=", ".join(used) or "none: direct connections"
    )


def examine_certificates(environ: Mapping[str, str]) -> Examination:
    """Report against which certificates servers are checked; a file that is named must exist."""
    subject = "certificates"
    named = [(name, Path(environ[name])) for name in _CERTIFICATE_FILES if environ.get(name)]
    for name, path in named:
        if not path.exists():
            detail = f"{path} ({name}) does not exist"
            return _broken(subject, detail, f"Correct {name}, or remove it.", is_required=True)
    files = "".join(f", and {path} ({name})" for name, path in named)
    return Examination(
        subject=subject, ability=Ability.OK, detail=f"the system's store{files}", is_required=True
    )


def _broken(subject: str, detail: str, remedy: str, *, is_required: bool) -> Examination:
    return Examination(
        subject=subject, ability=Ability.BROKEN, detail=detail, remedy=remedy, is_required=is_required
    )
