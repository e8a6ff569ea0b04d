"""ESP-IDF's ``sdkconfig`` and ``sdkconfig.defaults*``: what Kconfig decided, as macros.

The format is one of lines that a tool writes (Kconfig language, "Configuration file").
"""

from __future__ import annotations

import re

from lwslint.build.facts import BuildFile
from lwslint.build.readers.records import Records, decode
from lwslint.facts import Span

_LINE = re.compile(
    rb"^[ \t]*+(?:(?P<key>CONFIG_\w++)[ \t]*+=[ \t]*+(?P<value>[^\r\n]*+)"
    rb"|(?P<comment>\#[ \t]*+(?P<unset>CONFIG_\w++)[ \t]++is[ \t]++not[ \t]++set\b))",
    re.MULTILINE,
)


def read(path: str, data: bytes) -> BuildFile:
    """Each ``CONFIG_X=y`` as a setting and as the macro that ``sdkconfig.h`` has for it.

    ``y`` is the macro 1; ``n`` and ``# CONFIG_X is not set`` leave it undefined.
    """
    return Records(path, "sdkconfig", data).read(_read)


def _read(records: Records) -> None:
    for match in _LINE.finditer(records.data):
        if match["unset"]:
            name, value = decode(match["unset"]), "n"
            span = Span(*match.span("comment"))
        else:
            text = match["value"].rstrip()
            name, value = decode(match["key"]), decode(text)
            span = Span(match.start("key"), match.start("value") + len(text))
        records.setting(name, value.strip('"'), span, "cache")
        records.define(name, {"y": "1", "n": None}.get(value, value), span)
