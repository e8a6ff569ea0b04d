"""What a rule would have changed, in its own terms: an intention on places that facts gave it.

Rules know no syntax, so a rule names the flags to drop or the return to replace, and
:mod:`lwslint.fixes` finds out from the bytes of the file which operator, comma, line or statement goes
with them.  Where the text is not of a shape that it is sure about, there is no fix.
"""

from __future__ import annotations

import msgspec

from lwslint.facts import Place


class DropFlags(msgspec.Struct, frozen=True, tag=True):
    """Take the flags at ``places`` (names or numbers) out of the ``|`` expressions they stand in.

    ``alone`` is written instead where nothing would be left of an expression; with ``""`` such an
    expression stays as it is and there is no fix.  ``keep`` says that ``alone`` must be in the result.
    """

    places: tuple[Place, ...]
    alone: str = ""


Remedy = DropFlags
