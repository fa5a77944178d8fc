"""A fixed index and time for tests of audits."""

from datetime import UTC, datetime

from factory.audit.origin import AskedIndex, ListedOrigin
from factory.core.digests import Sha256

ASKED_AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
ASKED = AskedIndex(address="https://index.example.invalid/simple/", asked_at=ASKED_AT)


def listed(sha256: Sha256, *, yanked: str | None = None) -> ListedOrigin:
    """Return the origin of a wheel with a digest that the fixed index lists."""
    return ListedOrigin(index=ASKED.address, asked_at=ASKED_AT, sha256=sha256, yanked=yanked)
