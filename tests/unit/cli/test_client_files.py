import os
import platform
import sys
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest

from factory.cli.client_files import client_files
from factory.cli.settings import Settings

SETTINGS = replace(Settings.from_environ(), environ={})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
def test_the_places_on_linux(home: Path) -> None:
    files = client_files(SETTINGS)
    assert files.pip_global == (Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"))
    assert files.pip_user == (home / ".pip/pip.conf", home / ".config/pip/pip.conf")
    assert files.pip_sites == (Path(sys.prefix) / "pip.conf",)
    assert files.uv_user == home / ".config/uv/uv.toml"
    assert files.uv_system == (Path("/etc/xdg/uv/uv.toml"), Path("/etc/uv/uv.toml"))
    assert (files.directory, files.home) == (Path.cwd(), home)


@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
def test_the_places_that_variables_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dirs = os.pathsep.join((str(home / "a"), str(home / "b")))
    variables = {"XDG_CONFIG_HOME": str(home / "x"), "XDG_CONFIG_DIRS": dirs, "VIRTUAL_ENV": str(home / "v")}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    files = client_files(replace(SETTINGS, environ=variables))
    assert files.pip_global == (home / "a/pip/pip.conf", home / "b/pip/pip.conf", Path("/etc/pip.conf"))
    assert files.pip_user == (home / ".pip/pip.conf", home / "x/pip/pip.conf")
    assert files.pip_sites == (Path(sys.prefix) / "pip.conf", home / "v/pip.conf")
    assert files.uv_user == home / "x/uv/uv.toml"
    assert files.uv_system == (home / "a/uv/uv.toml", home / "b/uv/uv.toml", Path("/etc/uv/uv.toml"))


def test_the_active_environment_may_be_this_one() -> None:
    files = client_files(replace(SETTINGS, environ={"VIRTUAL_ENV": sys.prefix}))
    assert files.pip_sites == (Path(sys.prefix) / "pip.conf",)


def test_the_places_on_windows(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.setattr(platformdirs, "site_data_dir", lambda *_, **__: "all/pip")
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda *_, **__: "roaming/pip")
    files = client_files(replace(SETTINGS, environ={"APPDATA": "roaming", "PROGRAMDATA": "all"}))
    assert files.pip_global == (Path("all/pip/pip.ini"),)
    assert files.pip_user == (home / "pip/pip.ini", Path("roaming/pip/pip.ini"))
    assert files.pip_sites == (Path(sys.prefix) / "pip.ini",)
    assert files.uv_user == Path("roaming/uv/uv.toml")
    assert files.uv_system == (Path("all/uv/uv.toml"),)


@pytest.mark.parametrize(("is_there", "place"), [(True, "Library/pip"), (False, ".config/pip")])
def test_the_user_s_file_on_macos(
    home: Path, monkeypatch: pytest.MonkeyPatch, *, is_there: bool, place: str
) -> None:
    """Return the directory of macOS if it exists, and else that of Linux, as pip does."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platformdirs, "site_data_dir", lambda *_, **__: "/Library/pip:/opt/pip")
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda *_, **__: str(home / "Library/pip"))
    if is_there:
        (home / "Library/pip").mkdir(parents=True)
    files = client_files(SETTINGS)
    assert files.pip_global == (Path("/Library/pip/pip.conf"), Path("/opt/pip/pip.conf"))
    assert files.pip_user == (home / ".pip/pip.conf", home / place / "pip.conf")
