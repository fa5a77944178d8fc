"""Read only the texts of a wheel, if a person has reviewed all of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from factory.audit.audited import AuditedWheel
from factory.audit.project_file import NotInferable
from factory.audit.projects.mapping import ReviewedRelease, member_path
from factory.audit.projects.members import RECORD, WHEEL, split_wheel_file
from factory.audit.published import PublishedReader
from factory.audit.wheel_file import WheelFiles
from factory.core.digests import Sha256
from factory.core.model import PayloadFile
from factory.verify.baseline.baseline import Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedTexts:
    """What a wheel contains if its texts are as they were reviewed.

    Attributes:
        name: The file name of the wheel.
        texts: The content of each member that is a text, by its name.
        placed: The file of the npm package for each member that should be one.
    """

    name: str
    texts: Mapping[str, bytes]
    placed: Mapping[str, PayloadFile]


def read_reviewed(
    audited: AuditedWheel,
    files: WheelFiles,
    *,
    release: ReviewedRelease,
    places: Mapping[str, PayloadFile],
    baseline: Baseline,
) -> MappedTexts | None:
    """Read the texts of a wheel, a few kilobytes; None if not all of them are reviewed ones.

    Args:
        audited: The wheel.
        files: Opens it.
        release: What was reviewed of its version.
        places: The file of the npm package for each path in the mapping.
        baseline: What the user accepts for this run.

    Raises:
        NotInferable: It has an entry that hatchling does not write.
        UnreadableWheel: It is not an archive that can be read safely.
        FactoryError: It cannot be downloaded.
    """
    wheel, reviewed = audited.wheel, release.reviewed
    texts: dict[str, bytes] = {}
    placed: dict[str, PayloadFile] = {}
    with files.open(wheel, audited.fetched) as (file, size_bytes):
        reader = PublishedReader(file, size_bytes=size_bytes, name=wheel.name)
        for name in reader.headers:
            path = member_path(name, wheel.name)
            if name.endswith("/"):
                raise NotInferable(f"it has an entry for the directory {name}; hatchling writes none")
            if path in places:
                placed[name] = places[path]
            elif path != RECORD:
                content = reader.text(name)
                sha256 = Sha256.of([split_wheel_file(content)[0] if path == WHEEL else content])
                is_reviewed = sha256 in reviewed.get(path, frozenset())
                if not is_reviewed and baseline.acceptance(path, name, sha256) is None:
                    return None
                texts[name] = content
    return MappedTexts(name=wheel.name, texts=texts, placed=placed) if len(placed) == len(places) else None
