"""What the stock tools report for every wheel of the zoo: measured, and kept in a file.

A result is for one wheel (the SHA-256 of its name and bytes) and one version of a tool. When either
changes, the result is stale, and `measure` runs the tool again.
"""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from factory.core.digests import Sha256
from factory.core.json_reader import JsonObject
from factory.core.targets import OperatingSystem, Platform
from factory.system.files import atomic_write
from factory.system.parallel import in_parallel
from factory.system.process import Runner
from tests.wheels import Wheel, good_wheel
from tests.zoo.breakage import Breakage
from tests.zoo.judge import checks_like, findings_of
from tests.zoo.stock_tools import Answer, Mark, StockTool, commands, mark, write_otool

RESULTS = Path(__file__).with_name("stock_results.json")
_SAID_CHARACTERS = 200
_PLATFORM_OF = {
    OperatingSystem.LINUX: "manylinux_2_17_x86_64",
    OperatingSystem.MACOS: "macosx_11_0_arm64",
    OperatingSystem.WINDOWS: "win_amd64",
}
"""The platform of the same breakage for a tool that inspects only wheels of one system."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Question:
    """One tool and one broken wheel."""

    breakage: str
    tool: StockTool
    platform: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a version of a tool reported, with the line of its output that decided."""

    version: str
    mark: Mark
    said: str


Results = Mapping[Question, Result]


def questions(breakage: Breakage) -> Iterator[Question]:
    """Yield one question per tool about a breakage, on a wheel of a system that the tool inspects.

    For a tool of another system, the same breakage is made in the good wheel of that
    system, if that is possible; our own checks decide whether it is the same one.
    """
    wheels: dict[str, Wheel | None] = {}
    for tool in StockTool:
        platform = _platform_for(tool, breakage)
        if platform not in wheels:
            wheels[platform] = broken(breakage, platform)
        wheel = wheels[platform]
        if wheel is not None:
            yield Question(breakage=breakage.name, tool=tool, platform=platform, sha256=_digest(wheel))


def own_digest(breakage: Breakage) -> str:
    """Return the digest of the broken wheel, for the platform of the breakage."""
    return _digest(breakage.make(good_wheel(breakage.platform)))


def _digest(wheel: Wheel) -> str:
    """Hash a wheel and its name: the name may be the only defect."""
    return Sha256.of([wheel.name.encode(), b"\0", wheel.content()]).hex


def _platform_for(tool: StockTool, breakage: Breakage) -> str:
    system = Platform.parse(breakage.platform).target.operating_system
    return breakage.platform if tool.system in {None, system} else _PLATFORM_OF[tool.system or system]


def broken(breakage: Breakage, platform: str) -> Wheel | None:
    """Make the broken wheel of a platform; None if the breakage is not possible there."""
    if platform == breakage.platform:
        return breakage.make(good_wheel(platform))
    try:
        wheel = breakage.make(good_wheel(platform))
    except (StopIteration, AssertionError):  # the member or the text to change is missing
        return None
    with TemporaryDirectory() as directory:
        findings = findings_of(wheel, Path(directory))
    return wheel if checks_like(breakage.check, findings) == {breakage.check} else None


def measure(
    breakages: Iterable[Breakage], known: Results, *, runner: Runner, jobs: int
) -> dict[Question, Result]:
    """Answer all questions: from known results where they are current, otherwise by running the tools."""
    by_name = {breakage.name: breakage for breakage in breakages}
    asked = tuple(question for breakage in by_name.values() for question in questions(breakage))
    fresh = {
        question: known[question]
        for question in asked
        if question in known and known[question].version == version(question.tool)
    }
    stale = tuple(question for question in asked if question not in fresh)
    wheels = [(question, _wheel_of(question, by_name)) for question in stale]
    good = _good_answers({(question.tool, question.platform) for question in stale}, runner, jobs)
    ask = partial(_result, good=good, runner=runner)
    results = in_parallel(ask, wheels, jobs=jobs, weight=lambda _: 1, stop=threading.Event())
    return fresh | dict(zip(stale, results, strict=True))


def _wheel_of(question: Question, by_name: Mapping[str, Breakage]) -> Wheel:
    return by_name[question.breakage].make(good_wheel(question.platform))


def _good_answers(
    pairs: set[tuple[StockTool, str]], runner: Runner, jobs: int
) -> dict[tuple[StockTool, str], Answer]:
    order = tuple(sorted(pairs))
    answers = in_parallel(
        lambda pair: ask(pair[0], good_wheel(pair[1]), runner=runner),
        order,
        jobs=jobs,
        weight=lambda _: 1,
        stop=threading.Event(),
    )
    return dict(zip(order, answers, strict=True))


def _result(
    asked: tuple[Question, Wheel], *, good: Mapping[tuple[StockTool, str], Answer], runner: Runner
) -> Result:
    question, wheel = asked
    answer = ask(question.tool, wheel, runner=runner)
    made, said = mark(question.tool, answer, good=good[question.tool, question.platform], wheel=wheel.name)
    return Result(version=version(question.tool), mark=made, said=said[:_SAID_CHARACTERS])


def ask(tool: StockTool, wheel: Wheel, *, runner: Runner) -> Answer:
    """Run a tool on a wheel, in a directory of its own."""
    with TemporaryDirectory() as temporary:
        directory = Path(temporary).resolve()
        write_otool(directory / "bin")
        planned = commands(tool, wheel.write(directory))
        return Answer.of([runner.run(command) for command in planned], directory=directory)


def load(path: Path = RESULTS) -> dict[Question, Result]:
    """Read the results file.

    Raises:
        MalformedJson: The file does not have the format that `save` writes.
    """
    document = JsonObject.parse(path.read_bytes(), where=path.name)
    return dict(_entry(entry) for entry in document.objects("results"))


def _entry(entry: JsonObject) -> tuple[Question, Result]:
    question = Question(
        breakage=entry.text("breakage"),
        tool=StockTool(entry.text("tool")),
        platform=entry.text("platform"),
        sha256=entry.text("sha256"),
    )
    result = Result(
        version=entry.text("version"), mark=Mark(entry.text("mark")), said=entry.text_or_none("said") or ""
    )
    return question, result


def save(results: Results, path: Path = RESULTS) -> None:
    """Write the results file, sorted and with one line per result, so that diffs are small."""
    lines = [
        json.dumps(
            {
                "breakage": question.breakage,
                "tool": question.tool,
                "platform": question.platform,
                "sha256": question.sha256,
                "version": result.version,
                "mark": result.mark,
                "said": result.said,
            },
            ensure_ascii=False,
        )
        for question, result in sorted(results.items(), key=lambda item: item[0])
    ]
    content = '{"results": [\n' + ",\n".join(lines) + "\n]}\n"
    atomic_write(path, content.encode())
