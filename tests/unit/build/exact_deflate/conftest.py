import os
import shutil

import pytest

from factory.build.exact_deflate import Library, open_library
from factory.build.exact_deflate.compiled import COMPILERS
from factory.system.process import SubprocessRunner


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    if not any(shutil.which(name, path=os.defpath) for name in COMPILERS):
        pytest.skip("there is no C compiler")
    directory = tmp_path_factory.mktemp("exact-deflate") / "private"
    return open_library(directory=directory, search_path=os.defpath, runner=SubprocessRunner())
