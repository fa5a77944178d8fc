"""The image's base is the one that cibuildwheel pins."""

import configparser
import os
import re
import sys
import zipfile
from pathlib import Path

import pytest

from factory.system.process import Command, SubprocessRunner
from tests.children import ROOT

pytestmark = pytest.mark.network

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_base_is_cibuildwheel_s_own_pin(tmp_path: Path) -> None:
    (version,) = re.findall(r"^# .*as pinned by cibuildwheel (\S+);", DOCKERFILE, re.MULTILINE)
    download = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(tmp_path))
    command = Command(argv=(*download, f"cibuildwheel=={version}"), env=os.environ)
    completed = SubprocessRunner().run(command)
    assert completed.returncode == 0, completed.output

    (wheel,) = tmp_path.glob("cibuildwheel-*.whl")
    pins = configparser.ConfigParser(inline_comment_prefixes="#")
    with zipfile.ZipFile(wheel) as archive:
        pins.read_string(archive.read("cibuildwheel/resources/pinned_docker_images.cfg").decode())
    (base,) = re.findall(r"^ARG BASE_IMAGE=(.+)$", DOCKERFILE, re.MULTILINE)
    assert base == pins["x86_64"]["manylinux_2_28"]
