"""The keys that libwebsockets' readers of JSON know: the lwsws server's configuration and Secure Streams
policies.

``documents.json`` has them by path, as the library's own tables spell it (``vhosts[].mounts[].origin``,
``s[].*.tls``), with the first release that knows each.  The readers pass over any other key in silence.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

from lwslint.knowledge.api import parse_version
from lwslint.settings import Version

LWSWS = "lwsws"
POLICY = "policy"


class _Documents(msgspec.Struct, frozen=True):
    lwsws: dict[str, str]
    policy: dict[str, str]


@cache
def _load() -> _Documents:
    return msgspec.json.decode(files(__package__).joinpath("documents.json").read_bytes(), type=_Documents)


def _paths(kind: str) -> dict[str, str]:
    return _load().lwsws if kind == LWSWS else _load().policy


@cache
def keys(kind: str, prefix: str) -> tuple[str, ...]:
    """The names of the keys directly below ``prefix`` (``vhosts[].mounts[].``, ``s[].*.``), sorted; a key
    that holds an array or an object is there too."""
    found = {path.removeprefix(prefix) for path in _paths(kind) if path.startswith(prefix)}
    names = {name.partition("[")[0].partition(".")[0] for name in found}
    return tuple(sorted(names - {"", "*"}))


def since(kind: str, path: str) -> Version | None:
    """The first release that reads a key; None for one that no release does."""
    release = _paths(kind).get(path)
    return parse_version(release) if release else None
