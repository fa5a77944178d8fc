"""Configurations of npm, with the Authorization header that npm sends; an integration test asks npm."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

SECRET = "battery-staple"  # noqa: S105 - of no account
"""It is part of every credential here, so that tests can search outputs for it."""
PASSWORD = base64.b64encode(SECRET.encode()).decode()
LOGIN = base64.b64encode(f"me:{SECRET}".encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmCase:
    """One configuration.

    Attributes:
        npmrc: The user's file; ``{HOST}`` is the host and port of the server.
        project: The project's file.
        env: Variables, with the same placeholder.
        path: The path that the registry has on the server.
        header: What npm sends, None for nothing.
    """

    id: str
    npmrc: str = ""
    project: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    path: str = "/npm/"
    header: str | None


BEARER = f"Bearer {SECRET}"
BASIC = f"Basic {LOGIN}"
NPM_CASES = (
    NpmCase(id="nothing", header=None),
    NpmCase(id="token", npmrc=f"//{{HOST}}/npm/:_authToken={SECRET}", header=BEARER),
    NpmCase(id="token without a slash", npmrc=f"//{{HOST}}/npm:_authToken={SECRET}", header=BEARER),
    NpmCase(id="token of the host", npmrc=f"//{{HOST}}/:_authToken = {SECRET}\n", header=BEARER),
    NpmCase(
        id="token of a path above",
        path="/a/b/npm/",
        npmrc=f"//{{HOST}}/a/:_authToken={SECRET}",
        header=BEARER,
    ),
    NpmCase(id="token of another path", npmrc=f"//{{HOST}}/other/:_authToken={SECRET}", header=None),
    NpmCase(id="token of another host", npmrc=f"//example.invalid/npm/:_authToken={SECRET}", header=None),
    NpmCase(id="token of another port", npmrc=f"//127.0.0.1:1/npm/:_authToken={SECRET}", header=None),
    NpmCase(
        id="the longest address counts",
        npmrc=f"//{{HOST}}/:_authToken=general\n//{{HOST}}/npm/:_authToken={SECRET}",
        header=BEARER,
    ),
    NpmCase(id="auth", npmrc=f"//{{HOST}}/npm/:_auth={LOGIN}", header=BASIC),
    NpmCase(
        id="user name and password",
        npmrc=f"//{{HOST}}/npm/:username=me\n//{{HOST}}/npm/:_password={PASSWORD}",
        header=BASIC,
    ),
    NpmCase(id="only a password", npmrc=f"//{{HOST}}/npm/:_password={PASSWORD}", header=None),
    NpmCase(
        id="token before auth",
        npmrc=f"//{{HOST}}/npm/:_auth=b3RoZXI=\n//{{HOST}}/npm/:_authToken={SECRET}",
        header=BEARER,
    ),
    NpmCase(id="quoted", npmrc=f'//{{HOST}}/npm/:_authToken="{SECRET}"', header=BEARER),
    NpmCase(id="single quotes", npmrc=f"//{{HOST}}/npm/:_authToken='{SECRET}'", header=BEARER),
    NpmCase(
        id="comments", npmrc=f"; one\n# two\n\n//{{HOST}}/npm/:_authToken={SECRET} ; three", header=BEARER
    ),
    NpmCase(id="a hash in a value", npmrc=f"//{{HOST}}/npm/:_authToken={SECRET}#rest", header=BEARER),
    NpmCase(
        id="the last line counts",
        npmrc=f"//{{HOST}}/npm/:_authToken=older\n//{{HOST}}/npm/:_authToken={SECRET}",
        header=BEARER,
    ),
    NpmCase(
        id="variable",
        npmrc="//{HOST}/npm/:_authToken=${TOKEN}",
        env={"TOKEN": SECRET},
        header=BEARER,
    ),
    NpmCase(
        id="variable in a key",
        npmrc=f"//${{PLACE}}/npm/:_authToken={SECRET}",
        env={"PLACE": "{HOST}"},
        header=BEARER,
    ),
    NpmCase(id="optional variable", npmrc="//{HOST}/npm/:_authToken=${TOKEN?}", header=None),
    NpmCase(id="environment", env={"npm_config_//{HOST}/npm/:_authToken": SECRET}, header=BEARER),
    NpmCase(
        id="environment before file",
        npmrc="//{HOST}/npm/:_authToken=older",
        env={"npm_config_//{HOST}/npm/:_authToken": SECRET},
        header=BEARER,
    ),
    NpmCase(
        id="project before user",
        npmrc="//{HOST}/npm/:_authToken=older",
        project=f"//{{HOST}}/npm/:_authToken={SECRET}",
        header=BEARER,
    ),
    NpmCase(
        id="registry of the scope",
        npmrc=f"registry=http://127.0.0.1:1/\n@openai:registry=http://{{HOST}}/npm/\n//{{HOST}}/npm/:_authToken={SECRET}",
        header=BEARER,
    ),
    NpmCase(
        id="registry of the scope, general one in the environment",
        npmrc=f"@openai:registry=http://{{HOST}}/npm/\n//{{HOST}}/npm/:_authToken={SECRET}",
        env={"NPM_CONFIG_REGISTRY": "http://127.0.0.1:1/"},
        header=BEARER,
    ),
    NpmCase(
        id="registry with a password",
        npmrc=f"registry=http://me:{SECRET}@{{HOST}}/npm/",
        header=BASIC,
    ),
    NpmCase(
        id="registry with a password, and a token",
        npmrc=f"registry=http://me:older@{{HOST}}/npm/\n//{{HOST}}/npm/:_authToken={SECRET}",
        header=BEARER,
    ),
)
