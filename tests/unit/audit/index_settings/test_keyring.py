"""A password from the keyring goes to the server that it is for, and to no other."""

import json
from pathlib import Path

import pytest

from factory.audit.index_settings.keyring import (
    Keyring,
    keyring_providers,
    lacks_credentials,
    lacks_password,
    with_credentials,
    with_password,
)
from factory.audit.index_settings.setting import Setting, SettingsFiles
from factory.core.errors import UsageError
from factory.system.process import Command, Completed

INDEX = "https://me%40x@mirror.example.invalid/simple/"
PROGRAM = "/usr/bin/keyring"


class Program:
    """Answers as the program does; it notes what it was asked."""

    def __init__(self, passwords: dict[tuple[str, str], str], output: str = "") -> None:
        self.passwords = passwords
        self.output = output
        self.asked: list[tuple[str, ...]] = []

    def run(self, command: Command) -> Completed:
        program, *words = command.argv
        assert program == PROGRAM
        if words[0] == "get":
            _, service, user = words
            password = self.passwords.get((service, user))
        else:
            assert words[:5] == ["--mode", "creds", "--output", "json", "get"]
            (service,) = words[5:]
            user = ""
            found = [(name, value) for (place, name), value in self.passwords.items() if place == service]
            password = (
                json.dumps(dict(zip(("username", "password"), found[0], strict=True))) if found else None
            )
        self.asked.append((service, user))
        if password is None:
            return Completed(returncode=1)
        return Completed(returncode=0, output=self.output or f"{password}\n")


def asked(index: str, passwords: dict[tuple[str, str], str]) -> tuple[Setting, Program]:
    program = Program(passwords)
    keyring = Keyring(programs=((PROGRAM,),), runner=program, env={})
    return with_password(Setting(value=index, place="pip.conf"), keyring), program


def asked_after_401(
    index: str, passwords: dict[tuple[str, str], str], output: str = ""
) -> tuple[Setting | None, Program]:
    program = Program(passwords, output)
    keyring = Keyring(programs=((PROGRAM,),), runner=program, env={})
    return with_credentials(Setting(value=index, place="pip.conf"), keyring), program


ADDRESS, HOST = "https://mirror.example.invalid/simple/", "mirror.example.invalid"


@pytest.mark.parametrize("service", [ADDRESS, HOST])
def test_the_password_of_the_address_or_of_its_host_is_taken(service: str) -> None:
    found, keyring = asked(INDEX, {(service, "me@x"): "p:s/w@d"})
    assert found.value == "https://me%40x:p%3As%2Fw%40d@mirror.example.invalid/simple/"
    assert found.shown == f"{ADDRESS} (pip.conf, with the password of the keyring)"
    assert keyring.asked[0] == (ADDRESS, "me@x")


@pytest.mark.parametrize(
    ("index", "lacks"),
    [
        (INDEX, (True, False)),
        (ADDRESS, (False, True)),
        ("https://me:known@mirror.example.invalid/simple/", (False, False)),
        ("https://me:@mirror.example.invalid/simple/", (False, False)),
        ("nonsense", (False, False)),
    ],
)
def test_what_an_address_lacks(index: str, lacks: tuple[bool, bool]) -> None:
    setting = Setting(value=index, place="pip.conf")
    assert (lacks_password(setting), lacks_credentials(setting)) == lacks


BOTH = ("import", "subprocess")


@pytest.mark.parametrize(
    ("env", "pip", "uv", "expected"),
    [
        ({}, "", "", BOTH),
        ({}, "[global]\nkeyring-provider = auto", "", BOTH),
        ({}, "[global]\nkeyring-provider = disabled", "", ()),
        ({}, "[global]\nkeyring_provider = import", "", ("import",)),
        ({}, "[global]\nkeyring-provider = subprocess", "", ("subprocess",)),
        ({}, "[download]\nkeyring-provider = import", "", ("import",)),
        ({}, "[list]\nkeyring-provider = disabled", "", BOTH),
        ({"PIP_KEYRING_PROVIDER": "import"}, "[global]\nkeyring-provider = disabled", "", ("import",)),
        ({"PIP_KEYRING_PROVIDER": ""}, "[global]\nkeyring-provider = import", "", ("import",)),
        ({"PIP_KEYRING_PROVIDER": "disabled"}, "", 'keyring-provider = "subprocess"', ()),
        ({}, "", 'keyring-provider = "subprocess"', ("subprocess",)),
        ({}, "", 'keyring-provider = "disabled"', ()),
        ({}, "", '[pip]\nkeyring-provider = "subprocess"', ("subprocess",)),
        ({}, "[global]\nkeyring-provider = import", 'keyring-provider = "subprocess"', BOTH),
        ({"UV_KEYRING_PROVIDER": "subprocess"}, "", 'keyring-provider = "disabled"', ("subprocess",)),
        ({"PIP_NO_INPUT": "1"}, "", "", ()),
        ({"PIP_NO_INPUT": "0"}, "", "", BOTH),
        ({"PIP_NO_INPUT": "true", "PIP_KEYRING_PROVIDER": "auto"}, "", "", ()),
        ({"PIP_NO_INPUT": "1", "PIP_KEYRING_PROVIDER": "subprocess"}, "", "", ("subprocess",)),
        ({}, "[global]\nno-input = yes", "", ()),
        ({}, "[global]\nno-input = yes\nkeyring-provider = import", "", ("import",)),
        ({}, "[global]\nno-input = yes", 'keyring-provider = "subprocess"', ("subprocess",)),
    ],
)
def test_the_settings_choose_the_providers(
    env: dict[str, str], pip: str, uv: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    assert providers(env, pip, uv, tmp_path) == expected


@pytest.mark.parametrize(
    ("env", "pip", "uv", "place"),
    [
        ({"PIP_KEYRING_PROVIDER": "top-secret"}, "", "", "PIP_KEYRING_PROVIDER"),
        ({}, "[global]\nkeyring-provider = top-secret", "", "keyring-provider in [global] of "),
        ({"UV_KEYRING_PROVIDER": "import"}, "", "", "UV_KEYRING_PROVIDER"),
        ({}, "", 'keyring-provider = "auto"', "keyring-provider in "),
    ],
)
def test_an_unknown_provider_is_refused_without_its_value(
    env: dict[str, str], pip: str, uv: str, place: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="is not the name of a keyring provider") as raised:
        providers(env, pip, uv, tmp_path)
    assert str(raised.value).startswith(place)
    assert "top-secret" not in f"{raised.value} {raised.value.hint}"
    assert raised.value.hint.startswith("Set it to one of ")


def providers(env: dict[str, str], pip: str, uv: str, place: Path) -> tuple[str, ...]:
    (place / "pip.conf").write_text(pip)
    (place / "uv.toml").write_text(uv)
    files = SettingsFiles(
        pip_global=(),
        pip_user=(place / "pip.conf",),
        pip_sites=(place / "venv/pip.conf",),
        uv_user=place / "uv.toml",
        uv_system=(),
        directory=place / "work",
        home=place,
    )
    return tuple(one.value for one in keyring_providers(env, files, project="x"))


def test_the_next_program_is_asked_if_one_has_no_password() -> None:
    program = Program({(HOST, "me@x"): "x"})

    class Empty:
        def run(self, command: Command) -> Completed:
            return Completed(returncode=1) if command.argv[0] == "python" else program.run(command)

    keyring = Keyring(programs=(("python", "-m", "keyring"), (PROGRAM,)), runner=Empty(), env={})
    found = with_password(Setting(value=INDEX, place="x"), keyring)
    assert found.value == "https://me%40x:x@mirror.example.invalid/simple/"


def test_a_password_of_another_server_or_user_is_not_taken() -> None:
    others = {("https://other.example.invalid/simple/", "me@x"): "x", (HOST, "you"): "y"}
    found, keyring = asked(INDEX, others)
    assert (found.value, keyring.asked) == (INDEX, [(ADDRESS, "me@x"), (HOST, "me@x")])


def test_without_the_program_the_index_stays_as_it_is() -> None:
    index = Setting(value=INDEX, place="x")
    keyring = Keyring(programs=(), runner=Program({}), env={})
    assert with_password(index, keyring) is index
    assert with_credentials(Setting(value=ADDRESS, place="x"), keyring) is None


@pytest.mark.parametrize("service", [ADDRESS, HOST])
def test_after_a_401_user_and_password_are_taken(service: str) -> None:
    found, program = asked_after_401(f"{ADDRESS}?a=b", {(service, "me@x"): "p:s/w@d"})
    assert found is not None
    assert found.value == "https://me%40x:p%3As%2Fw%40d@mirror.example.invalid/simple/?a=b"
    assert found.shown == f"{ADDRESS} (pip.conf, with the credentials of the keyring)"
    assert program.asked[0] == (ADDRESS, "")


def test_after_a_401_credentials_of_another_server_are_not_taken() -> None:
    found, program = asked_after_401(ADDRESS, {("https://other.example.invalid/simple/", "me"): "x"})
    assert (found, program.asked) == (None, [(ADDRESS, ""), (HOST, "")])


@pytest.mark.parametrize("output", ["me\nx", "[]", "{}", '{"username": "me", "password": ""}', "7", '{"a'])
def test_another_output_is_no_credential(output: str) -> None:
    assert asked_after_401(ADDRESS, {(ADDRESS, "me"): "x"}, output)[0] is None
