"""The documented commands that need the registries, in the order of one session in one directory.

`tests/integration/test_documented_session.py` runs them with a shell, as they are in the pages. A
``factory.toml`` reduces the release to a platform or two, which a page does not show.
"""

from dataclasses import dataclass

PLATFORM = "manylinux_2_17_x86_64"
WINDOWS = "win_arm64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command.

    Attributes:
        status: Its exit status; 24 if it has something to report.
        before: A shell command that prepares it, which no page has.
        server: A documented command that runs until this one has ended.
        platforms: Those of the release.
    """

    line: str
    status: int = 0
    before: str = ":"
    server: str = ""
    platforms: tuple[str, ...] = (PLATFORM,)

    @property
    def settings(self) -> str:
        """The text of ``factory.toml``."""
        named = ", ".join(f'"{one}"' for one in self.platforms)
        commands = ("wheels", "audit", "bundle")
        return "".join(f"[{command}]\nplatform = [{named}]\n" for command in commands)

    @property
    def script(self) -> str:
        """What a shell runs."""
        server = f"{self.server} & trap 'kill $!' EXIT; " if self.server else ""
        return f"{server}{self.before} && {self.line}"


_OTHERS = " ".join(
    f"--without {platform}"
    for platform in (
        *("macosx_10_12_x86_64", "macosx_11_0_arm64", "manylinux_2_17_aarch64", "musllinux_1_1_aarch64"),
        *("musllinux_1_1_x86_64", "win_amd64", WINDOWS),
    )
)
_PIN = f"factory sdk pin dist/0.163.0 {_OTHERS} --format"
_PINNED = (
    f"{_PIN} requirements --output requirements-codex.txt &&"
    f" {_PIN} index --output dist/0.163.0/openai-codex-cli-bin/index.html"
)
_UNINSTALL = "python -m pip uninstall --quiet --yes openai-codex-cli-bin"
_LIKE = "factory wheels 0.163.0 --like-published --out published"
_WHEEL = f"openai_codex_cli_bin-0.163.0-py3-none-{PLATFORM}.whl"
_LOCAL = f"openai_codex_cli_bin-0.163.0-py3-none-{WINDOWS}.whl"

SESSION = (
    Step(line="factory doctor"),
    Step(line="make wheels CODEX_TAG=rust-v0.163.0"),
    Step(line="factory wheels 0.163.0"),
    Step(line="(cd dist/0.163.0 && sha256sum --check SHA256SUMS)"),
    Step(line=f"python -m pip install dist/0.163.0/{_WHEEL}"),
    Step(line="python -m codex_cli_bin --version"),
    Step(
        line="python -m pip install --no-index --find-links dist/0.163.0/openai-codex-cli-bin/index.html"
        " --require-hashes -r requirements-codex.txt",
        before=f"{_PINNED} && {_UNINSTALL}",
    ),
    Step(
        line="python -m pip install --find-links dist/0.163.0/openai-codex-cli-bin/index.html"
        " --require-hashes -r requirements-codex.txt",
        before=_UNINSTALL,
    ),
    Step(line="make audit CODEX_TAG=rust-v0.163.0"),
    Step(line="factory audit 0.163.0"),
    Step(line="factory audit 0.163.0 --format html --output audit.html"),
    Step(line="factory audit 0.163.0 --format json > audit.json"),
    Step(
        line="factory statement create audit.json --key codex.key",
        before="factory statement create --new-key codex.key",
    ),
    Step(
        line=f"factory statement check statements/{_WHEEL}.audit.dsse.json --wheel {_WHEEL}"
        " --public-key codex.key.pub",
        before=f"{_LIKE} && cp published/*/{_WHEEL} .",
    ),
    Step(line=f"factory audit 0.163.0 --platform {WINDOWS}"),
    Step(line="factory wheels rust-v0.163.0 --require-authorship macos,windows", platforms=(WINDOWS,)),
    Step(
        line=f"factory audit --wheel {_LOCAL}",
        before=f"{_LIKE} && cp published/*/{_LOCAL} .",
        platforms=(WINDOWS,),
    ),
    # Its executable has an error.
    Step(line="factory audit --project deno 2.9.6 --platform macosx_11_0_arm64", status=24),
    Step(line=f"factory bundle 0.163.0 --out codex-0.163.0 --platform {PLATFORM} --no-program"),
    Step(
        line="factory bundle 0.163.0 --out codex-0.163.0",
        before="rm -r codex-0.163.0",
        platforms=(WINDOWS,),
    ),
    Step(line="factory wheels 0.163.0 --offline codex-0.163.0", before="rm -r dist", platforms=(WINDOWS,)),
    Step(line=f"factory audit --wheel {_LOCAL} --no-index --offline codex-0.163.0"),
    Step(line="make sdk CODEX_TAG=0.163.0 SDK=openai-codex==0.163.0"),
    Step(line="factory sdk types --codex-version rust-v0.163.0 --out src/openai_codex/generated"),
    Step(line="factory sdk types --codex-version 0.163.0 --out src/openai_codex/generated --check"),
    Step(line="factory sdk types --compare 0.147.0 0.163.0"),
    Step(line="factory sdk types --compare 0.147.0 0.163.0 --fail-on writers", status=24),
    Step(line="make sdk CODEX_TAG=rust-v0.171.0", before="rm -rf sdk"),
    Step(
        line="python3 -m venv try && try/bin/python -m pip install --no-index"
        " --find-links sdk/0.171.0/wheels codex-wheel-factory-sdk"
    ),
    Step(
        line="CODEX_HOME=$PWD/codex-home try/bin/python -c '\n"
        "from codex_factory_sdk import Codex, final_text\n"
        "with Codex() as codex:\n"
        '    handle = codex.thread_start().turn("Say that it works.")\n'
        "    print(handle.run().status, final_text(handle.items()))'",
        before="until [ -e codex-home/config.toml ]; do kill -0 $! || exit 1; sleep 0.1; done",
        server="factory sdk model-server codex-home",
    ),
    Step(line="factory sdk types --codex-version 0.171.0 --sdk openai-codex==0.163.0", status=24),
    Step(
        line="factory sdk stage sdk/ --sdk-source openai-codex==0.163.0 --codex-version 0.171.0"
        " --regenerate --raise-minimum",
        before="rm -rf sdk",
    ),
    Step(line="python -m build sdk/", before="python -m pip install --quiet build uv"),
    Step(line="factory sdk stage sdk/ --codex-version 0.171.0", before="rm -rf sdk"),
    Step(line="python -m build --wheel --outdir wheels/ sdk/"),
    Step(line="python -m pip download --dest wheels/ 'pydantic>=2.12,<3'"),
    Step(
        line="python -m pip install --no-index --find-links wheels/ --find-links dist/0.171.0"
        " codex-wheel-factory-sdk"
    ),
    Step(line="uvx codex-wheel-factory --version"),
    Step(line="uv tool install codex-wheel-factory"),
    Step(line="python -m venv factory-env && factory-env/bin/python -m pip install codex-wheel-factory"),
    Step(line="uv tool install 'codex-wheel-factory[all]'"),
)
SESSION_LINES = {step.line for step in SESSION} | {step.server for step in SESSION}
