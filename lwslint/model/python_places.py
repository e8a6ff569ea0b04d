"""Where something stands in a Python function: the argument or the item of a list or dict that it is.

For fixes, which begin at a finding's place; what a value may come from is
:mod:`lwslint.model.python_program`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.facts import (
    Assign,
    Call,
    Declare,
    Initializer,
    Item,
    Keyword,
    Return,
    Span,
    Value,
    walk,
)
from lwslint.model.symbols import Definition


def assignment(definition: Definition, span: Span) -> Assign | None:
    """The assignment that is the statement at ``span``."""
    for site in definition.body.assigns:
        if isinstance(site.node, Assign) and site.node.span == span:
            return site.node
    return None


def assigned(definition: Definition, span: Span) -> Value | None:
    """The value at ``span`` that is assigned, or passed by keyword."""
    for site in definition.body.assigns:
        if isinstance(site.node, Assign) and site.node.value.span == span:
            return site.node.value
    found = keyword(definition, span)
    return found[1].value if found is not None else None


def call(definition: Definition, span: Span) -> Call | None:
    for found in _calls(definition):
        if found.span == span:
            return found
    return None


def keyword(definition: Definition, span: Span) -> tuple[Call, Keyword] | None:
    """The keyword argument, and its call, whose value stands at ``span``."""
    for found in _calls(definition):
        for argument in found.keywords:
            if argument.value.span == span and argument.name != "**":
                return found, argument
    return None


def argument(definition: Definition, span: Span) -> Call | None:
    """The call whose positional argument stands at ``span``."""
    for found in _calls(definition):
        if any(value.span == span for value in found.arguments):
            return found
    return None


def item(definition: Definition, span: Span) -> tuple[Initializer, Item] | None:
    """The item, and the list, tuple or dict that is written out around it, whose value stands at ``span``."""
    for value in _values(definition):
        for node in walk(value):
            if isinstance(node, Initializer):
                for found in node.items:
                    if found.value.span == span:
                        return node, found
    return None


def _calls(definition: Definition) -> Iterator[Call]:
    for site in definition.body.calls:
        if isinstance(site.node, Call):
            yield site.node


def _values(definition: Definition) -> Iterator[Value]:
    for found in _calls(definition):
        yield from found.arguments
        yield from (argument.value for argument in found.keywords)
    for site in (*definition.body.assigns, *definition.body.declares, *definition.body.returns):
        if isinstance(site.node, Assign | Declare | Return) and site.node.value is not None:
            yield site.node.value
