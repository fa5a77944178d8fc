"""What the environment says: the only reader of environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

ENVIRONMENT_HELP = """\
environment:
  FACTORY_CACHE_DIR     where downloads, toolchains and compressed members are kept
  FACTORY_DEFLATE_LIMIT how much of the compressed members stays after a run (else 8GB)
  FACTORY_IMAGE         the builder image (else codex-wheel-factory:local, which 'make image' makes)
  FACTORY_NPM_REGISTRY  address of the npm registry (else npm's own configuration, else the public one)
  FACTORY_GITHUB_API    address of the GitHub API (else the public one)
  GITHUB_TOKEN          token for the GitHub API
  HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, REQUESTS_CA_BUNDLE, DOCKER_* and PIP_* work as for other clients
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment decides; flags override it.

    Attributes:
        cache_dir: Where downloads and everything derived is kept.
        deflate_limit: How much of the deflated contents stays after a run, as text with a unit, if said.
        image: The builder image, if the environment names one.
        npm_registry: Address of the npm registry, if the environment names one.
        github_api: Address of the GitHub API, if the environment names one.
        github_token: Token for the GitHub API, if there is one.
        environ: The whole environment, for the child processes that need it: npm and pip.
    """

    cache_dir: Path
    deflate_limit: str | None
    image: str | None
    npm_registry: str | None
    github_api: str | None
    github_token: str | None
    environ: Mapping[str, str]

    @property
    def host_env(self) -> Mapping[str, str]:
        """The variables without which no process runs on this host: none but on Windows."""
        return {name: self.environ[name] for name in ("SYSTEMROOT",) if name in self.environ}

    @property
    def client_env(self) -> Mapping[str, str]:
        """The variables that the container engine's command line reads."""
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
            cache_dir=Path(cache_dir).absolute(),  # it holds programs, which run in other directories
            deflate_limit=environ.get("FACTORY_DEFLATE_LIMIT") or None,
            image=environ.get("FACTORY_IMAGE") or None,
            npm_registry=environ.get("FACTORY_NPM_REGISTRY") or environ.get("npm_config_registry"),
            github_api=environ.get("FACTORY_GITHUB_API") or environ.get("GITHUB_API_URL"),
            github_token=environ.get("GITHUB_TOKEN") or None,
            environ=dict(environ),
        )
