import json
from pathlib import Path

import jsonschema
import pytest

from tests.extras import take_away
from tests.images import Elf, Pe
from tests.images.authenticode import signed
from tests.index_of_executables import index_at
from tests.sigstore_instance import Instance
from tests.unit.cli.conftest import Factory
from tests.wheels import good_wheel

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "docs/trust.schema.json").read_text())


def test_each_executable_is_a_line(factory: Factory, tmp_path: Path) -> None:
    program = tmp_path / "codex"
    program.write_bytes(Elf().content())
    ended = factory("trust", program)
    assert ended.status == 0
    assert ended.out == (
        "file\texecutable\trelease\tlevel\tsigner\tsigned\treason\n"
        "codex\tcodex\tnot known\tnothing-known\t\t\telf files have no embedded signature, and no"
        " release package was given that has it\n"
    )
    assert ended.err.endswith("passed: 1 nothing-known\n")


def test_a_signature_under_another_root_is_an_error(factory: Factory, tmp_path: Path) -> None:
    program = tmp_path / "codex.exe"
    program.write_bytes(signed(Pe()))
    ended = factory("trust", program)
    assert ended.status == 24
    assert (
        "\troot-unknown\t\t\tits certificate chain does not end in a root that is pinned here\n" in ended.out
    )
    assert ended.err.endswith("rejected: 1 root-unknown\n")


def test_missing_required_authorship_is_an_error(factory: Factory, tmp_path: Path) -> None:
    wheel = good_wheel().write(tmp_path)
    ended = factory("trust", wheel, "--require-authorship", "linux")
    assert ended.status == 24
    assert (
        f"{wheel.name}: authorship is required of codex_cli_bin/bin/codex, which is nothing-known\n"
        in ended.err
    )


def test_an_unreadable_file_is_inconclusive(factory: Factory, tmp_path: Path) -> None:
    ended = factory("trust", tmp_path / "absent.whl")
    assert ended.status == 11
    assert "absent.whl: NOT CHECKED: cannot read" in ended.err


def test_a_damaged_index_of_executables_is_inconclusive_with_a_hint(factory: Factory, tmp_path: Path) -> None:
    damaged = tmp_path / "known_executables.json"
    damaged.write_text("{")
    wheel = good_wheel().write(tmp_path)
    for command in ("trust", "verify"):
        with index_at(damaged):
            ended = factory(command, wheel)
        assert (ended.status, "not JSON" in ended.err) == (11, True)
        assert "Restore the file from version control, or install the factory again." in ended.err


def test_json_matches_its_schema(factory: Factory, tmp_path: Path) -> None:
    ended = factory("trust", "--json", good_wheel("win_amd64").write(tmp_path), good_wheel().write(tmp_path))
    jsonschema.validate(ended.document, SCHEMA)
    assert ended.document["verdict"] == "rejected"
    assert ended.document["counts"] == {
        "authorship-verified": 0,
        "signer-revoked": 0,
        "signature-not-valid": 0,
        "root-unknown": 2,
        "integrity-only": 0,
        "nothing-known": 3,
    }


def test_wheels_without_required_authorship_are_not_built(
    factory: Factory, packages: Path, tmp_path: Path
) -> None:
    asked = ("wheels", "0.163.0", "--channel", "directory", "--directory", packages, "--out", tmp_path)
    platform = ("--platform", "win_amd64")
    assert factory(*asked, *platform).status == 0
    manifest = json.loads((tmp_path / "0.163.0" / "manifest.json").read_text())
    standings = {
        member["source"]: member["standing"]["level"]
        for member in manifest["wheels"][0]["payload"]
        if member["standing"] is not None
    }
    assert standings["bin/codex.exe"] == "integrity-only"
    refused = factory(*asked, *platform, "--require-authorship", "windows")
    assert refused.status == 24
    assert "authorship-required: codex_cli_bin/bin/codex.exe: integrity-only: " in refused.err
    assert factory(*asked, *platform, "--require-authorship", "linux").status == 0


def test_a_digest_in_the_manifest_proves_integrity(factory: Factory, packages: Path, tmp_path: Path) -> None:
    asked = ("wheels", "0.163.0", "--channel", "directory", "--directory", packages, "--out", tmp_path)
    assert factory(*asked, "--platform", "win_amd64").status == 0
    ended = factory("trust", tmp_path / "0.163.0")
    assert ended.status == 0
    assert "nothing-known" not in ended.out
    assert "it is in pkg:npm/%40openai/codex@0.163.0-win32-x64, whose" in ended.out


def test_a_bundle_under_another_root_is_an_error(factory: Factory, tmp_path: Path) -> None:
    program, bundle = tmp_path / "codex", tmp_path / "codex.sigstore"
    program.write_bytes(Elf().content())
    bundle.write_text(json.dumps(Instance().cosign(Elf().content())))
    ended = factory("trust", program, "--bundle", bundle)
    assert ended.status == 24
    assert "its sigstore bundle: its transparency log was not trusted at that time" in ended.out


def test_a_bundle_without_sigstore_is_not_judged(
    factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away(monkeypatch, "sigstore", "sigstore_models")
    program, bundle = tmp_path / "codex", tmp_path / "codex.sigstore"
    program.write_bytes(Elf().content())
    bundle.write_text("{}")
    ended = factory("show", "signers", program, "--bundle", bundle)
    assert ended.status == 11
    assert "NOT CHECKED: a sigstore bundle needs the Python package sigstore" in ended.err
    assert "python -m pip install 'codex-wheel-factory[sign]'" in ended.err


def test_a_bundle_needs_exactly_one_executable(factory: Factory, tmp_path: Path) -> None:
    bundle = tmp_path / "codex.sigstore"
    bundle.write_text("{}")
    ended = factory("trust", good_wheel().write(tmp_path), "--bundle", bundle)
    assert ended.status == 20
    assert "--bundle needs exactly one executable" in ended.complaint
