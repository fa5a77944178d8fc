from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import PurePosixPath

import pytest

from factory.core.codec import from_json, to_json
from factory.core.digests import Digest, Sha256
from factory.core.form import Form
from factory.core.json_reader import JsonObject, MalformedJson
from factory.core.model import ChannelName
from factory.core.tags import CodexTag

ONE = Sha256("1" * 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    path: PurePosixPath
    sha256: Sha256
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    tag: CodexTag
    channel: ChannelName
    digest: Digest
    size_bytes: int
    is_usual: bool
    moment: datetime | None
    content: bytes
    names: tuple[str, ...]
    versions: Mapping[str, str]
    leaves: tuple[Leaf, ...]
    leaf: Leaf | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    path: PurePosixPath
    mode: int = field(metadata={Form.OCTAL: True})
    inner: Leaf | None = field(default=None, metadata={Form.KEY: "within", Form.SHARED: {"path": "path"}})
    reason: str = field(default="none given", metadata={Form.MAY_BE_MISSING: True})
    extra: Leaf | None = field(default=None, metadata={Form.OMITTED_IF_NONE: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapper:
    leaf: Leaf = field(metadata={Form.FLATTENED: True})
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stone:
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    thing: Leaf | Stone = field(metadata={Form.KINDS: {"leaf": Leaf, "stone": Stone}})


LEAF = Leaf(path=PurePosixPath("bin/codex"), sha256=ONE, note=None)
LEAF_JSON = {"path": "bin/codex", "sha256": "1" * 64, "note": None}
EVERYTHING = Everything(
    tag=CodexTag.parse("0.116.0a1"),
    channel=ChannelName.NPM,
    digest=ONE.digest,
    size_bytes=5,
    is_usual=True,
    moment=datetime(2026, 10, 15, 20, 18, 40, tzinfo=UTC),
    content=b"\x00\xff",
    names=("b", "a"),
    versions={"b": "2", "a": "1"},
    leaves=(LEAF,),
    leaf=None,
)
EVERYTHING_JSON: dict[str, object] = {
    "tag": "rust-v0.116.0-alpha.1",
    "channel": "npm",
    "digest": "sha256:" + "1" * 64,
    "size_bytes": 5,
    "is_usual": True,
    "moment": "2026-10-15T20:18:40Z",
    "content": "AP8=",
    "names": ["b", "a"],
    "versions": {"a": "1", "b": "2"},
    "leaves": [LEAF_JSON],
    "leaf": None,
}


def document(members: dict[str, object]) -> JsonObject:
    return JsonObject(members, "a.json")


def test_every_type_of_field_is_written_and_read() -> None:
    assert to_json(EVERYTHING) == EVERYTHING_JSON
    assert list(to_json(EVERYTHING)) == list(EVERYTHING_JSON)
    assert from_json(Everything, document(EVERYTHING_JSON)) == EVERYTHING


def test_equal_mappings_are_written_in_one_order() -> None:
    versions = to_json(EVERYTHING)["versions"]
    assert isinstance(versions, dict)
    assert list(versions) == ["a", "b"]


def test_a_time_is_written_in_utc() -> None:
    moment = datetime(2026, 10, 15, 22, 18, 40, 999, tzinfo=timezone(timedelta(hours=2)))
    assert to_json(replace(EVERYTHING, moment=moment))["moment"] == "2026-10-15T20:18:40Z"


def test_an_enumeration_is_written_as_a_plain_string() -> None:
    assert type(to_json(EVERYTHING)["channel"]) is str


def test_unknown_members_are_ignored_and_null_may_be_left_out() -> None:
    members = {key: value for key, value in EVERYTHING_JSON.items() if key != "leaf"}
    assert from_json(Everything, document(members | {"new": 1})) == EVERYTHING


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tag": 5}, "a.json: 'tag' should be a string"),
        ({"tag": "latest"}, "a.json: 'tag': 'latest' is not a Codex release tag"),
        ({"channel": "cargo"}, "a.json: 'channel': 'cargo' is not a valid ChannelName"),
        ({"digest": "sha1:0"}, "a.json: 'digest': 'sha1:0' is not a digest"),
        ({"size_bytes": -1}, "a.json: 'size_bytes' should be a non-negative integer"),
        ({"size_bytes": True}, "a.json: 'size_bytes' should be a non-negative integer"),
        ({"is_usual": 1}, "a.json: 'is_usual' should be true or false"),
        ({"moment": "noon"}, "a.json: 'moment': Invalid isoformat string: 'noon'"),
        ({"content": "AP8"}, "a.json: 'content': Incorrect padding"),
        ({"content": "??=="}, "a.json: 'content': "),
        ({"names": "ab"}, "a.json: 'names' should be a list"),
        ({"names": None}, "a.json: 'names' should be a list"),
        ({"names": ["a", 5]}, "a.json: 'names[1]' should be a string"),
        ({"versions": []}, "a.json: versions: should be an object"),
        ({"versions": {"a": 1}}, "a.json: versions: 'a' should be a string"),
        ({"leaf": []}, "a.json: leaf: should be an object"),
        ({"leaf": {}}, "a.json: leaf: 'path' should be a string"),
        ({"leaves": [LEAF_JSON, {**LEAF_JSON, "sha256": "z"}]}, "a.json: leaves[1]: 'sha256': 'sha256:z'"),
        ({"leaves": [5]}, "a.json: leaves[0]: should be an object"),
    ],
)
def test_a_malformed_member_is_refused_with_its_place(change: dict[str, object], message: str) -> None:
    with pytest.raises(MalformedJson) as caught:
        from_json(Everything, document(EVERYTHING_JSON | change))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("key", sorted(EVERYTHING_JSON.keys() - {"moment", "leaf"}))
def test_a_missing_member_is_refused(key: str) -> None:
    with pytest.raises(MalformedJson, match=key):
        from_json(Everything, document({k: v for k, v in EVERYTHING_JSON.items() if k != key}))


def test_a_mode_is_written_in_octal() -> None:
    value = Exceptions(path=PurePosixPath("a"), mode=0o644)
    assert to_json(value) == {"path": "a", "mode": "0644", "within": None, "reason": "none given"}
    assert from_json(Exceptions, document(to_json(value))) == value


@pytest.mark.parametrize("mode", [420, "0o9", "rw-", None])
def test_a_malformed_mode_is_refused(mode: object) -> None:
    with pytest.raises(MalformedJson, match="'mode'"):
        from_json(Exceptions, document({"path": "a", "mode": mode}))


def test_shared_members_are_written_once() -> None:
    value = Exceptions(path=LEAF.path, mode=0, inner=LEAF, extra=LEAF)
    written = to_json(value)
    assert written["within"] == {"sha256": "1" * 64, "note": None}
    assert written["extra"] == LEAF_JSON
    assert from_json(Exceptions, document(written)) == value


@pytest.mark.parametrize("members", [{}, {"reason": None, "extra": None}])
def test_members_of_later_versions_may_be_missing(members: dict[str, object]) -> None:
    read = from_json(Exceptions, document({"path": "a", "mode": "0", **members}))
    assert read == Exceptions(path=PurePosixPath("a"), mode=0)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Either(thing=LEAF), {"kind": "leaf", **LEAF_JSON}),
        (Either(thing=Stone(weight=3)), {"kind": "stone", "weight": 3}),
    ],
)
def test_a_value_of_one_of_several_classes_names_its_kind(value: Either, written: dict[str, object]) -> None:
    assert to_json(value) == {"thing": written}
    assert from_json(Either, document({"thing": written})) == value


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (None, "a.json: thing: should be an object"),
        ({"weight": 3}, "a.json: thing: 'kind' should be a string"),
        ({"kind": "water"}, "a.json: thing: 'kind' should be one of leaf, stone"),
        ({"kind": "stone"}, "a.json: thing: 'weight' should be"),
    ],
)
def test_a_value_of_an_unknown_kind_is_refused(thing: object, message: str) -> None:
    with pytest.raises(MalformedJson) as caught:
        from_json(Either, document({"thing": thing}))
    assert str(caught.value).startswith(message)


def test_a_flattened_value_shares_the_object() -> None:
    value = Wrapper(leaf=LEAF, reason="because")
    assert to_json(value) == {**LEAF_JSON, "reason": "because"}
    assert from_json(Wrapper, document(to_json(value))) == value
    with pytest.raises(MalformedJson, match=r"^a\.json: 'path' should be a string"):
        from_json(Wrapper, document({"reason": "because"}))
