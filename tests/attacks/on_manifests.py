"""Attacks on ``manifest.json``, with the good wheel beside it."""

from collections.abc import Callable

from tests.attacks.attack import Document, ManifestAttack
from tests.unit.verify.test_wheel_proof import FORGERIES, items


def _set(**values: object) -> Callable[[Document], None]:
    return lambda document: document.update(values)


def _in_wheel(**values: object) -> Callable[[Document], None]:
    return lambda document: items(document, "wheels")[0].update(values)


MANIFEST_ATTACKS: tuple[ManifestAttack, ...] = (
    *(ManifestAttack(name=f"manifest: {name}", change=change) for name, (change, _) in FORGERIES.items()),
    ManifestAttack(name="manifest: another tag", change=_set(tag="rust-v0.162.0")),
    ManifestAttack(name="manifest: an unknown channel", change=_set(channel="mirror")),
    ManifestAttack(name="manifest: no wheels", change=_set(wheels=[])),
    ManifestAttack(name="manifest: no release assets", change=_set(assets=[])),
    ManifestAttack(name="manifest: another name of the wheel", change=_in_wheel(name="evil.whl")),
    ManifestAttack(name="manifest: a name that leads outside", change=_in_wheel(name="../evil.whl")),
    ManifestAttack(name="manifest: another digest of the wheel", change=_in_wheel(sha256="0" * 64)),
    ManifestAttack(name="manifest: no payload", change=_in_wheel(payload=[])),
)
