"""Which requests get the credentials of npm's configuration; `tests.npm_cases` are npm's own answers."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from factory.core.errors import UsageError
from factory.release.channels.npm_login import NpmLogin
from factory.release.channels.npm_settings import read_npm_settings
from factory.system.http import HttpStatusError
from tests.npm_cases import NPM_CASES, SECRET, NpmCase

HOST = "npm.example.invalid"
REGISTRY = f"https://{HOST}/npm"
TOKEN = {f"//{HOST}/npm/:_authToken": SECRET}
BEARER = {"Authorization": f"Bearer {SECRET}"}


def login(lines: Mapping[str, str], tmp_path: Path, registry: str = REGISTRY, **env: str) -> NpmLogin:
    npmrc = tmp_path / ".npmrc"
    npmrc.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
    return NpmLogin.of(registry, "a test", read_npm_settings(env, [npmrc]))


@pytest.mark.parametrize("case", NPM_CASES, ids=lambda case: case.id)
def test_the_header_is_that_of_npm(case: NpmCase, tmp_path: Path) -> None:
    host = "127.0.0.1:8080"
    files = []
    for name, text in (("project", case.project), ("user", case.npmrc)):
        (tmp_path / name).write_text(text.replace("{HOST}", host))
        files.append(tmp_path / name)
    env = {name.replace("{HOST}", host): value.replace("{HOST}", host) for name, value in case.env.items()}
    settings = read_npm_settings(env, files)
    named = next((settings[key].value for key in ("@openai:registry", "registry") if key in settings), "")
    found = NpmLogin.of(named or f"http://{host}{case.path}", "a test", settings)
    expected = {} if case.header is None else {"Authorization": case.header}
    assert found.headers_for(f"http://{host}{case.path}@openai%2Fcodex") == expected
    assert SECRET not in f"{found.registry}{found!r}{settings!r}"


@pytest.mark.parametrize(
    ("url", "is_sent"),
    [
        (f"{REGISTRY}/@openai/codex/-/codex-1.tgz", True),
        (f"https://{HOST}/files/codex-1.tgz", True),  # the registry's own host, as in npm
        (f"https://{HOST}:443/npm/x", True),
        (f"https://{HOST.upper()}/npm/x", True),
        (f"https://{HOST}:444/npm/x", False),
        (f"http://{HOST}/npm/x", False),
        ("https://files.example.invalid/npm/x", False),
        (f"https://{HOST}.evil.invalid/npm/x", False),
        (f"https://evil.invalid/{HOST}/npm/x", False),
        (f"https://{HOST}@evil.invalid/npm/x", False),
        (f"ftp://{HOST}/npm/x", False),
        (f"https://{HOST}:port/npm/x", False),
        ("file:///npm", False),
    ],
)
def test_only_the_configured_host_gets_the_token(url: str, is_sent: bool, tmp_path: Path) -> None:  # noqa: FBT001
    assert login(TOKEN, tmp_path).headers_for(url) == (BEARER if is_sent else {})


def test_a_token_of_another_host_is_sent_there_only(tmp_path: Path) -> None:
    found = login({"//files.example.invalid/:_authToken": SECRET}, tmp_path)
    assert found.headers_for("https://files.example.invalid/x") == BEARER
    assert found.headers_for("http://files.example.invalid/x") == {}
    assert found.headers_for(f"{REGISTRY}/x") == {}


def test_plain_http_gets_the_token_only_if_the_registry_has_it(tmp_path: Path) -> None:
    found = login(TOKEN, tmp_path, registry=f"http://{HOST}/npm/")
    assert found.headers_for(f"http://{HOST}/npm/x") == BEARER
    assert found.headers_for(f"https://{HOST}/npm/x") == BEARER


def test_a_password_in_the_address_is_decoded_and_removed(tmp_path: Path) -> None:
    found = login({}, tmp_path, registry=f"https://me%40here:a%3Ab@{HOST}/npm/")
    assert found.registry == REGISTRY
    assert found.headers_for(f"{REGISTRY}/x") == {"Authorization": "Basic bWVAaGVyZTphOmI="}


@pytest.mark.parametrize(
    "registry", ["npm.example.invalid", f"ftp://{SECRET}@{HOST}", "https://", f"https://a b:{SECRET}@{HOST}"]
)
def test_an_address_that_is_not_one_is_refused_and_not_repeated(registry: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the npm registry \(a test\) is not an address") as caught:
        login({}, tmp_path, registry=registry)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ({f"//{HOST}/:_authToken": f"{SECRET}\u00e9"}, "has a character that no token has"),
        ({f"//{HOST}/:_authToken": f'"{SECRET}\\nX: y"'}, "has a character that no token has"),
        ({f"//{HOST}/:_authToken": "${CODEX_TOKEN}"}, "refers to CODEX_TOKEN, which is not set"),
        ({f"//{HOST}/:username": "me", f"//{HOST}/:_password": f"{SECRET}!"}, "is not base64"),
    ],
)
def test_credentials_that_cannot_be_used_are_refused_and_not_repeated(
    lines: Mapping[str, str], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        login(lines, tmp_path).headers_for(f"{REGISTRY}/x")
    assert str(tmp_path / ".npmrc") in str(caught.value)
    assert SECRET not in str(caught.value)


def test_unusable_credentials_of_another_host_do_not_matter(tmp_path: Path) -> None:
    found = login({"//other.example.invalid/:_authToken": "${CODEX_TOKEN}"}, tmp_path)
    assert found.headers_for(f"{REGISTRY}/x") == {}


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        (TOKEN, "The credentials of //npm.example.invalid/npm/:_authToken in {FILE} were sent. Check that"),
        (
            {},
            "No credentials for https://npm.example.invalid/npm/x were found. Log in with 'npm login",
        ),
        ({"_authToken": SECRET}, "The setting _authToken in {FILE} is not used, since it names no address."),
    ],
)
def test_the_hint_fits_what_was_sent(lines: Mapping[str, str], hint: str, tmp_path: Path) -> None:
    url = f"{REGISTRY}/x"
    with pytest.raises(HttpStatusError) as caught, login(lines, tmp_path).explaining_refusals(url):
        raise HttpStatusError(url, 403)
    assert hint.replace("{FILE}", str(tmp_path / ".npmrc")) in caught.value.hint
    assert SECRET not in caught.value.hint


def test_another_status_keeps_its_hint(tmp_path: Path) -> None:
    with pytest.raises(HttpStatusError) as caught, login({}, tmp_path).explaining_refusals(REGISTRY):
        raise HttpStatusError(REGISTRY, 404)
    assert caught.value.hint == "Check the address of the channel, and the tag."


def test_an_unreadable_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "npmrc").write_bytes(b"a=\xff")
    with pytest.raises(UsageError, match=r"npmrc: it is not UTF-8"):
        read_npm_settings({}, [tmp_path / "npmrc"])
    with pytest.raises(UsageError, match=r"cannot read the configuration file"):
        read_npm_settings({}, [tmp_path])
    assert read_npm_settings({}, [tmp_path / "missing", tmp_path / "npmrc" / "x"]) == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"a=b\;c", "b;c"),
        (r"a=\${HOME}", "${HOME}"),
        (r"a=\\\\${HOME}", r"\/home/me"),
        (r"a=b\\;c", "b\\"),
        ("a=${NO}x", "x"),
        ('a="b;c"', "b;c"),
        ("[section]\na=b", "b"),
        ("a=b=c", "b=c"),
    ],
)
def test_values_are_read_as_npm_reads_them(text: str, value: str, tmp_path: Path) -> None:
    (tmp_path / "npmrc").write_text(text)
    assert read_npm_settings({"HOME": "/home/me"}, [tmp_path / "npmrc"])["a"].value == value


def test_variables_have_npms_names() -> None:
    env = {
        "NPM_CONFIG_REGISTRY": "a",
        "npm_config__auth": "b",
        "npm_config_always_auth": "c",
        "npm_config_x": "",
    }
    settings = read_npm_settings(env, [])
    assert {key: setting.value for key, setting in settings.items()} == {
        "registry": "a",
        "_auth": "b",
        "always-auth": "c",
    }
    assert settings["registry"].place == "the variable npm_config_registry"
