"""Python: libcst's tree lowered into the records of :mod:`lwslint.facts`.

What Python has and the records have no word for is said like this:

- ``None`` is :class:`Null`; ``True`` and ``False`` are numbers; ``not``, ``and``, ``or`` are ``!``, ``&&``
  and ``||``.
- ``await x``, ``*x``, ``yield x``, ``raise x`` (``throw``), ``del x`` (``delete``), ``assert x`` and
  ``with x`` are unary; ``with x as y`` assigns ``with x`` to ``y``.  ``f(**x)`` has a keyword called ``**``.
- An f-string is a sum of its texts and of its expressions, each as :class:`Unknown`.
- ``import a.b as c`` is the alias ``c`` of ``a.b``; ``from a import b`` is ``b`` of ``a.b``; a relative
  import keeps its leading dots; a star import is called ``*``.
- A nested function is declared (type ``def``) where its ``def`` stands, with a :class:`Lambda` as value;
  so is ``global x`` (type ``global``).  What a class body assigns is a field of the class, and is also
  assigned to a member of the class's name in the function around it.
- The first statement of a ``catch`` block declares the exception: its name (may be empty) and type.
- The module's own statements are the function ``<module>``, always at index 0.
"""

from __future__ import annotations

import codecs
import re

from lwslint.discovery import NOT_PYTHON, NOT_PYTHON_3
from lwslint.facts import FileFacts
from lwslint.frontends import python_limits
from lwslint.settings import Settings

# At the beginning of a line a form feed also takes back the indentation before it.
_FORM_FEED = re.compile(rb"^[ \t\x0c]*\x0c|\x0c", re.MULTILINE)
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


def extract(path: str, data: bytes, language: str, settings: Settings) -> FileFacts:
    """The facts of one Python file.

    ``problem`` is ``NOT_PYTHON_3`` or ``NOT_PYTHON`` for a file that libcst does not parse (it
    knows the syntax of all Python 3 versions), else why the file was not looked at.
    """
    if reason := python_limits.excess(data):
        return FileFacts(path, language, len(data), problem=f"not analysed: {reason}")
    if not _decodes(data):
        return FileFacts(path, language, len(data), problem=NOT_PYTHON)
    # Imported late: it takes a quarter of a second.
    import libcst as cst

    from lwslint.frontends.python_lower import lower
    from lwslint.frontends.python_positions import Positions

    # libcst drops some form feeds in white space, and every position after them would be off.
    removed = [offset for match in _FORM_FEED.finditer(data) for offset in range(*match.span())]
    try:
        module = cst.parse_module(_FORM_FEED.sub(b"", data) if removed else data)
        positions = Positions(module, data, removed)
    except (cst.ParserSyntaxError, UnicodeDecodeError, LookupError):
        reason = NOT_PYTHON_3 if python_limits.is_python_2(data) else NOT_PYTHON
        return FileFacts(path, language, len(data), problem=reason)
    except RecursionError:
        return FileFacts(path, language, len(data), problem="not analysed: nested too deeply")
    return lower(path, data, module, positions)


def _decodes(data: bytes) -> bool:
    """Whether the bytes are text in the encoding that the file claims."""
    encoding = "utf-8"
    for line in data.removeprefix(codecs.BOM_UTF8).split(b"\n", 2)[:2]:
        if match := _COOKIE.match(line):
            encoding = match[1].decode("ascii", "replace")
            break
    try:
        codecs.lookup(encoding)
        data.decode(encoding)
    except (LookupError, UnicodeDecodeError, ValueError):
        return False
    return b"\0" not in data
