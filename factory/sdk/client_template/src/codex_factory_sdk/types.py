"""The types of the release's protocol, by their names in the schema."""

from codex_factory_sdk._open_models import UnknownResult, UnknownVariant
from codex_factory_sdk.generated import v2_all as _models
from codex_factory_sdk.generated.v2_all import *  # noqa: F403 - all of them

__all__ = ["UnknownResult", "UnknownVariant"]
__all__ += [name for name in dir(_models) if name[:1].isupper()]
