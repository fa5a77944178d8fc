"""``factory statement create`` and ``factory statement check`` from the command line."""

import json
from pathlib import Path

import pytest

from factory.audit.results import report_json
from factory.cli.attest import LOCAL, author_of
from factory.core.digests import Sha256
from factory.statements.signing import KeySigner
from factory.statements.statement import Statement, Subject
from tests.statements import CONTENT, DIFFERENT, IDENTICAL, KEY, NAME, WHEEL, report
from tests.unit.cli.conftest import Factory, cache, cache_with_toolchain, factory

__all__ = ["cache", "cache_with_toolchain", "factory"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with a wheel and the reports of two audits."""
    place = tmp_path / "work"
    place.mkdir()
    (place / NAME).write_bytes(CONTENT)
    (place / "yes.json").write_text(json.dumps(report_json(report(IDENTICAL))))
    (place / "no.json").write_text(json.dumps(report_json(report(DIFFERENT))))
    monkeypatch.chdir(place)
    return place


def test_a_build_is_attested_and_checked(factory: Factory, place: Path, part: Path) -> None:
    assert factory("attest", "--new-key", "key").status == 0
    made = factory("attest", str(part), "--key", "key")
    file = f"statements/{NAME}.build.dsse.json"
    assert (made.status, made.out) == (0, f"{file}\n")

    checked = factory("check-statement", file, "--wheel", str(part / NAME), "--public-key", "key.pub")
    assert checked.status == 0
    digest = Sha256.of_file(part / NAME)
    assert checked.out.startswith(f"{NAME}: yes\n  sha256:{digest}\n  signed by the Ed25519 key ")
    assert "  from rust-v0.163.0 for win_amd64\n" in checked.out
    assert place.joinpath(file).is_file()


@pytest.mark.usefixtures("place")
def test_a_new_key_can_sign_in_the_same_run(factory: Factory, part: Path) -> None:
    made = factory("attest", str(part), "--new-key", "key")
    assert (made.status, made.out) == (0, f"statements/{NAME}.build.dsse.json\n")
    wheel = str(part / NAME)
    checked = factory("check-statement", made.out.strip(), "--wheel", wheel, "--public-key", "key.pub")
    assert checked.status == 0


def test_two_runs_give_equal_files(factory: Factory, place: Path, part: Path) -> None:
    factory("attest", "--new-key", "key")
    factory("attest", str(part), "--key", "key", "--out", "one")
    factory("attest", str(part), "--key", "key", "--out", "two")

    assert (place / f"one/{NAME}.build.dsse.json").read_bytes() == (
        place / f"two/{NAME}.build.dsse.json"
    ).read_bytes()


def test_a_negative_statement_is_genuine_and_exits_with_10(factory: Factory, place: Path) -> None:
    factory("attest", "--new-key", "key")
    factory("attest", "no.json", "--key", "key")

    checked = factory(
        "check-statement", f"statements/{NAME}.audit.dsse.json", "--wheel", NAME, "--public-key", "key.pub"
    )
    assert checked.status == 10
    assert checked.out.startswith(f"{NAME}: no\n")
    assert "DIFFERENT" in checked.out
    assert sorted(path.name for path in (place / "statements").iterdir()) == [
        f"{NAME}.audit.dsse.json",
        f"{NAME}.vsa.dsse.json",
    ]


@pytest.mark.usefixtures("place")
def test_a_yes_and_its_summary_as_json(factory: Factory) -> None:
    factory("attest", "--new-key", "key")
    made = factory("attest", "yes.json", "--key", "key", "--json")
    assert made.document["statements"] == [
        {
            "path": f"statements/{NAME}.audit.dsse.json",
            "predicate_type": "urn:uuid:08cabbf3-06a3-4202-b588-2e2f5d32685f#audit-result/v2",
        },
        {
            "path": f"statements/{NAME}.vsa.dsse.json",
            "predicate_type": "https://slsa.dev/verification_summary/v1",
        },
    ]
    for kind in ("audit", "vsa"):
        file = f"statements/{NAME}.{kind}.dsse.json"
        checked = factory("check-statement", file, "--wheel", NAME, "--public-key", "key.pub", "--json")
        assert checked.status == 0
        assert checked.document["answer"] == "yes"


@pytest.mark.usefixtures("place")
def test_what_nobody_signed_says_so_and_is_inconclusive(factory: Factory) -> None:
    made = factory("attest", "yes.json", "--unsigned")
    assert made.err == "the statements are not signed and prove nothing\n"

    checked = factory("check-statement", f"statements/{NAME}.audit.unsigned.json", "--wheel", NAME)
    assert checked.status == 11
    assert checked.out.startswith(f"{NAME}: undecided\n  sha256:{WHEEL}\n  not signed\n")
    assert checked.err == "the statement is not signed and proves nothing\n"


def test_claims_are_escaped_for_the_terminal(factory: Factory, place: Path) -> None:
    statement = Statement(
        subjects=(Subject(name=NAME, sha256=WHEEL),), predicate_type="x\n\x1b[2J: yes", predicate={}
    )
    (place / "s.json").write_bytes(KeySigner(key=KEY).sign(statement.render()))
    (place / "key.pub").write_bytes(KEY.public.pem)

    checked = factory("check-statement", "s.json", "--wheel", NAME, "--public-key", "key.pub")
    assert checked.status == 11
    assert "\x1b" not in checked.out
    assert checked.out.endswith("unknown predicate type x\\n\\x1b[2J: yes\n")


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        (("attest", "--unsigned"), 20, "no manifest or audit report given"),
        (("attest", "none.json", "--unsigned"), 20, "none.json: No such file"),
        (("attest", "."), 2, ""),
        (("attest", ".", "--key", "none"), 20, "none is not a usable key"),
        (("check-statement", "none", "--wheel", NAME), 20, "cannot read none"),
        (("check-statement", "no.json", "--wheel", NAME), 22, "'_type' should be a string"),
        (
            ("check-statement", "no.json", "--wheel", NAME, "--identity", "a"),
            20,
            "--identity and --issuer must be given together",
        ),
        (
            (
                "check-statement",
                "no.json",
                "--wheel",
                NAME,
                "--public-key",
                "k",
                "--identity",
                "a",
                "--issuer",
                "b",
            ),
            20,
            "--public-key and --identity exclude each other",
        ),
    ],
)
def test_unusable_arguments_are_refused_with_a_reason(
    factory: Factory, words: tuple[str, ...], status: int, complaint: str
) -> None:
    ended = factory(*words)

    assert ended.status == status
    assert complaint in ended.err


def test_the_author_is_the_workflow_as_in_its_certificate() -> None:
    job = {
        "GITHUB_SERVER_URL": "https://github.example.invalid",
        "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/wheels.yml@refs/tags/v1",
    }

    assert author_of(job) == "https://github.example.invalid/o/r/.github/workflows/wheels.yml@refs/tags/v1"
    assert author_of({"GITHUB_SERVER_URL": "https://github.example.invalid"}) == LOCAL
    assert author_of({}) == "urn:uuid:08cabbf3-06a3-4202-b588-2e2f5d32685f#local"


@pytest.mark.usefixtures("place")
def test_signing_without_an_identity_is_refused(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE"):
        monkeypatch.delenv(name, raising=False)
    ended = factory("attest", "yes.json", "--sigstore")

    assert ended.status == 25
    assert "no OIDC identity to sign with" in ended.err
