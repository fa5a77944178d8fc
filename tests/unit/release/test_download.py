import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from factory.core.digests import Digest
from factory.core.errors import IntegrityError, UpstreamError, UsageError
from factory.core.model import ArchiveFormat, Local, ReleaseAsset, Remote
from factory.core.progress import ProgressTask, SilentProgress
from factory.core.targets import Target
from factory.release.download import Downloader
from factory.system.cache import Cache
from factory.system.files import WrongDigest
from factory.system.http import HttpClient, HttpResponse, HttpStatusError, RequestsClient, unreachable
from factory.system.retry import RequestFailed, RetryPolicy
from tests.fakes import Answer, FakeHttpClient

URL = "https://example.invalid/codex.tgz"
ABCDEF = ReleaseAsset(
    target=Target.LINUX_X86_64,
    name="codex.tgz",
    purl="pkg:npm/%40openai/codex@1.2.3-linux-x64",
    digest=Digest.parse("sha256:bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721"),
    size_bytes=None,
    format=ArchiveFormat.TAR_GZ,
    location=Remote(url=URL),
)
BROKEN = unreachable(URL, "broke off")


class Bar(SilentProgress):
    """A `Progress` and its only task, which records the reported bytes."""

    def __init__(self) -> None:
        self.reported: list[int] = []
        self.expected: int | None = None

    @contextmanager
    def task(self, label: str, *, total_bytes: int | None = None) -> Iterator[ProgressTask]:
        assert (label, total_bytes) == ("codex.tgz", None)
        yield self

    def advance(self, size_bytes: int) -> None:
        self.reported.append(size_bytes)

    def expect(self, total_bytes: int) -> None:
        self.expected = total_bytes


def downloader(root: Path, client: HttpClient) -> Downloader:
    retry = RetryPolicy(attempts=3, sleep=lambda _: None)
    return Downloader(cache=Cache(root), client=client, progress=SilentProgress(), retry=retry, max_bytes=100)


def scripted(*answers: Answer) -> FakeHttpClient:
    return FakeHttpClient({URL: answers})


def leave_partial(root: Path, content: bytes) -> None:
    with Cache(root).receive(ABCDEF.digest, name="codex.tgz") as blob:
        blob.write(content)


def part(start: int, content: bytes) -> Answer:
    return Answer(
        status=206,
        body=(content,),
        headers={"content-range": f"bytes {start}-5/6", "content-length": str(len(content))},
        expect_range=f"bytes={start}-",
    )


def test_an_asset_is_downloaded_once(tmp_path: Path) -> None:
    client = scripted(Answer(body=(b"abc", b"def")))
    fetcher = downloader(tmp_path, client)
    path = fetcher.fetch(ABCDEF)
    assert path.read_bytes() == b"abcdef"
    assert fetcher.fetch(ABCDEF) == path
    client.assert_done()


def test_each_byte_is_reported_once(tmp_path: Path) -> None:
    bar = Bar()
    leave_partial(tmp_path, b"ab")
    length = {"content-length": "6"}
    client = scripted(Answer(body=(b"abc", b"def"), expect_range="bytes=2-", headers=length))
    replace(downloader(tmp_path, client), progress=bar).fetch(ABCDEF)
    assert bar.reported == [2, 1, 3]
    assert bar.expected == 6


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param((part(2, b"cdef"),), id="continued"),
        pytest.param((Answer(body=(b"abcdef",), expect_range="bytes=2-"),), id="range ignored"),
        pytest.param(
            (replace(part(1, b"x"), expect_range="bytes=2-"), Answer(body=(b"abcdef",))), id="other range"
        ),
        pytest.param(
            (Answer(status=416, expect_range="bytes=2-"), Answer(body=(b"abcdef",))), id="unsatisfiable"
        ),
        pytest.param((part(2, b"XXXX"), Answer(body=(b"abcdef",))), id="changed since"),
        pytest.param(
            (
                replace(part(2, b"cd"), headers={"content-range": "bytes 2-5/6", "content-length": "4"}),
                part(4, b"ef"),
            ),
            id="cut again",
        ),
    ],
)
def test_an_interrupted_download_is_resumed_or_restarted(tmp_path: Path, answers: tuple[Answer, ...]) -> None:
    leave_partial(tmp_path, b"ab")
    client = scripted(*answers)
    assert downloader(tmp_path, client).fetch(ABCDEF).read_bytes() == b"abcdef"
    client.assert_done()


def test_a_complete_partial_file_needs_no_request(tmp_path: Path) -> None:
    leave_partial(tmp_path, b"abcdef")
    assert downloader(tmp_path, scripted()).fetch(ABCDEF).read_bytes() == b"abcdef"


def test_a_lost_connection_is_resumed(tmp_path: Path) -> None:
    client = scripted(Answer(body=(b"abc",), breaks=BROKEN), part(3, b"def"))
    assert downloader(tmp_path, client).fetch(ABCDEF).read_bytes() == b"abcdef"
    client.assert_done()


def test_received_bytes_are_kept_after_the_last_attempt(tmp_path: Path) -> None:
    lost = [replace(part(3, b""), body=(), breaks=BROKEN)] * 2
    client = scripted(Answer(body=(b"abc",), breaks=BROKEN), *lost)
    with pytest.raises(RequestFailed, match="broke off"):
        downloader(tmp_path, client).fetch(ABCDEF)
    assert [entry.size_bytes for entry in Cache(tmp_path).entries()] == [3]


def test_an_asset_with_the_wrong_digest_is_discarded(tmp_path: Path) -> None:
    client = scripted(Answer(body=(b"abcdeX",)))
    with pytest.raises(WrongDigest, match=r"codex\.tgz has the wrong digest: expected sha256:bef57e"):
        downloader(tmp_path, client).fetch(ABCDEF)
    assert Cache(tmp_path).entries() == ()


@pytest.mark.parametrize(
    ("size_bytes", "answer", "limit"),
    [
        pytest.param(5, Answer(body=(b"abc", b"def")), 5, id="more than promised"),
        pytest.param(5, Answer(headers={"content-length": "6"}), 5, id="more announced than promised"),
        pytest.param(None, Answer(headers={"content-length": "101"}), 100, id="more announced than allowed"),
        pytest.param(None, Answer(body=(b"x" * 60, b"x" * 60)), 100, id="endless"),
        pytest.param(
            None, Answer(body=(b"abc",), headers={"content-length": "2"}), 2, id="more than announced"
        ),
        pytest.param(101, Answer(), 100, id="more promised than allowed"),
    ],
)
def test_an_asset_over_the_limit_is_discarded(
    tmp_path: Path, size_bytes: int | None, answer: Answer, limit: int
) -> None:
    asset = replace(ABCDEF, size_bytes=size_bytes)
    with pytest.raises(IntegrityError, match=f"larger than the allowed {limit} bytes"):
        downloader(tmp_path, scripted(answer)).fetch(asset)
    assert Cache(tmp_path).entries() == ()


def test_an_incomplete_body_is_tried_again(tmp_path: Path) -> None:
    short = [Answer(body=(b"abc",))] + [replace(part(3, b""), body=())] * 2
    with pytest.raises(RequestFailed, match=r"download of codex\.tgz ended after 3 of 6 bytes"):
        downloader(tmp_path, scripted(*short)).fetch(replace(ABCDEF, size_bytes=6))


def test_a_partial_response_without_a_range_request_is_refused(tmp_path: Path) -> None:
    client = scripted(Answer(status=206, headers={"content-range": "bytes 3-5/6"}))
    with pytest.raises(UpstreamError, match=r"sent only a part of codex\.tgz"):
        downloader(tmp_path, client).fetch(ABCDEF)


def test_a_local_asset_is_checked_and_used_in_place(tmp_path: Path) -> None:
    path = tmp_path / "codex.tgz"
    path.write_bytes(b"abcdef")
    asset = replace(ABCDEF, location=Local(path=path))
    fetcher = downloader(tmp_path / "cache", scripted())
    assert fetcher.fetch(asset) == path
    path.write_bytes(b"abcdeX")
    with pytest.raises(WrongDigest, match=r"codex\.tgz"):
        fetcher.fetch(asset)
    assert path.exists()
    path.unlink()
    with pytest.raises(UsageError, match="No such file"):
        fetcher.fetch(asset)
    assert not (tmp_path / "cache").exists()


def sized(name: str, content: bytes, base: str = "https://example.invalid/") -> ReleaseAsset:
    digest = Digest.parse(f"sha256:{hashlib.sha256(content).hexdigest()}")
    return replace(ABCDEF, name=name, digest=digest, location=Remote(url=f"{base}{name}"))


def test_assets_are_returned_in_order_and_equal_ones_downloaded_once(tmp_path: Path) -> None:
    one, two = sized("one", b"1"), sized("two", b"2")
    client = FakeHttpClient(
        {
            "https://example.invalid/one": (Answer(body=(b"1",)),),
            "https://example.invalid/two": (Answer(body=(b"2",)),),
        }
    )
    paths = downloader(tmp_path, client).fetch_all([two, one, two], jobs=2)
    assert [path.read_bytes() for path in paths] == [b"2", b"1", b"2"]
    client.assert_done()


class EndlessAnswer:
    """A response body without an end."""

    status = 200
    headers: Mapping[str, str] = {}

    def __init__(self, started: threading.Event) -> None:
        self._started = started

    def chunks(self) -> Iterator[bytes]:
        self._started.set()
        while True:
            yield b""


class EndlessClient:
    """Sends endless bodies, except for one URL, which fails once another download has started."""

    def __init__(self, failing: str) -> None:
        self._failing = failing
        self._started = threading.Event()

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int) -> bytes:
        raise AssertionError(url, headers, max_bytes)

    @contextmanager
    def stream(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[HttpResponse]:
        assert not headers
        if url == self._failing:
            assert self._started.wait(5)
            raise HttpStatusError(url, 404)
        yield EndlessAnswer(self._started)


def test_the_first_error_stops_the_other_downloads(tmp_path: Path) -> None:
    assets = [sized(name, name.encode()) for name in ("a", "b", "failing", "c")]
    with pytest.raises(HttpStatusError, match="failing answered with status 404"):
        downloader(tmp_path, EndlessClient("https://example.invalid/failing")).fetch_all(assets, jobs=3)


BODY = bytes(range(256)) * 4096


def serve(httpserver: HTTPServer, handler: Callable[[Request], Response]) -> ReleaseAsset:
    httpserver.expect_request("/asset").respond_with_handler(handler)
    return sized("asset", BODY, base=httpserver.url_for("/"))


def fetched(root: Path, asset: ReleaseAsset) -> bytes:
    with RequestsClient() as client:
        fetcher = replace(downloader(root, client), max_bytes=1 << 30)
        return fetcher.fetch(asset).read_bytes()


def test_a_cut_body_is_resumed_over_a_real_connection(tmp_path: Path, httpserver: HTTPServer) -> None:
    ranges: list[str | None] = []

    def cut_half_way(request: Request) -> Response:
        ranges.append(request.headers.get("Range"))
        start = request.range.ranges[0][0] if request.range else 0
        end = len(BODY) // 2 if not start else len(BODY)
        headers = {"Content-Length": str(len(BODY) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
        return Response(iter([BODY[start:end]]), status=206 if start else 200, headers=headers)

    assert fetched(tmp_path, serve(httpserver, cut_half_way)) == BODY
    assert ranges == [None, f"bytes={len(BODY) // 2}-"]


def test_a_server_without_ranges_works_over_a_real_connection(tmp_path: Path, httpserver: HTTPServer) -> None:
    bodies = [(BODY[:1000], len(BODY)), (BODY, len(BODY))]

    def ignore_ranges(_: Request) -> Response:
        body, length = bodies.pop(0)
        return Response(iter([body]), headers={"Content-Length": str(length)})

    assert fetched(tmp_path, serve(httpserver, ignore_ranges)) == BODY
    assert bodies == []
