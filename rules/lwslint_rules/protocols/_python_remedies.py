"""How a Python program's offer of subprotocols is to be spelled."""

from __future__ import annotations

from lwslint.facts import Initializer, Text
from lwslint.model import python_places as places
from lwslint.model.offers import faults, names_of
from lwslint.model.python_subprotocols import Malformed
from lwslint.remedies import Applicability, DropElements, Remedy, Respell


def remedy(malformed: Malformed) -> Remedy | None:
    """A list around a bare string, one element for each name, each name once and without spaces.

    The library refuses the offer as it is, or the server does: nothing can rely on it.
    """
    definition, span = malformed.definition, malformed.place.span
    if found := places.keyword(definition, span):
        text = found[1].value
        if not isinstance(text, Text) or not text.value:
            return None
        names = names_of(text.value) or (text.value,)
        if any(map(faults, names)):
            return None
        change = Respell(malformed.place, text.value, elements=names, listed=True)
        return Remedy("put a list around it", Applicability.SAFE, change)
    around = places.item(definition, span)
    if around is None or not isinstance(around[1].value, Text):
        return None
    return _element(malformed, around[0], around[1].value.value)


def _element(malformed: Malformed, around: Initializer, name: str) -> Remedy | None:
    if around.type == "dict":
        return None
    others = [item.value.value for item in around.items if isinstance(item.value, Text)]
    names = names_of(name)
    if not names or any(map(faults, names)):
        return None
    if names == (name,):
        if others.count(name) < 2:
            return None
        return Remedy("offer each name once", Applicability.SAFE, DropElements((malformed.place,)))
    change = Respell(malformed.place, name, elements=names)
    message = "make each name an element" if len(names) > 1 else "take the spaces out"
    return Remedy(message, Applicability.SAFE, change)
