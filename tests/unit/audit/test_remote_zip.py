"""Reading a file by ranges: what is requested, and which answers of a server are refused."""

import io
from collections.abc import Mapping
from dataclasses import replace

import pytest

from factory.audit.remote_zip import BLOCK_BYTES, Fetched, RangeRefused, RemoteSource
from factory.core.errors import IntegrityError
from factory.system.http import HttpStatusError
from factory.system.retry import RequestFailed, RetryPolicy
from tests.fakes import Answer, FakeHttpClient

URL = "https://files.example.invalid/x.whl"
CONTENT = bytes(number % 251 for number in range(4 * BLOCK_BYTES + 100))
SIZE = len(CONTENT)
FIRST = f"bytes=0-{BLOCK_BYTES - 1}"


def part(
    start: int, stop: int, *, total: int = SIZE, etag: str | None = '"1"', body: bytes | None = None
) -> Answer:
    """Return the honest answer to a request for some bytes, both ends included."""
    headers = {"content-range": f"bytes {start}-{min(stop, total - 1)}/{total}"}
    return Answer(
        body=(CONTENT[start : stop + 1] if body is None else body,),
        status=206,
        headers=headers if etag is None else {**headers, "etag": etag},
        expect_range=f"bytes={start}-{stop}",
    )


def block(index: int, **changes: str | bytes | int | None) -> Answer:
    start = index * BLOCK_BYTES
    return part(start, min(start + BLOCK_BYTES, SIZE) - 1, **changes)  # type: ignore[arg-type]


def first(**changes: str | bytes | int | None) -> Answer:
    return part(0, BLOCK_BYTES - 1, **changes)  # type: ignore[arg-type]


def source(
    *answers: Answer, size_bytes: int | None = SIZE, fetched: Fetched | None = None
) -> tuple[RemoteSource, FakeHttpClient]:
    client = FakeHttpClient({URL: answers})
    opened = RemoteSource(
        client=client,
        url=URL,
        name="x.whl",
        size_bytes=size_bytes,
        fetched=fetched or Fetched(),
        retry=RetryPolicy(attempts=2, sleep=lambda _: None),
    )
    return opened, client


def ranges(client: FakeHttpClient) -> list[str]:
    return [request.headers["Range"] for request in client.requests]


def test_opening_requests_the_first_block_and_returns_the_size() -> None:
    fetched = Fetched()
    remote, client = source(first(), size_bytes=None, fetched=fetched)

    file, size_bytes = remote.open()

    assert size_bytes == SIZE
    assert file.readable()
    assert file.seekable()
    assert file.read(10) == CONTENT[:10]
    assert ranges(client) == [FIRST]
    assert fetched.size_bytes == BLOCK_BYTES


def test_missing_blocks_are_requested_once_and_together() -> None:
    remote, client = source(first(), part(2 * BLOCK_BYTES, 4 * BLOCK_BYTES - 1))
    file, _ = remote.open()

    file.seek(2 * BLOCK_BYTES + 5)
    assert file.read(BLOCK_BYTES) == CONTENT[2 * BLOCK_BYTES + 5 : 3 * BLOCK_BYTES + 5]
    file.seek(3 * BLOCK_BYTES)
    assert file.read(7) == CONTENT[3 * BLOCK_BYTES : 3 * BLOCK_BYTES + 7]

    client.assert_done()


def test_known_blocks_are_not_requested_again() -> None:
    remote, client = source(first(), block(2), block(1))
    file, _ = remote.open()

    file.seek(2 * BLOCK_BYTES)
    assert file.read(10) == CONTENT[2 * BLOCK_BYTES : 2 * BLOCK_BYTES + 10]
    file.seek(0)
    assert file.read(3 * BLOCK_BYTES) == CONTENT[: 3 * BLOCK_BYTES]

    client.assert_done()


def test_positions_are_relative_to_start_position_or_end() -> None:
    remote, _ = source(first(), block(4))
    file, _ = remote.open()

    assert file.seek(10) == 10
    assert file.seek(5, io.SEEK_CUR) == 15
    assert file.tell() == 15
    assert file.read(1) == CONTENT[15:16]
    assert file.seek(-1, io.SEEK_END) == SIZE - 1
    assert file.read(10) == CONTENT[-1:]
    assert file.read(10) == b""
    assert file.seek(SIZE + 7) == SIZE + 7
    assert file.read(10) == b""


def test_reading_at_the_end_requests_nothing() -> None:
    remote, client = source(first())
    file, _ = remote.open()

    for position in (SIZE, SIZE + 7):
        file.seek(position)
        assert file.read(10) == b""

    assert ranges(client) == [FIRST]


def test_a_file_smaller_than_a_block_needs_one_request() -> None:
    headers = {"content-range": "bytes 0-4/5"}
    answer = Answer(body=(b"small",), status=206, headers=headers, expect_range=FIRST)
    remote, client = source(answer, size_bytes=5)

    file, size_bytes = remote.open()

    assert (file.read(), size_bytes) == (b"small", 5)
    client.assert_done()


@pytest.mark.parametrize(("before", "after"), [('"1"', '"2"'), ('"1"', None), (None, '"1"')])
def test_a_file_that_changes_between_two_requests_is_refused(before: str | None, after: str | None) -> None:
    remote, _ = source(first(etag=before), block(2, etag=after))
    file, _ = remote.open()

    file.seek(2 * BLOCK_BYTES)
    with pytest.raises(IntegrityError, match=r"x\.whl cannot be read in parts: it changed while it was read"):
        file.read(1)


def test_a_server_without_etags_is_accepted() -> None:
    remote, _ = source(first(etag=None), block(2, etag=None))
    file, _ = remote.open()

    file.seek(2 * BLOCK_BYTES)
    assert file.read(1) == CONTENT[2 * BLOCK_BYTES : 2 * BLOCK_BYTES + 1]


def test_an_etag_may_change_before_any_block_was_received() -> None:
    remote, _ = source(first(body=b"short"), first(etag='"2"'), block(2, etag='"2"'))
    file, _ = remote.open()

    file.seek(2 * BLOCK_BYTES)
    assert file.read(1) == CONTENT[2 * BLOCK_BYTES : 2 * BLOCK_BYTES + 1]


def test_a_size_that_changes_between_two_requests_is_refused() -> None:
    remote, _ = source(first(), block(2, total=SIZE + 1), size_bytes=None)
    file, _ = remote.open()

    file.seek(2 * BLOCK_BYTES)
    with pytest.raises(IntegrityError, match=f"its size is {SIZE + 1} bytes instead of {SIZE}"):
        file.read(1)


def test_a_size_that_differs_from_the_index_is_refused() -> None:
    remote, _ = source(first(), size_bytes=SIZE - 1)

    with pytest.raises(IntegrityError, match=f"its size is {SIZE} bytes instead of {SIZE - 1}"):
        remote.open()


def test_a_server_that_sends_the_whole_file_does_not_support_ranges() -> None:
    remote, _ = source(Answer(body=(CONTENT,), expect_range=FIRST))

    with pytest.raises(RangeRefused, match=r"does not give parts of x\.whl"):
        remote.open()


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "an answer does not state its range"),
        ({"content-range": "bytes */100"}, "an answer does not state its range"),
        ({"content-range": f"bytes 0-{BLOCK_BYTES - 1}/{SIZE}, more"}, "an answer does not state its range"),
        (
            {"content-range": f"bytes 1-{BLOCK_BYTES - 1}/{SIZE}"},
            f"the server sent bytes 1 to {BLOCK_BYTES - 1} instead of 0 to {BLOCK_BYTES - 1}",
        ),
        (
            {"content-range": f"bytes 0-{BLOCK_BYTES - 2}/{SIZE}"},
            f"the server sent bytes 0 to {BLOCK_BYTES - 2} instead of 0 to {BLOCK_BYTES - 1}",
        ),
    ],
)
def test_an_answer_with_another_range_is_refused(headers: Mapping[str, str], reason: str) -> None:
    answer = Answer(body=(CONTENT[:BLOCK_BYTES],), status=206, headers=headers, expect_range=FIRST)
    remote, _ = source(answer)

    with pytest.raises(IntegrityError, match=reason) as caught:
        remote.open()
    assert caught.value.hint == (
        "Run again. If the error remains, try another mirror: this one serves other files."
    )


def test_a_part_can_arrive_in_several_chunks() -> None:
    chunks = (CONTENT[:100], CONTENT[100:300], CONTENT[300:BLOCK_BYTES])
    fetched = Fetched()
    remote, _ = source(replace(first(), body=chunks), fetched=fetched)
    file, _ = remote.open()
    assert file.read(BLOCK_BYTES) == CONTENT[:BLOCK_BYTES]
    assert fetched.size_bytes == BLOCK_BYTES


def test_more_bytes_than_requested_are_refused() -> None:
    remote, _ = source(first(body=CONTENT[: BLOCK_BYTES + 1]))

    with pytest.raises(IntegrityError, match=f"sent more than the requested {BLOCK_BYTES} bytes"):
        remote.open()


def test_an_interrupted_part_is_requested_again_and_counted() -> None:
    fetched = Fetched()
    remote, client = source(first(body=CONTENT[:100]), first(), fetched=fetched)

    file, _ = remote.open()

    assert file.read(200) == CONTENT[:200]
    assert fetched.size_bytes == 100 + BLOCK_BYTES
    client.assert_done()


def test_a_part_that_stays_interrupted_is_an_error() -> None:
    remote, _ = source(first(body=CONTENT[:100]), first(body=CONTENT[:99]))

    with pytest.raises(RequestFailed, match=rf"a part of x\.whl ended after 99 of {BLOCK_BYTES} bytes"):
        remote.open()


def test_a_range_that_the_server_does_not_have_is_refused() -> None:
    remote, _ = source(first(), Answer(status=416, expect_range=block(2).expect_range))
    file, _ = remote.open()

    file.seek(2 * BLOCK_BYTES)
    with pytest.raises(IntegrityError, match=f"it has no bytes {2 * BLOCK_BYTES} to {3 * BLOCK_BYTES - 1}"):
        file.read(1)


def test_other_errors_of_the_server_are_passed_on() -> None:
    remote, _ = source(Answer(status=404, expect_range=FIRST))

    with pytest.raises(HttpStatusError, match="404"):
        remote.open()
