"""Names of WebSocket subprotocols that exist outside the linted program.

``subprotocols.json`` says which names come from the IANA registry, of which date, and how they were
obtained.  Subprotocol names compare case-sensitively (RFC 6455, section 4.1).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec


class Subprotocol(msgspec.Struct, frozen=True):
    """One name; ``seen`` tells whether the registry itself was read, or a list made from it."""

    name: str
    reference: str
    seen: str = ""


class Subprotocols(msgspec.Struct, frozen=True):
    """``registered``: the IANA registry as of ``registry_date``; ``well_known``: in wide use without it."""

    about: str
    source: str
    registry_date: str
    registered: tuple[Subprotocol, ...]
    well_known: tuple[Subprotocol, ...]


@cache
def load() -> Subprotocols:
    """The whole file."""
    data = files(__package__).joinpath("subprotocols.json").read_bytes()
    return msgspec.json.decode(data, type=Subprotocols)


@cache
def _registered() -> dict[str, Subprotocol]:
    return {entry.name: entry for entry in load().registered}


@cache
def _known() -> dict[str, Subprotocol]:
    return {entry.name: entry for entry in (*load().well_known, *load().registered)}


def registered(name: str) -> Subprotocol | None:
    """The registry's entry of exactly this name, or None."""
    return _registered().get(name)


def known(name: str) -> Subprotocol | None:
    """The entry of a registered or well-known name, or None."""
    return _known().get(name)


@cache
def _folded() -> dict[str, str]:
    return {name.casefold(): name for name in _known()}


def misspelt(name: str) -> str | None:
    """The known name that ``name`` equals but for upper and lower case, which servers do not forgive."""
    right = _folded().get(name.casefold())
    return None if right == name else right
