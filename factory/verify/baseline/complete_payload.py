"""Refuse a release package that lacks executables of its release."""

import fnmatch

from factory.build.payload_rules import VOICE, ZSH
from factory.core.errors import IntegrityError
from factory.core.model import Payload
from factory.core.tags import CodexTag
from factory.verify.baseline.executables import ExecutableIndex, is_own_build


def require_complete(payload: Payload, tag: CodexTag, executables: ExecutableIndex) -> None:
    """Refuse a payload without an executable that its release has.

    Names are compared, not paths: channels differ in the layout of older releases. What wheels leave out
    may be missing: the wheel is the same.

    Raises:
        IntegrityError: An executable is missing.
    """
    package = executables.expected(tag, payload.target)
    if package is None or is_own_build((file.sha256 for file in payload.files), executables):
        return
    present = {file.path.name for file in payload.files}
    missing = [
        str(path)
        for path in package.digests
        if path.name not in present
        and not any(fnmatch.fnmatchcase(str(path), pattern) for pattern in (VOICE, ZSH))
    ]
    if missing:
        raise IntegrityError(
            f"the package lacks {', '.join(missing)},"
            f" which {package.release.pep440} for {payload.target} has",
            hint="Stage the whole release package. If upstream left the file out, add the release with"
            " 'factory ci baseline executables'.",
        )
