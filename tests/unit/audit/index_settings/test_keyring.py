"""A password from the keyring goes to the server that it is for, and to no other."""

from pathlib import Path

import pytest

from factory.audit.index_settings.keyring import with_password
from factory.audit.index_settings.setting import Setting
from factory.system.process import Command, Completed

INDEX = "https://me%40x@mirror.example.invalid/simple/"
PROGRAM = Path("/usr/bin/keyring")


class Keyring:
    """Answers as the program does; it notes what it was asked."""

    def __init__(self, passwords: dict[tuple[str, str], str]) -> None:
        self.passwords = passwords
        self.asked: list[tuple[str, ...]] = []

    def run(self, command: Command) -> Completed:
        program, verb, service, user = command.argv
        assert (program, verb) == (str(PROGRAM), "get")
        self.asked.append((service, user))
        password = self.passwords.get((service, user))
        return (
            Completed(returncode=1) if password is None else Completed(returncode=0, output=f"{password}\n")
        )


def asked(index: str, passwords: dict[tuple[str, str], str], **env: str) -> tuple[Setting, Keyring]:
    keyring = Keyring(passwords)
    return with_password(Setting(value=index, place="pip.conf"), PROGRAM, keyring, env=env), keyring


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
    assert with_password(index, None, Keyring({}), env={}) is index
