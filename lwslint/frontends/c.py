"""The front end for C and C++: from a file's bytes to its facts.

    preprocess ──▶ variants of the text ──▶ tree-sitter ──▶ facts

The first variant is lowered whole.  Of each further one only the definitions that hold an arm of
``#if`` that the first variant left out are taken: they carry the variant's number.
"""

from __future__ import annotations

import re
from typing import Final

from tree_sitter import Node, Parser, Point, Tree

from lwslint.facts import Condition, FileFacts, Function, Span
from lwslint.frontends import c_macros
from lwslint.frontends.c_declarations import definitions, dialect
from lwslint.frontends.c_unit import ERROR_KIND, Dialect, Scope, Sink, Unit
from lwslint.frontends.preprocessor import Variant, preprocess
from lwslint.settings import Settings

INTERESTING: Final = re.compile(
    rb"lws_|lwsl_|LWS_|LCCSCF_|ssl_connection|libwebsocket|LIBWEBSOCKET|"
    rb"\bmain\s*\(|pthread_|std::j?thread|std::async|thrd_|_beginthread|CreateThread|QThread|\bsignal\s*\(|_create\s*\("
)
"""What makes an arm of a conditional worth a parse of its own: libwebsockets, or a thread that starts."""

_BLOCK: Final = 256
"""How many bytes are compared at a time to find what a variant changes."""

_DIALECTS: Final[dict[str, Dialect]] = {}


def _dialect(language: str) -> Dialect:
    """The one dialect (parser and tables) of a language in this process."""
    found = _DIALECTS.get(language)
    if found is None:
        found = _DIALECTS[language] = dialect(language)
    return found


def extract(path: str, data: bytes, language: str, settings: Settings) -> FileFacts:
    """The facts of one file.  ``language`` is ``c`` or ``cpp``; ``path`` is only carried along.

    Never raises on what the file holds: what does not parse is counted in ``error_bytes`` and listed in
    ``errors``, and what nests too deep is left out and said in ``problem``.
    """
    grammar = _dialect(language)
    preprocessed = preprocess(data, language, settings, INTERESTING)
    first, *others = preprocessed.variants
    sink = Sink()
    tree = grammar.parser.parse(first.parsed)
    error_bytes, errors = unparsed(tree.root_node)
    definitions(Unit(grammar, first.text, sink), tree.root_node, 0, Scope())
    taken = {condition.span for condition in first.conditions}
    for number, variant in enumerate(others, 1):
        wanted = tuple(c.span for c in variant.conditions if c.span not in taken)
        if wanted:
            taken.update(wanted)
            root = reparsed(grammar.parser, tree, first.parsed, variant.parsed).root_node
            definitions(Unit(grammar, variant.text, sink, number, wanted), root, 0, Scope())
    for macro in preprocessed.macros:
        described = c_macros.Definition(data, macro.name, macro.parameters, macro.start, macro.end)
        c_macros.lower(grammar, data, sink, described)
    return FileFacts(
        path=path,
        language=language,
        size=len(data),
        functions=tuple(map(_complete, sink.functions)),
        prototypes=tuple(sink.prototypes),
        variables=tuple(sink.variables),
        classes=tuple(sink.classes),
        enumerators=tuple(sink.enumerators),
        aliases=tuple(sink.aliases),
        macros=tuple(sink.macros),
        includes=preprocessed.includes,
        conditions=_active(preprocessed.variants),
        inactive=tuple(c for c in first.inactive if c.span not in taken),
        documents=tuple(sorted(sink.documents, key=lambda document: document.span)),
        error_bytes=error_bytes,
        errors=errors,
        problem=sink.problem,
    )


def reparsed(parser: Parser, tree: Tree, before: bytes, after: bytes) -> Tree:
    """The tree of ``after``, which has the length of ``before``, whose tree is known.

    What did not change is not parsed again, unless something in either does not parse: how the parser
    recovers from an error depends on what it has read before.
    """
    if tree.root_node.has_error:
        return parser.parse(after)
    changed = tree.copy()
    for start in range(0, len(after), _BLOCK):
        end = min(start + _BLOCK, len(after))
        if before[start:end] != after[start:end]:
            # Nobody asks for lines and columns, so that one long line will do.
            changed.edit(start, end, end, Point(0, start), Point(0, end), Point(0, end))
    found = parser.parse(after, changed)
    return parser.parse(after) if found.root_node.has_error else found


def unparsed(root: Node) -> tuple[int, tuple[Span, ...]]:
    """How many bytes stand in ERROR nodes (a token that is missing counts as one), and where."""
    count = 0
    spans: list[Span] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if not node.has_error:
            continue
        if node.kind_id == ERROR_KIND:
            spans.append(Span(node.start_byte, node.end_byte))
            count += node.end_byte - node.start_byte
        elif node.is_missing:
            spans.append(Span(node.start_byte, node.end_byte))
            count += 1
        else:
            stack.extend(reversed(node.children))
    return count, tuple(spans)


def _active(variants: tuple[Variant, ...]) -> tuple[Condition, ...]:
    """The conditions of all variants, each once, in file order."""
    found = {(c.span, c.text): c for variant in reversed(variants) for c in variant.conditions}
    return tuple(found[key] for key in sorted(found, key=lambda key: (key[0].start, -key[0].end, key[1])))


def _complete(function: Function | None) -> Function:
    assert function is not None  # every place in the sink is filled before its owner returns
    return function
