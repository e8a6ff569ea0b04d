r"""Text that a CI system would take for a command, made harmless.

Whatever a job prints is searched for commands: GitHub Actions takes a line that begins with ``::``
after white space, and ``##[`` anywhere; Azure Pipelines takes ``##vso[`` anywhere, TeamCity
``##teamcity[`` (actions/runner ActionCommand.cs, microsoft/azure-pipelines-agent Command.cs).  A
linted file can be named like one.  Every format may be printed, so each breaks such text up in its
own way of escaping.
"""

from __future__ import annotations

import re

# Two number signs that open a command; the second one is what gets escaped.
_SIGNS = re.compile(r"##(?=\w{0,40}\[)")
_COLONS = re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def inert(text: str) -> str:
    """Plain text in which no line is a command; the broken character shows as ``\\x23`` or ``\\x3a``."""
    if "##" in text:
        text = _SIGNS.sub(r"#\\x23", text)
    return _COLONS.sub(r"\1\\x3a", text) if "::" in text else text


def inert_json(text: str) -> str:
    """A JSON document of the same meaning.  Number signs occur in its strings only."""
    return _SIGNS.sub(r"#\\u0023", text)


def inert_markup(text: str) -> str:
    """An XML or HTML document of the same meaning, its scripts and styles aside."""
    return _COLONS.sub(r"\1&#58;", _SIGNS.sub("#&#35;", text))
