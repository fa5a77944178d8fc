"""A password from the keyring goes to the server that it is for, and to no other."""

import json

import pytest

from factory.audit.index_settings.keyring import Keyring, with_credentials, with_password
from factory.audit.index_settings.setting import Setting
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


def asked(index: str, passwords: dict[tuple[str, str], str], **env: str) -> tuple[Setting, Program]:
    program = Program(passwords)
    keyring = Keyring(argv=(PROGRAM,), runner=program, env=env)
    return with_password(Setting(value=index, place="pip.conf"), keyring), program


def asked_after_401(
    index: str, passwords: dict[tuple[str, str], str], output: str = "", **env: str
) -> tuple[Setting | None, Program]:
    program = Program(passwords, output)
    keyring = Keyring(argv=(PROGRAM,), runner=program, env=env)
    return with_credentials(Setting(value=index, place="pip.conf"), keyring), program


ADDRESS, HOST = "https://mirror.example.invalid/simple/", "mirror.example.invalid"


@pytest.mark.parametrize("service", [ADDRESS, HOST])
def test_the_password_of_the_address_or_of_its_host_is_taken(service: str) -> None:
    found, keyring = asked(INDEX, {(service, "me@x"): "p:s/w@d"})
    assert found.value == "https://me%40x:p%3As%2Fw%40d@mirror.example.invalid/simple/"
    assert found.shown == f"{ADDRESS} (pip.conf, with the password of the keyring)"
    assert keyring.asked[0] == (ADDRESS, "me@x")


@pytest.mark.parametrize(
    ("index", "env"),
    [
        (ADDRESS, {}),
        ("https://me:known@mirror.example.invalid/simple/", {}),
        ("https://me:@mirror.example.invalid/simple/", {}),
        ("nonsense", {}),
        (INDEX, {"PIP_KEYRING_PROVIDER": "disabled"}),
        (INDEX, {"UV_KEYRING_PROVIDER": "disabled"}),
        (INDEX, {"PIP_NO_INPUT": "1"}),
        (INDEX, {"PIP_NO_INPUT": "true", "PIP_KEYRING_PROVIDER": "auto"}),
    ],
)
def test_the_keyring_is_not_asked_if_no_password_is_missing(index: str, env: dict[str, str]) -> None:
    found, keyring = asked(index, {(ADDRESS, "me"): "x"}, **env)
    assert (found.value, keyring.asked) == (index, [])


def test_a_password_of_another_server_or_user_is_not_taken() -> None:
    others = {("https://other.example.invalid/simple/", "me@x"): "x", (HOST, "you"): "y"}
    found, keyring = asked(INDEX, others)
    assert (found.value, keyring.asked) == (INDEX, [(ADDRESS, "me@x"), (HOST, "me@x")])


def test_without_the_program_the_index_stays_as_it_is() -> None:
    index = Setting(value=INDEX, place="x")
    keyring = Keyring(argv=(), runner=Program({}), env={})
    assert with_password(index, keyring) is index
    assert with_credentials(Setting(value=ADDRESS, place="x"), keyring) is None


@pytest.mark.parametrize("service", [ADDRESS, HOST])
def test_after_a_401_user_and_password_are_taken(service: str) -> None:
    found, program = asked_after_401(f"{ADDRESS}?a=b", {(service, "me@x"): "p:s/w@d"}, PIP_NO_INPUT="0")
    assert found is not None
    assert found.value == "https://me%40x:p%3As%2Fw%40d@mirror.example.invalid/simple/?a=b"
    assert found.shown == f"{ADDRESS} (pip.conf, with the credentials of the keyring)"
    assert program.asked[0] == (ADDRESS, "")


def test_a_named_provider_is_asked_also_without_input() -> None:
    env = {"PIP_NO_INPUT": "1", "PIP_KEYRING_PROVIDER": "subprocess"}
    assert asked_after_401(ADDRESS, {(HOST, "me"): "x"}, **env)[0] is not None


@pytest.mark.parametrize(
    ("index", "env"),
    [
        (INDEX, {}),
        ("https://me:wrong@mirror.example.invalid/simple/", {}),
        ("nonsense", {}),
        (ADDRESS, {"PIP_KEYRING_PROVIDER": "disabled"}),
    ],
)
def test_after_a_401_known_credentials_are_not_replaced(index: str, env: dict[str, str]) -> None:
    found, program = asked_after_401(index, {(ADDRESS, "me@x"): "x", (HOST, "me"): "x"}, **env)
    assert (found, program.asked) == (None, [])


def test_after_a_401_credentials_of_another_server_are_not_taken() -> None:
    found, program = asked_after_401(ADDRESS, {("https://other.example.invalid/simple/", "me"): "x"})
    assert (found, program.asked) == (None, [(ADDRESS, ""), (HOST, "")])


@pytest.mark.parametrize("output", ["me\nx", "[]", "{}", '{"username": "me", "password": ""}', "7", '{"a'])
def test_another_output_is_no_credential(output: str) -> None:
    assert asked_after_401(ADDRESS, {(ADDRESS, "me"): "x"}, output)[0] is None
