"""C text to functions, for tests that ask about one body."""

from __future__ import annotations

from lwslint.facts import Function
from lwslint.frontends.c import extract
from lwslint.settings import Settings


def functions(source: str, language: str = "c") -> tuple[Function, ...]:
    """The functions of ``source``, as the front end lowers them."""
    return extract(
        "unit.cpp" if language == "cpp" else "unit.c", source.encode(), language, Settings()
    ).functions
