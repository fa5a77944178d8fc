"""A small SDK with generated types and methods, and the types of a newer release."""

from pathlib import Path

from factory.sdk.types.types_package import TypesPackage

OLD_MODELS = """\
from enum import Enum
from pydantic import BaseModel


class Effort(Enum):
    low = "low"
    high = "high"


class StartParams(BaseModel):
    model: str | None = None
    effort: Effort | None = None
    depth: int | None = None
    hidden: str | None = None
    title: str | None = None


class Started(BaseModel):
    id: str
"""
NEW_MODELS = """\
from enum import Enum
from typing import Annotated, Any
from pydantic import BaseModel, Field


class Effort(Enum):
    low = "low"
    high = "high"


class Place(BaseModel):
    path: str


class StartParams(BaseModel):
    model: list[str] | None = None
    effort: Effort | None = None
    extra: Annotated[dict[str, Any] | None, Field(alias="extraValues")] = None
    hidden: str | None = None
    place: Place | None = None
    title: str | None = None


class Started(BaseModel):
    id: str
"""
REGISTRY = "NOTIFICATION_MODELS = {}\n"
API = '''\
from __future__ import annotations

from dataclasses import dataclass

from .generated.v2_all import (
    Effort,
    Started,
    StartParams,
)


@dataclass
class Codex:
    client: Client

    # BEGIN GENERATED: Codex.flat_methods
    def run(
        self,
        *,
        depth: int | None = None,
        model: str | None = None,
        title: Title | None = None,
    ) -> Started:
        """Start and wait."""
        return self.start(depth=depth, model=model, title=title).wait()

    def start(
        self,
        *,
        depth: int | None = None,
        effort: Effort | None = None,
        model: str | None = None,
        title: Title | None = None,
    ) -> Started:
        """Start a thread."""
        params = StartParams(depth=depth, effort=effort, model=model, title=text_of(title))
        return self.client.start(params)

    def other(self) -> str:  # stays as it is
        return "other"

    # END GENERATED: Codex.flat_methods
'''
MINIMUM = '"""Limits."""\n\nMINIMUM_RUNTIME_VERSION = "0.151.0"\n'
PROJECT = """\
[project]
name = "small-sdk"
version = "0.163.0"
dependencies = ["openai-codex-cli-bin==0.163.0"]
"""


def small_sdk(path: Path, **changed: str) -> Path:
    """Write the SDK's project; a keyword replaces the text of the module with that name."""
    texts = {
        "pyproject.toml": PROJECT,
        "README.md": "# Small\n",
        "tests/limits.py": 'MIN_CLI_VERSION = "9.0.0"\n',
        "src/small_sdk/api.py": API,
        "src/small_sdk/limits.py": MINIMUM,
        "src/small_sdk/generated/v2_all.py": OLD_MODELS,
        "src/small_sdk/generated/notification_registry.py": REGISTRY,
        "src/small_sdk/generated/surplus.py": "",
    }
    for name, text in texts.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(changed.get(target.stem, text), encoding="utf-8")
    return path


def new_types() -> TypesPackage:
    """Return the types of the newer release."""
    texts = {"__init__.py": "", "notification_registry.py": REGISTRY, "v2_all.py": NEW_MODELS}
    return TypesPackage(files={name: text.encode() for name, text in texts.items()}, models=4, methods=0)
