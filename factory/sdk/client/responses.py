"""Find the response of each request: the schema defines both, and does not say which belong together.

A response is named after the parameters (``ThreadStartParams``, ``ThreadStartResponse``), after the method
(``account/rateLimits/read``), or with words of the method only (``config/value/write``,
``ConfigWriteResponse``). Where no definition or more than one fits, the response stays unknown.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from factory.sdk.types.methods import MessageKind, Method, methods_of
from factory.sdk.types.schema import SchemaBundle

_SUFFIX: Final = "Response"
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
_SILENT: Final = frozenset({"get", "read"})
"""The schema uses both for the same thing: ``account/rateLimits/read``, ``GetAccountRateLimitsResponse``."""


def responses_of(bundle: SchemaBundle, kind: MessageKind) -> Mapping[str, str]:
    """Return the definition of each method's response, for the methods that have one.

    Raises:
        UnusableSchema: The schema lists its methods in an unknown form.
    """
    methods = methods_of(bundle, kind)
    named = {name for name in bundle.definitions if name.endswith(_SUFFIX)}
    exact = {method.name: name for method in methods for name in _candidates(method) if name in named}
    free = named - set(exact.values())
    similar = {
        method.name: found
        for method in methods
        if method.name not in exact and (found := _similar(method.name, free)) is not None
    }
    return exact | similar


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a method or a definition, in lower case: ``mcpServer/oauth/login``."""
    return tuple(word.lower() for part in re.split(r"[/_]", name) for word in _WORD.findall(part))


def _candidates(method: Method) -> Sequence[str]:
    """Return the exact names that a method's response can have, the best one last."""
    by_method = "".join(part[:1].upper() + part[1:] for part in re.split(r"[/_]", method.name))
    names = (
        [by_method] if method.parameters is None else [by_method, method.parameters.removesuffix("Params")]
    )
    return [f"{name}{_SUFFIX}" for name in names]


def _similar(method: str, free: Collection[str]) -> str | None:
    wanted = set(words_of(method)) - _SILENT
    fits = {name: _meaning(name) for name in free if _meaning(name) <= wanted}
    longest = max((len(words) for words in fits.values()), default=0)
    best = [name for name, words in fits.items() if len(words) == longest]
    return best[0] if longest > 1 and len(best) == 1 else None


def _meaning(name: str) -> frozenset[str]:
    return frozenset(words_of(name.removesuffix(_SUFFIX))) - _SILENT
