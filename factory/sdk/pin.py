"""The pin of a manifest: the exact requirement with its hashes, in the formats that installers read."""

from enum import StrEnum

import tomlkit
from packaging.pylock import Package, PackageWheel, Pylock
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.build.template import DISTRIBUTION
from factory.verify.proof import ProvenManifest

PYLOCK_VERSION = Version("1.0")
"""https://packaging.python.org/specifications/pylock-toml/"""
REQUIREMENTS_NAME = "requirements-codex.txt"


class PinFormat(StrEnum):
    """The formats of a pin."""

    REQUIREMENT = "requirement"
    REQUIREMENTS = "requirements"
    PYLOCK = "pylock"
    COMMANDS = "commands"


def render_pin(proven: ProvenManifest, form: PinFormat) -> str:
    """Return a pin in one format, with a newline at its end."""
    match form:
        case PinFormat.REQUIREMENT:
            return f"{requirement(proven)}\n"
        case PinFormat.REQUIREMENTS:
            return requirements(proven)
        case PinFormat.PYLOCK:
            return pylock(proven)
        case PinFormat.COMMANDS:
            return commands(proven)


def requirement(proven: ProvenManifest) -> str:
    """Return the requirement, ``openai-codex-cli-bin==0.163.0``."""
    return f"{DISTRIBUTION}=={proven.manifest.tag.pep440}"


def requirements(proven: ProvenManifest) -> str:
    """Return a requirements file with hashes: pip installs only these wheels."""
    hashes = (f"    --hash=sha256:{wheel.sha256}" for wheel in proven.wheels)
    return " \\\n".join((requirement(proven), *hashes)) + "\n"


def pylock(proven: ProvenManifest) -> str:
    """Return a ``pylock.toml`` (PEP 751) for the directory of the wheels: it names them by relative paths."""
    lock = Pylock(
        lock_version=PYLOCK_VERSION,
        created_by="codex-wheel-factory",
        packages=[
            Package(
                name=canonicalize_name(DISTRIBUTION),
                version=Version(proven.manifest.tag.pep440),
                wheels=[
                    PackageWheel(
                        name=wheel.name,
                        path=wheel.name,
                        size=wheel.size_bytes,
                        hashes={"sha256": str(wheel.sha256)},
                    )
                    for wheel in proven.wheels
                ],
            )
        ],
    )
    lock.validate()
    return tomlkit.dumps(lock.to_dict())


def commands(proven: ProvenManifest) -> str:
    """Return commands: write the hashes to a file, install with them, or add the pin to a project."""
    pin = f"factory pin {proven.directory} --format requirements > {REQUIREMENTS_NAME}"
    options = f"--require-hashes --find-links {proven.directory} -r {REQUIREMENTS_NAME}"
    return (
        f"{pin}\npython -m pip install {options}\nuv pip install {options}\nuv add '{requirement(proven)}'\n"
    )
