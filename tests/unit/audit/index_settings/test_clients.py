"""The settings of pip and uv as the clients read them, and settings that cannot be read."""

from pathlib import Path

import pytest

from factory.audit.index_settings.pip_settings import COMMANDS, pip_settings
from factory.audit.index_settings.setting import ClientSettings, Setting
from factory.audit.index_settings.uv_settings import uv_settings
from factory.core.errors import UsageError
from tests.client_settings.case import (
    PIP_GLOBAL,
    PIP_LEGACY,
    PIP_USER,
    UV_SYSTEM,
    UV_USER,
    Case,
    conf,
    index,
    index_url,
    names,
    pip,
    uv,
)
from tests.client_settings.pip_cases import PIP_CASES
from tests.client_settings.uv_cases import SOURCES, UV_CASES

SERVER = "https://index.example.invalid"
PROJECT = "no-such-project"


def read_pip(case: Case, root: Path) -> ClientSettings:
    case.write(root, SERVER)
    found = pip_settings(case.environ(root, SERVER), case.settings_files(root))
    return dict(zip(COMMANDS, found, strict=True))[case.command]


def read_uv(case: Case, root: Path) -> ClientSettings:
    case.write(root, SERVER)
    found = uv_settings(case.environ(root, SERVER), case.settings_files(root), project=PROJECT)
    return dict(zip(("lock", "pip"), found, strict=True))[case.command]


@pytest.mark.parametrize("case", PIP_CASES, ids=lambda case: case.id)
def test_pip_s_settings(case: Case, tmp_path: Path) -> None:
    assert names(read_pip(case, tmp_path)) == (case.asked, case.also)


@pytest.mark.parametrize("case", UV_CASES, ids=lambda case: case.id)
def test_uv_s_settings(case: Case, tmp_path: Path) -> None:
    assert names(read_uv(case, tmp_path)) == (case.asked, case.also)


def test_the_file_of_the_environment_overrides_that_of_the_user(tmp_path: Path) -> None:
    site = {"venv/pip.conf": conf("index-url", "site")}
    case = pip("", "site", files={PIP_USER: conf("index-url", "user"), **site})
    assert names(read_pip(case, tmp_path)) == ("site", frozenset())


def test_an_empty_value_hides_a_value_for_all_users(tmp_path: Path) -> None:
    case = pip("", "", files={PIP_USER: "[global]\nindex-url =\n", PIP_GLOBAL: conf("index-url", "all")})
    assert names(read_pip(case, tmp_path)) == ("", frozenset())


def test_a_source_of_the_project_is_another_place(tmp_path: Path) -> None:
    found = read_uv(uv("", "", files={"work/pyproject.toml": SOURCES}, command="lock"), tmp_path)
    place = f"tool.uv.sources.no-such-project.index in {tmp_path / 'work' / 'pyproject.toml'}"
    assert found.extra_indexes == (Setting(value=f"{SERVER}/assigned/simple/", place=place),)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('{ url = "https://files.example.invalid/x.whl" }', "https://files.example.invalid/x.whl"),
        ('[{ path = "x" }]', "x"),
        ('{ index = "missing" }', "missing"),
        ("{ workspace = true }", "another source"),
    ],
)
def test_every_source_of_the_project_is_another_place(source: str, value: str, tmp_path: Path) -> None:
    files = {"work/uv.toml": f"[sources]\n\"No_Such.Project\" = {source}\nother = {{ path = 'y' }}\n"}
    found = read_uv(uv("", "", files=files), tmp_path)
    assert [setting.value for setting in found.extra_indexes] == [value]


def test_a_page_of_files_in_the_list_of_indexes_is_no_index(tmp_path: Path) -> None:
    files = {UV_USER: index("flat", default="true", format='"flat"')}
    assert names(read_uv(uv("", "", files=files), tmp_path)) == ("", frozenset({"flat"}))


@pytest.mark.parametrize(
    ("env", "value"),
    [
        ({"USERNAME": "me", "PASSWORD": "a/b@c"}, "https://me:a%2Fb%40c@index.example.invalid/user/simple/"),
        ({"USERNAME": "me"}, "https://me:@index.example.invalid/user/simple/"),
        ({"PASSWORD": ""}, "https://index.example.invalid/user/simple/"),
    ],
)
def test_variables_have_the_credentials_of_a_named_index(
    env: dict[str, str], value: str, tmp_path: Path
) -> None:
    variables = {f"UV_INDEX_MY_COMPANY_1_{name}": text for name, text in env.items()}
    files = {UV_USER: index("user", default="true", name='"my-company.1"')}
    found = read_uv(uv("", "", env=variables, files=files), tmp_path)
    assert found.index == Setting(value=value, place=f"index.url in {tmp_path}/{UV_USER}")


def test_the_credentials_in_an_address_are_kept(tmp_path: Path) -> None:
    variables = {
        "UV_INDEX_COMPANY_USERNAME": "me",
        "UV_DEFAULT_INDEX": "company=https://you:word@index.example.invalid/simple",
    }
    found = read_uv(uv("", "", env=variables), tmp_path)
    place = Setting(value="https://you:word@index.example.invalid/simple", place="UV_DEFAULT_INDEX")
    assert found.index == place


def test_an_explicit_default_leaves_no_index(tmp_path: Path) -> None:
    files = {UV_USER: index("user", default="true", explicit="true", name='"x"')}
    found = read_uv(uv("", "", files=files), tmp_path)
    assert found.no_index == Setting(
        value=f"{SERVER}/user/simple/", place=f"index.url in {tmp_path}/{UV_USER}"
    )


def test_the_links_of_uv_are_joined(tmp_path: Path) -> None:
    case = uv(
        "",
        "",
        env={"UV_FIND_LINKS": "{U}/one/, {U}/two/"},
        files={UV_USER: 'find-links = ["{U}/three/"]\n[pip]\nfind-links = ["{U}/four/"]\n'},
    )
    assert names(read_uv(case, tmp_path)) == ("", frozenset({"one", "two", "three", "four"}))


def test_a_place_names_the_variable_or_the_key_and_the_file(tmp_path: Path) -> None:
    files = {PIP_USER: conf("Index_URL", "user", section="download")}
    found = read_pip(pip("", "user", files=files, env={"PIP_NO_INDEX": "yes"}), tmp_path)
    assert found.no_index == Setting(value="yes", place="PIP_NO_INDEX")
    assert found.index is not None
    assert found.index.place == f"index-url in [download] of {tmp_path}/{PIP_USER}"


@pytest.mark.parametrize(
    ("files", "env", "message"),
    [
        ({PIP_USER: "index-url = x\n"}, {}, f"{PIP_USER}: File contains no section headers"),
        ({PIP_LEGACY: "[global\n"}, {}, f"{PIP_LEGACY}: File contains no section headers"),
        (
            {PIP_GLOBAL: "[global]\nindex-url = x\nindex_url = y\n"},
            {},
            f"{PIP_GLOBAL}: While reading .* option 'index-url' in section 'global' already exists",
        ),
        ({f"{PIP_USER}/x": ""}, {}, f"{PIP_USER}: Is a directory"),
        (
            {},
            {"PIP_CONFIG_FILE": "{D}/missing"},
            "PIP_CONFIG_FILE names a file that does not exist: .*/missing",
        ),
        ({}, {"PIP_NO_INDEX": "perhaps"}, "PIP_NO_INDEX is neither true nor false"),
        ({PIP_USER: "[global]\nno-index = 2\n"}, {}, f"no-index in \\[global\\] of .*{PIP_USER} is neither"),
    ],
)
def test_settings_of_pip_that_cannot_be_read_are_an_error(
    files: dict[str, str], env: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        read_pip(pip("", "", files=files, env=env), tmp_path)
    assert caught.value.hint.endswith("Name the index with --index-url.")


@pytest.mark.parametrize(
    ("files", "env", "message"),
    [
        ({UV_USER: "index-url ="}, {}, f"{UV_USER}: Invalid value"),
        ({UV_SYSTEM: "index-url = 3"}, {}, f"{UV_SYSTEM}: index-url should be a string"),
        ({UV_USER: "extra-index-url = 'x'"}, {}, "extra-index-url should be a list of strings"),
        ({UV_USER: "find-links = [3]"}, {}, "find-links should be a list of strings"),
        ({UV_USER: "no-index = 'yes'"}, {}, "no-index should be true or false"),
        ({UV_USER: "index = ['x']"}, {}, "index should be a table"),
        ({UV_USER: "pip = 3"}, {}, "pip should be a table"),
        ({UV_USER: index("x", default="1")}, {}, "index.default should be true or false"),
        ({"work/pyproject.toml": "x ="}, {}, "work/pyproject.toml: Invalid value"),
        ({"work/pyproject.toml": "tool = 3"}, {}, "tool should be a table"),
        ({"work/pyproject.toml": "[tool]\nuv = 3"}, {}, "tool.uv should be a table"),
        ({"work/uv.toml/x": ""}, {}, "work/uv.toml: Is a directory"),
        ({}, {"UV_CONFIG_FILE": "missing"}, "work/missing: UV_CONFIG_FILE names it, and it does not exist"),
    ],
)
def test_settings_of_uv_that_cannot_be_read_are_an_error(
    files: dict[str, str], env: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        read_uv(uv("", "", files=files, env=env), tmp_path)
    assert caught.value.hint.endswith("Name the index with --index-url.")


def test_bytes_that_are_no_text_are_an_error(tmp_path: Path) -> None:
    case = uv("", "", files={UV_USER: index_url("user")})
    case.write(tmp_path, SERVER)
    (tmp_path / UV_USER).write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"uv\.toml: 'utf-8' codec can't decode"):
        uv_settings({}, case.settings_files(tmp_path), project=PROJECT)
