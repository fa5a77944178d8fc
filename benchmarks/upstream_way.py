"""Measured: upstream's method for one platform: extract the package, copy it to a stage, build in isolation.

The stage has our template and layout, so that the bytes must be equal. The work is upstream's: every file
is written to disk, and the front end creates a virtual environment.
"""

import os
import shutil
import sys
import tarfile
import time
from pathlib import Path

from benchmarks.job import FRONT_END, Job, Used, opened
from factory.build.recipe import lay_out
from factory.build.stage import StageRequest, stage_skeleton
from factory.build.template import SOURCE_DIRECTORY
from factory.core.digests import Sha256
from factory.core.progress import SilentProgress
from factory.release.payload_cache import load_payload
from factory.system.process import Command, SubprocessRunner


def main() -> None:
    """Build one wheel and write the report."""
    job = Job.parse(sys.argv[1:])
    with opened(job.cache, jobs=1, progress=SilentProgress()) as (channel, context):
        (planned,) = job.plan(channel).wheels
        archive = context.cache.path(planned.asset.digest)
        payload = load_payload(
            context.cache, planned.asset.digest, planned.asset.target, package_bytes=archive.stat().st_size
        )
    if payload is None:
        raise SystemExit("the cache no longer has the payload's record")
    extracted = job.out / "extracted"
    with tarfile.open(archive) as package:
        package.extractall(extracted, filter="data")
    layout = lay_out(planned.recipe, payload)
    request = StageRequest(destination=job.out / "stage", tag=planned.tag, recipe=planned.recipe)
    stage = stage_skeleton(request, layout).path
    root = extracted / "package" / "vendor" / planned.asset.target.value
    for member in layout.members:
        shutil.copyfile(root / member.file.path, stage / SOURCE_DIRECTORY / member.path)
    start_s = time.monotonic()
    wheel = _build(stage, job.out / "dist")
    build_s = time.monotonic() - start_s
    job.write_report(
        {
            "used": Used.now().to_json(),
            "phases": {FRONT_END: build_s},
            "wheels": {wheel.name: str(Sha256.of_file(wheel))},
            "output_bytes": wheel.stat().st_size,
        }
    )


def _build(stage: Path, dist: Path) -> Path:
    environ = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    completed = SubprocessRunner().run(
        Command(
            argv=(sys.executable, "-m", "build", "--wheel", "--outdir", str(dist), str(stage)), env=environ
        )
    )
    if completed.returncode != 0:
        raise SystemExit(f"python -m build: {completed.reason}\n{completed.output}")
    (wheel,) = dist.glob("*.whl")
    return wheel


if __name__ == "__main__":
    main()
