"""Which index is chosen, and when the settings leave a choice."""

from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit.index_settings.choice import choose_index
from factory.audit.index_settings.setting import Setting, shown_address
from factory.core.errors import UsageError
from tests.client_settings.case import (
    PIP_USER,
    UV_USER,
    Case,
    conf,
    extra,
    index,
    index_url,
    pip,
    url,
)

SERVER = "https://index.example.invalid"
DEFAULT = "https://public.example.invalid/simple/"
PROJECT = "openai-codex-cli-bin"
LOGIN = "me:hunter2"
SECRET = LOGIN.partition(":")[2]


def choose(case: Case, root: Path, flag: str | None = None) -> Setting:
    case.write(root, SERVER)
    files = case.settings_files(root)
    return choose_index(flag, case.environ(root, SERVER), files, project=PROJECT, default=DEFAULT)


def settings(*, env: dict[str, str] | None = None, files: dict[str, str] | None = None) -> Case:
    return pip("", "", env=env, files=files)


def test_without_any_setting_the_default_is_used(tmp_path: Path) -> None:
    assert choose(settings(), tmp_path) == Setting(value=DEFAULT, place="the default of pip and uv")


def test_the_option_overrides_everything_even_files_that_cannot_be_read(tmp_path: Path) -> None:
    case = settings(env={"PIP_NO_INDEX": "1"}, files={PIP_USER: "no section", UV_USER: "="})
    flag = "https://other.example.invalid/simple"
    assert choose(case, tmp_path, flag) == Setting(value=flag, place="--index-url")


@pytest.mark.parametrize(
    ("case", "value", "place"),
    [
        (settings(env={"PIP_INDEX_URL": url("env")}), "env", "PIP_INDEX_URL"),
        (settings(env={"UV_DEFAULT_INDEX": url("env")}), "env", "UV_DEFAULT_INDEX"),
        (
            settings(files={UV_USER: index("user", default="true")}),
            "user",
            f"index.url in {{D}}/{UV_USER}",
        ),
        # Only one command of pip has a setting: the other one names no index.
        (
            settings(files={PIP_USER: conf("index-url", "user", section="install")}),
            "user",
            f"index-url in [install] of {{D}}/{PIP_USER}",
        ),
        # pip and uv name the same index, spelled in two ways.
        (
            settings(
                env={"UV_DEFAULT_INDEX": "HTTPS://INDEX.example.invalid/user/simple#x"},
                files={PIP_USER: conf("index-url", "user")},
            ),
            "user",
            f"index-url in [global] of {{D}}/{PIP_USER}",
        ),
    ],
)
def test_the_only_index_is_used(case: Case, value: str, place: str, tmp_path: Path) -> None:
    expected = Setting(value=f"{SERVER}/{value}/simple/", place=place.replace("{D}", str(tmp_path)))
    assert choose(case, tmp_path) == expected


def test_the_active_environment_can_have_another_index(tmp_path: Path) -> None:
    """The factory can be installed elsewhere than in the environment whose pip the user calls."""
    case = settings(
        files={"venv/pip.conf": conf("index-url", "one"), "active/pip.conf": conf("index-url", "two")}
    )
    case.write(tmp_path, SERVER)
    files = case.settings_files(tmp_path)
    sites = (*files.pip_sites, tmp_path / "active/pip.conf")
    with pytest.raises(UsageError, match=r"different package indexes: .*/one/simple/ .*, .*/two/simple/ "):
        choose_index(None, {}, replace(files, pip_sites=sites), project=PROJECT, default=DEFAULT)


def test_of_equal_addresses_the_one_with_credentials_is_used(tmp_path: Path) -> None:
    address = f"https://{LOGIN}@index.example.invalid/user/simple/"
    case = settings(env={"UV_INDEX_URL": address}, files={PIP_USER: conf("index-url", "user")})
    assert choose(case, tmp_path) == Setting(value=address, place="UV_INDEX_URL")


@pytest.mark.parametrize(
    ("case", "listed"),
    [
        (
            settings(env={"UV_DEFAULT_INDEX": url("uv")}, files={PIP_USER: conf("index-url", "pip")}),
            ("pip/simple/ (index-url in [global] {user_pip})", "uv/simple/ (UV_DEFAULT_INDEX)"),
        ),
        (
            settings(
                files={PIP_USER: conf("index-url", "one", section="install") + conf("index-url", "two")}
            ),
            (
                "one/simple/ (index-url in [install] {user_pip})",
                "two/simple/ (index-url in [global] {user_pip})",
            ),
        ),
        (
            settings(files={UV_USER: index_url("one") + "[pip]\n" + index_url("two")}),
            ("one/simple/ (index-url in {user_uv})", "two/simple/ (pip.index-url in {user_uv})"),
        ),
        (
            settings(
                env={
                    "PIP_INDEX_URL": f"https://{LOGIN}@index.example.invalid/simple/",
                    "UV_INDEX_URL": f"https://you:{SECRET}@index.example.invalid/simple/",
                }
            ),
            ("simple/ (PIP_INDEX_URL)", "simple/ (UV_INDEX_URL)"),
        ),
    ],
)
def test_two_indexes_are_an_error_with_both_places(
    case: Case, listed: tuple[str, str], tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        choose(case, tmp_path)
    files = {"user_pip": f"of {tmp_path}/{PIP_USER}", "user_uv": f"{tmp_path}/{UV_USER}"}
    places = ", ".join(f"{SERVER}/{text.format_map(files)}" for text in listed)
    assert str(caught.value) == f"the settings of pip and uv name different package indexes: {places}"
    assert caught.value.hint == "Name the index with --index-url."


@pytest.mark.parametrize(
    ("case", "other"),
    [
        (
            settings(env={"PIP_EXTRA_INDEX_URL": url("extra")}),
            f"{SERVER}/extra/simple/ (PIP_EXTRA_INDEX_URL)",
        ),
        (settings(env={"UV_INDEX": f"https://{LOGIN}@a.invalid/"}), "https://a.invalid/ (UV_INDEX)"),
        (
            settings(files={UV_USER: extra("extra")}),
            f"{SERVER}/extra/simple/ (extra-index-url in {{D}}/{UV_USER})",
        ),
        (settings(env={"PIP_FIND_LINKS": "{U}/links"}), f"{SERVER}/links (PIP_FIND_LINKS)"),
        (settings(env={"UV_FIND_LINKS": "links"}), "links (UV_FIND_LINKS)"),
        # Directories and pages on this machine that have files of the project, or may have them.
        (
            settings(
                env={"PIP_EXTRA_INDEX_URL": "file://{D}/extra"},
                files={"extra/openai-codex-cli-bin/index.html": ""},
            ),
            "file://{D}/extra (PIP_EXTRA_INDEX_URL)",
        ),
        (
            settings(env={"PIP_FIND_LINKS": "{D}/links"}, files={"links/openai_codex_cli_bin-1.whl": ""}),
            "{D}/links (PIP_FIND_LINKS)",
        ),
        (
            settings(env={"PIP_FIND_LINKS": "~/links"}, files={"home/links/OpenAI.codex-cli_bin-1.zip": ""}),
            "~/links (PIP_FIND_LINKS)",
        ),
        (
            settings(env={"PIP_FIND_LINKS": "{D}/links"}, files={"links/page.html": ""}),
            "{D}/links (PIP_FIND_LINKS)",
        ),
        (settings(env={"PIP_FIND_LINKS": "{D}/x.html"}, files={"x.html": ""}), "{D}/x.html (PIP_FIND_LINKS)"),
        (settings(env={"PIP_FIND_LINKS": "file://server/x"}), "file://server/x (PIP_FIND_LINKS)"),
    ],
)
def test_another_place_that_can_have_the_files_is_an_error(case: Case, other: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        choose(case, tmp_path)
    assert str(caught.value) == (
        f"pip or uv could download {PROJECT} from several places:"
        f" {DEFAULT} (the default of pip and uv), {other.replace('{D}', str(tmp_path))}"
    )


@pytest.mark.parametrize(
    ("env", "files"),
    [
        ({"PIP_EXTRA_INDEX_URL": DEFAULT}, {}),
        ({"PIP_EXTRA_INDEX_URL": "file://{D}/extra"}, {"extra/other/index.html": ""}),
        ({"PIP_EXTRA_INDEX_URL": "file://localhost{D}/missing"}, {}),
        ({"PIP_EXTRA_INDEX_URL": "{D}/extra"}, {"extra": "a file"}),
        ({"PIP_FIND_LINKS": "{D}/links"}, {"links/other-1.whl": "", "links/openai_codex-1.whl": ""}),
        ({"PIP_FIND_LINKS": "file:{D}/with%20blank"}, {"with blank/other-1.whl": ""}),
        ({"PIP_FIND_LINKS": "{D}/missing"}, {}),
    ],
)
def test_places_that_cannot_have_the_files_are_ignored(
    env: dict[str, str], files: dict[str, str], tmp_path: Path
) -> None:
    assert choose(settings(env=env, files=files), tmp_path).value == DEFAULT


@pytest.mark.parametrize(
    ("case", "place"),
    [
        (settings(env={"PIP_NO_INDEX": "1"}), "PIP_NO_INDEX"),
        (settings(files={UV_USER: "no-index = true"}), f"no-index in {{D}}/{UV_USER}"),
    ],
)
def test_a_setting_that_forbids_indexes_is_an_error(case: Case, place: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        choose(case, tmp_path)
    assert str(caught.value) == (
        f"the settings allow no package index: {place.replace('{D}', str(tmp_path))}"
    )
    assert "--wheel FILE --no-index" in caught.value.hint


@pytest.mark.parametrize(
    "value",
    [
        f"{LOGIN}@index.example.invalid/simple",
        f"ftp://{LOGIN}@index.example.invalid/simple",
        f"https://{LOGIN}@/simple",
        f"https://{LOGIN}@index.example.invalid:port/simple",
        f"https://[{LOGIN}@index.example.invalid/simple",
        f"https://{LOGIN}@a.example.invalid/ https://b.example.invalid/",
        "file:///srv/index",
        "./index",
        "company",
    ],
)
@pytest.mark.parametrize("place", ["PIP_INDEX_URL", "UV_INDEX_URL", "--index-url"])
def test_an_address_that_cannot_be_asked_is_an_error_without_its_value(
    value: str, place: str, tmp_path: Path
) -> None:
    flag = value if place == "--index-url" else None
    with pytest.raises(UsageError) as caught:
        choose(settings(env={} if flag else {place: value}), tmp_path, flag)
    assert str(caught.value) == f"{place} is not the address of an index, with https:// or http://"
    assert SECRET not in f"{caught.value} {caught.value.hint}"


def test_an_empty_option_is_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--index-url is not the address of an index"):
        choose(settings(), tmp_path, "")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"https://{LOGIN}@a.invalid:8/x/?token={SECRET}#y", "https://a.invalid:8/x/"),
        ("/srv/links", "/srv/links"),
        (f"{LOGIN}@a.invalid/x", "an invalid address"),
        (f"https://[{LOGIN}@a.invalid/x", "an invalid address"),
    ],
)
def test_an_address_is_shown_without_secrets(value: str, shown: str) -> None:
    assert shown_address(value) == shown
