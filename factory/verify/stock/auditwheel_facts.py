"""Ask auditwheel which policy a wheel complies with, and which files it analysed."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

from auditwheel.architecture import Architecture  # type: ignore[import-untyped]
from auditwheel.error import AuditwheelError  # type: ignore[import-untyped]
from auditwheel.libc import Libc  # type: ignore[import-untyped]
from auditwheel.wheel_abi import analyze_wheel_abi  # type: ignore[import-untyped]


def main(request: Path, answer: Path) -> None:
    """Analyse one wheel; with ``args_ldpaths=""`` the libraries of the host are not searched."""
    asked = json.loads(request.read_text(encoding="utf-8"))
    facts: dict[str, object] = {"version": version("auditwheel"), "error": None}
    try:
        result = analyze_wheel_abi(
            Libc(asked["libc"]),
            Architecture(asked["architecture"]),
            Path(asked["wheel"]),
            frozenset(),
            disable_isa_ext_check=False,
            allow_graft=False,
            args_ldpaths="",
        )
        facts["policy"] = result.overall_policy.name
        facts["policies"] = [policy.name for policy in result.policies]
        facts["analysed"] = [path.as_posix() for path in result.full_external_refs]
    except AuditwheelError as error:
        facts["error"] = f"{type(error).__name__}: {error}"
    answer.write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
