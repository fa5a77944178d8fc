"""The records of wheels that this factory wrote itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from factory.core.digests import Digest, Sha256
from factory.core.model import Finding, Severity
from factory.manifest.acceptance import Acceptance, SdkIdentity
from factory.manifest.manifest import WheelRecord
from factory.system.cache import Cache
from factory.verify.baseline.rules import rules_digest
from factory.wheels.own_records import is_own_record, remember_record

NOTE = Finding(check="a", severity=Severity.NOTE, place="b", evidence="caf\u00e9", remedy="d")
RECORD = WheelRecord(
    name="x.whl",
    platform="win_arm64",
    size_bytes=1,
    sha256=Sha256("1" * 64),
    recipe=Sha256("2" * 64),
    asset=Digest.parse("sha512:" + "ab" * 64),
    payload=(),
    left_out=(),
    checks=("a",),
    findings=(NOTE,),
)
# If this text changed for the same record, no factory would know the wheels of earlier runs.
TEXT = (
    f'{{"asset": "sha512:{"ab" * 64}", "checks": ["a"], "findings": [{{"check": "a",'
    ' "evidence": "caf\\u00e9", "place": "b", "remedy": "d", "severity": "note"}], "left_out": [],'
    f' "name": "x.whl", "payload": [], "platform": "win_arm64", "recipe": "{"2" * 64}",'
    f' "sha256": "{"1" * 64}", "size_bytes": 1, "waived": []}}'
)
ACCEPTED = Acceptance(
    sdk=SdkIdentity(name="openai-codex", version="0.163.0", sha256=Sha256("3" * 64)), how="natively", cases=()
)


def test_a_remembered_record_is_own(tmp_path: Path) -> None:
    remember_record(Cache(tmp_path), RECORD)
    assert is_own_record(Cache(tmp_path), RECORD)


def test_an_acceptance_run_that_was_added_later_does_not_matter(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    remember_record(cache, RECORD)
    assert is_own_record(cache, replace(RECORD, acceptance=ACCEPTED))


@pytest.mark.parametrize(
    "other",
    [
        replace(RECORD, size_bytes=2),
        replace(RECORD, sha256=Sha256("4" * 64)),
        replace(RECORD, findings=()),
        replace(RECORD, checks=("a", "b")),
    ],
)
def test_a_record_with_any_other_value_is_not_own(tmp_path: Path, other: WheelRecord) -> None:
    cache = Cache(tmp_path)
    assert not is_own_record(cache, RECORD)
    remember_record(cache, RECORD)
    assert not is_own_record(cache, other)


def test_the_cache_has_the_digests_of_the_record_and_of_the_rules(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    remember_record(cache, RECORD)
    remembered = {"record": str(Sha256.of([TEXT.encode()])), "rules": str(rules_digest())}
    assert cache.read_record("own-wheel-v1", "1" * 64) == remembered
    cache.write_record("own-wheel-v1", "1" * 64, {**remembered, "rules": "0" * 64})
    assert not is_own_record(cache, RECORD)
