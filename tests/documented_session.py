"""The documented commands that need the registries, in the order of one session in one directory.

`tests/integration/test_documented_session.py` runs them with a shell, as they are in the pages. A
``factory.toml`` reduces the release to one platform, which a page does not show.
"""

from dataclasses import dataclass

PLATFORM = "manylinux_2_17_x86_64"
SETTINGS = f"""
[wheels]
platform = ["{PLATFORM}"]

[audit]
platform = ["{PLATFORM}"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command.

    Attributes:
        status: Its exit status; 24 if it has something to report.
        before: A shell command that prepares it, which no page has.
    """

    line: str
    status: int = 0
    before: str = ":"


SESSION = (
    Step(line="factory doctor"),
    Step(line="factory wheels 0.163.0"),
    Step(line="(cd dist/0.163.0 && sha256sum --check SHA256SUMS)"),
    Step(line=f"python -m pip install dist/0.163.0/openai_codex_cli_bin-0.163.0-py3-none-{PLATFORM}.whl"),
    Step(line="python -m codex_cli_bin --version"),
    Step(line="factory audit 0.163.0"),
    Step(line="factory audit 0.163.0 --format html --output audit.html"),
    Step(line="factory audit 0.163.0 --format json > audit.json"),
    Step(
        line="factory statement create audit.json --key codex.key",
        before="factory statement create --new-key codex.key",
    ),
    Step(line=f"factory bundle 0.163.0 --out codex-0.163.0 --platform {PLATFORM} --no-program"),
    Step(line="factory sdk types --codex-version rust-v0.163.0 --out src/openai_codex/generated"),
    Step(line="factory sdk types --codex-version 0.163.0 --out src/openai_codex/generated --check"),
    Step(line="factory sdk types --compare 0.147.0 0.163.0"),
    Step(line="factory sdk types --compare 0.147.0 0.163.0 --fail-on writers", status=24),
    Step(line="factory sdk stage sdk/ --codex-version 0.171.0"),
    Step(line="factory sdk types --codex-version 0.171.0 --sdk openai-codex==0.163.0", status=24),
    Step(
        line="factory sdk stage sdk/ --sdk-source openai-codex==0.163.0 --codex-version 0.171.0"
        " --regenerate --raise-minimum",
        before="rm -r sdk",
    ),
)
