"""Make the wheel's tag ``py3-none-<platform>``, and refuse an sdist.

The package holds executables and no compiled Python, so the tag depends on no
Python version or ABI, and the backend cannot infer the platform: the executables
were built elsewhere.
"""

import os
import re
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

OPTION = "platform-tag"
VARIABLE = "CODEX_CLI_BIN_PLATFORM_TAG"
RUNNING_PLATFORMS = (
    "manylinux_2_17_x86_64",
    "manylinux_2_17_aarch64",
    "musllinux_1_1_x86_64",
    "musllinux_1_1_aarch64",
    "macosx_11_0_arm64",
    "macosx_10_12_x86_64",
    "win_amd64",
    "win_arm64",
)


class PlatformWheelHook(BuildHookInterface):  # type: ignore[type-arg]  # older backends have no parameter
    """The hook that hatchling runs before each build."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Set the wheel's tag, or stop the build of anything but a wheel."""
        if self.target_name != "wheel":
            message = (
                f"openai-codex-cli-bin is wheel-only: {self.target_name} is refused, because it could not"
                " select the executables of a platform. Run: python -m build --wheel"
            )
            raise RuntimeError(message)
        build_data["pure_python"] = False
        build_data["infer_tag"] = False
        build_data["tag"] = f"py3-none-{platform_tag(self.config)}"


def platform_tag(config: dict[str, Any]) -> str:
    """Take the tag from the hook's table, else from the environment, else from the running platform."""
    tag = config.get(OPTION) or os.environ.get(VARIABLE) or running_platform_tag()
    if not isinstance(tag, str) or not re.fullmatch(r"[a-z0-9]+(?:_[a-z0-9]+)+", tag):
        message = f"{tag!r} is not a platform tag; write it like manylinux_2_17_x86_64 or win_amd64"
        raise ValueError(message)
    return tag


def running_platform_tag() -> str:
    """Return the first tag of the Codex wheels that this machine accepts.

    The newest tag of the machine itself (``manylinux_2_41_x86_64``) would exclude machines that can run the
    executables: they do not depend on the libc of the machine that builds the wheel.
    """
    accepted = set(platform_tags())
    for tag in RUNNING_PLATFORMS:
        if tag in accepted:
            return tag
    message = f"Codex has no wheel for this machine; name another platform in {VARIABLE}"
    raise RuntimeError(message)
