"""The settings from environment variables, which only this module reads."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from factory.core.errors import UsageError

ENCODERS = ("exact_deflate", "zlib")
"""The deflate encoders, the default first."""

ENVIRONMENT_HELP = """\
environment:
  FACTORY_CACHE_DIR      directory of downloads, toolchains and compressed files
  FACTORY_ENCODER        zlib: use zlib, which is slower; the bytes are the same
  FACTORY_DEFLATE_LIMIT  size of the compressed files to keep (default: 8GB)
  FACTORY_IMAGE          builder image (default: codex-wheel-factory:local)
  FACTORY_NPM_REGISTRY   URL of the npm registry (default: npm's configuration)
  FACTORY_GITHUB_API     URL of the GitHub API
  GITHUB_TOKEN           token for the GitHub API
  HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, REQUESTS_CA_BUNDLE, DOCKER_*, PIP_* and
  UV_* have their usual meaning
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings that the environment gives; options override them.

    Attributes:
        encoder: One of `ENCODERS`.
        deflate_limit: Size of the compressed files to keep after a run, with a unit: ``8GB``.
        environ: The whole environment, for the child processes that need it: npm and pip.
    """

    cache_dir: Path
    encoder: str
    deflate_limit: str | None
    image: str | None
    npm_registry: str | None
    github_api: str | None
    github_token: str | None
    environ: Mapping[str, str]

    @property
    def search_path(self) -> str:
        """Return ``PATH``."""
        return self.environ.get("PATH", "")

    @property
    def host_env(self) -> Mapping[str, str]:
        """Return the variables that every process needs: ``SYSTEMROOT`` on Windows."""
        return {name: self.environ[name] for name in ("SYSTEMROOT",) if name in self.environ}

    @property
    def client_env(self) -> Mapping[str, str]:
        """Return the variables that the container engine's command line reads."""
        return {
            name: value
            for name, value in self.environ.items()
            if name == "PATH" or name.startswith("DOCKER_")
        }

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings from environment variables."""
        cache_dir = environ.get("FACTORY_CACHE_DIR") or platformdirs.user_cache_dir("codex-wheel-factory")
        return cls(
            cache_dir=Path(cache_dir).absolute(),  # programs in it are started from other directories
            encoder=_encoder(environ.get("FACTORY_ENCODER") or ENCODERS[0]),
            deflate_limit=environ.get("FACTORY_DEFLATE_LIMIT") or None,
            image=environ.get("FACTORY_IMAGE") or None,
            npm_registry=environ.get("FACTORY_NPM_REGISTRY") or None,
            github_api=environ.get("FACTORY_GITHUB_API") or environ.get("GITHUB_API_URL"),
            github_token=environ.get("GITHUB_TOKEN") or None,
            environ=dict(environ),
        )


def _encoder(name: str) -> str:
    if name in ENCODERS:
        return name
    raise UsageError(
        f"FACTORY_ENCODER is {name!r}, which is not the name of an encoder",
        hint=f"Set it to {' or '.join(ENCODERS)}, or remove it.",
    )
