"""Which SDK: a path, or an exact requirement that pip brings."""

from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from factory.sdk.pip import Pip


def bring_sdk(text: str, *, pip: Pip, scratch: Path) -> Path:
    """Return where an SDK is; what is no path and names one exact version is downloaded first.

    Only an exact requirement is one: a mistyped path must not become somebody's package.

    Raises:
        PipFailed: It could not be brought.
    """
    path = Path(text)
    return pip.download(text, scratch / "download") if is_exact(text) and not path.exists() else path


def is_exact(text: str) -> bool:
    """Whether a text is a requirement of one version, ``openai-codex==0.163.0``."""
    try:
        specifiers = list(Requirement(text).specifier)
    except InvalidRequirement:
        return False
    return [specifier.operator for specifier in specifiers] == ["=="] and "*" not in specifiers[0].version
