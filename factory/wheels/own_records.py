"""Remember in the user's cache which wheel records this factory wrote itself.

The output directory cannot vouch for itself: a wheel, its record and SHA256SUMS can be changed together.
The cache is outside that directory. A record that it does not know is not reused, and the wheel is built
again from the release package, which gives the same bytes if nothing was changed.
"""

import hashlib
import json
from dataclasses import replace

from factory.core.codec import to_json
from factory.core.digests import Sha256
from factory.manifest.manifest import WheelRecord
from factory.system.cache import Cache
from factory.verify.baseline.rules import rules_digest

_KIND = "own-wheel-v1"


def remember_record(cache: Cache, record: WheelRecord) -> None:
    """Remember a record that this run wrote after it verified the wheel.

    Raises:
        CannotWrite: The disk is full or read-only.
    """
    cache.write_record(_KIND, str(record.sha256), _identity(record))


def is_own_record(cache: Cache, record: WheelRecord) -> bool:
    """Whether this factory wrote the very record, with the checks and the baseline of today."""
    return cache.read_record(_KIND, str(record.sha256)) == _identity(record)


def _identity(record: WheelRecord) -> dict[str, object]:
    """Return the digest of a record; acceptance runs are added to the manifest later."""
    text = json.dumps(to_json(replace(record, acceptance=None)), sort_keys=True)
    return {"record": str(Sha256(hashlib.sha256(text.encode()).hexdigest())), "rules": str(rules_digest())}
