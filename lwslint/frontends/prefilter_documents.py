"""Whether a file can be JSON that libwebsockets reads: asked of every candidate, and needs no parser."""

from __future__ import annotations

import re

PEEK = 4096
"""How many bytes of a file decide whether it can be JSON."""

# lejp knows no // and /*, which is worth a report; a comment may be cut off where the look at the file ends.
_START = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|(?:#|//)[^\n]*+(?:\n|\Z)|/\*(?s:.*?)(?:\*/|\Z))*+(?:\{|\Z)")
_MENTIONED = re.compile(rb'"(?:vhosts|global|s)"\s*+:')


def begins_like_json(head: bytes) -> bool:
    """Whether the first byte of a file that is neither space nor in a comment is ``{``."""
    return _START.match(head) is not None


def mentions(data: bytes) -> bool:
    """Whether the bytes can be of an lwsws configuration or a Secure Streams policy."""
    return _MENTIONED.search(data) is not None
