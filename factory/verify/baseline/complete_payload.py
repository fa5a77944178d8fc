"""Refuse a release package that lacks executables of its release."""

from factory.core.errors import IntegrityError
from factory.core.model import Payload
from factory.core.tags import CodexTag
from factory.verify.baseline.executables import ExecutableIndex

_NOT_IN_EVERY_PACKAGE = ("codex-resources/voice/", "codex-resources/zsh/")
"""What wheels leave out, so that a package without it gives the same wheel."""


def require_complete(payload: Payload, tag: CodexTag, executables: ExecutableIndex) -> None:
    """Refuse a payload without an executable that its release has.

    Names are compared, not paths: channels differ in the layout of older releases. If the index knows no
    file of the payload, it is a build of its own, and nothing is known of what belongs to it.

    Raises:
        IntegrityError: An executable is missing.
    """
    package = executables.expected(tag, payload.target)
    if package is None or not any(executables.lookup(file.sha256) for file in payload.files):
        return
    present = {file.path.name for file in payload.files}
    missing = [
        str(path)
        for path in package.digests
        if path.name not in present and not str(path).startswith(_NOT_IN_EVERY_PACKAGE)
    ]
    if missing:
        raise IntegrityError(
            f"the package lacks {', '.join(missing)},"
            f" which {package.release.pep440} for {payload.target} has",
            hint="Stage the whole release package. If upstream left the file out, add the release with"
            " 'factory baseline executables'.",
        )
