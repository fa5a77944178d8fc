"""A manifest, audit reports and fixed keys for tests of statements."""

from dataclasses import replace
from pathlib import PurePosixPath

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from factory.audit.answer import Answer, Status
from factory.audit.verdict import (
    AuditReport,
    Cause,
    ChainLink,
    Outcome,
    ProvenanceState,
    ServedProvenance,
    TrustedText,
    Verdict,
)
from factory.core.digests import Digest, Sha256
from factory.core.model import ChannelName, Finding, Severity
from factory.core.tags import CodexTag
from factory.core.targets import Target
from factory.manifest.manifest import AssetRecord, Manifest, MemberRecord, ToolchainRecord, WheelRecord
from factory.statements.keys import PrivateKey
from tests.origins import ASKED, ASKED_AT, listed

NAME = "openai_codex_cli_bin-0.163.0-py3-none-win_amd64.whl"
CONTENT = b"what a wheel holds is nothing to a statement"
WHEEL = Sha256("13bf3ce124d77b088d93fcf5783846db989019aadb9671a3072c8e813c43878d")
ONE = Sha256("1" * 64)
TWO = Sha256("2" * 64)
ASSET = Digest.parse("sha512:" + "a" * 128)
BY = "https://example.invalid/builders/7"
KEY = PrivateKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER_KEY = PrivateKey(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))

MANIFEST = Manifest(
    tag=CodexTag.parse("rust-v0.163.0"),
    channel=ChannelName.NPM,
    factory_version="1.2.3",
    assets=(
        AssetRecord(
            target=Target.WINDOWS_X86_64,
            name="codex.tgz",
            purl="pkg:npm/%40openai/codex@0.163.0-win32-x64",
            digest=ASSET,
            size_bytes=5,
        ),
    ),
    toolchain=ToolchainRecord(
        builder="native",
        engine="assembler",
        python="CPython 3.11.7",
        deflate="zlib 1.2.13",
        deflate_answer=ONE,
        lock=TWO,
        packages={"hatchling": "1.33.0", "build": "1.6.1"},
    ),
    wheels=(
        WheelRecord(
            name=NAME,
            platform="win_amd64",
            size_bytes=len(CONTENT),
            sha256=WHEEL,
            recipe=TWO,
            asset=ASSET,
            payload=(
                MemberRecord(
                    path=PurePosixPath("codex_cli_bin/bin/codex.exe"),
                    source=PurePosixPath("bin/codex.exe"),
                    mode=0o755,
                    size_bytes=3,
                    sha256=TWO,
                ),
            ),
            left_out=(),
            checks=("archive-readable",),
            findings=(),
        ),
    ),
)

IDENTICAL = Verdict(
    name=NAME,
    tag="rust-v0.163.0",
    platform="win_amd64",
    size_bytes=len(CONTENT),
    sha256=WHEEL,
    origin=listed(WHEEL),
    outcome=Outcome.IDENTICAL,
    status=Status.FAITHFUL,
    answer=Answer.PASSED,
    rebuilt=WHEEL,
    chain=(
        ChainLink(
            member="codex_cli_bin/bin/codex.exe",
            sha256=TWO,
            asset="pkg:npm/%40openai/codex@0.163.0-win32-x64",
            path="bin/codex.exe",
        ),
    ),
    trust_base=(
        TrustedText(
            place="codex_cli_bin/__init__.py", use="the text", sha256=ONE, text="import os\n", is_known=True
        ),
    ),
    is_inspected=True,
    fetched_bytes=120_000,
    provenance=ServedProvenance(state=ProvenanceState.NONE, reason="the index names none"),
)
DIFFERENT = replace(
    IDENTICAL,
    outcome=Outcome.DIFFERENT,
    status=Status.DIFFERENT,
    answer=Answer.NO,
    rebuilt=ONE,
    causes=(
        Cause(
            id="executable-not-upstream",
            severity=Severity.ERROR,
            place="codex_cli_bin/bin/codex.exe",
            sentence="No release package has this executable.",
            evidence="seen",
        ),
    ),
    chain=(replace(IDENTICAL.chain[0], asset=None, path=None),),
)
NOT_REBUILT = replace(
    IDENTICAL,
    outcome=Outcome.NOT_REBUILT,
    status=Status.NOTHING_TO_COMPARE,
    answer=Answer.UNDECIDED,
    reason="no payload there",
    is_inspected=False,
)
WRONG = Finding(
    check="elf-musl", severity=Severity.ERROR, place="bin/codex.exe", evidence="seen", remedy="do"
)


def report(*verdicts: Verdict) -> AuditReport:
    """Return an audit's report."""
    return AuditReport(
        project="openai-codex-cli-bin",
        channel="npm",
        index=ASKED.address,
        asked_at=ASKED_AT,
        verdicts=verdicts,
    )
