"""Rewrites macros that a parser without a preprocessor trips over, without moving a byte.

Every rewrite replaces a span by text of the same length with the same line breaks.  All patterns look at
the code text of :mod:`lwslint.frontends.scan`, in which comments are blank and literals are dots, so that
neither can ever match; the rewrites are then applied to the real text.

What the libwebsockets macros stand for is read from ``include/libwebsockets/lws-dll2.h`` and
``include/libwebsockets.h`` of v4.3.3 and v5.0.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, Protocol

from lwslint.frontends.scan import blank

_ARGUMENT_LIMIT = 4096  # bytes that the arguments of one macro call may take
_DEPTH_LIMIT = 50  # parentheses inside them
_DATA_LIMIT = 512  # bytes of a purely numeric initialiser that are left to the parser


class Edit(NamedTuple):
    """The bytes from ``start`` on are replaced by ``text``, which has the same length."""

    start: int
    text: bytes


class _MacroLike(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def parameters(self) -> tuple[str, ...] | None: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


# What no name holds: without it a text is half as long, and quickly searched for names.
_BETWEEN_NAMES = b" \t\r\n.,;(){}"


class Uses(NamedTuple):
    """Which of the known troublemakers a file mentions at all, found once and used for every variant."""

    language: str
    attributes: tuple[re.Pattern[bytes], ...]
    words: tuple[bytes, ...]  # blanked where they stand alone
    types: tuple[bytes, ...]  # macros with a type as argument
    statements: tuple[bytes, ...]  # macros of this file whose text ends with `;` or `}`
    elements: tuple[bytes, ...]  # macros of this file whose text ends with `,`
    lines: tuple[bytes, ...]  # the same, without parameters and ending with `;`
    tags: tuple[re.Pattern[bytes], ...]
    loops: bool
    iterations: bool
    secure_streams: bool
    mutexes: bool
    linkage: bool

    @staticmethod
    def of(data: bytes, code: bytes, macros: Iterable[_MacroLike], language: str) -> Uses:
        """Searches ``code``, the code text of ``data``, for the known names; ``macros`` are those that the
        file defines itself."""
        found: dict[str, list[bytes]] = {"empty": [], "statement": [], "element": [], "line": []}
        for macro in macros:
            if kind := _macro_kind(macro, data):
                found[kind].append(macro.name.encode())
        names = code.translate(None, _BETWEEN_NAMES)
        words = [*_mentioned(_RARE_WORDS, names), *found["empty"]]
        # Part of many a name of libwebsockets, but of those not the beginning.
        if b" CALLBACK" in code:
            words.append(b"CALLBACK")
        return Uses(
            language,
            tuple(pattern for prefix, pattern in _ATTRIBUTES.items() if prefix in names),
            tuple(dict.fromkeys(words)),
            tuple(_mentioned(_TYPES, names)),
            tuple(dict.fromkeys(found["statement"])),
            tuple(dict.fromkeys(found["element"])),
            tuple(dict.fromkeys(found["line"])),
            tuple(pattern for tag, pattern in _TAG_ARGUMENTS.items() if tag in names),
            b"_foreach_" in names,
            any(_mentioned(_ITERATORS, names)),
            b"LWS_SS_" in names,
            b"lws_pthread_mutex" in names,
            b'extern"' in names,
        )


def _mentioned(names: dict[bytes, tuple[bytes, ...]], text: bytes) -> Iterator[bytes]:
    """Those of ``names`` that ``text`` holds; they are sorted by what several of them have in common."""
    for common, several in names.items():
        if common in text:
            for name in several:
                if name in text:
                    yield name


def _macro_kind(macro: _MacroLike, data: bytes) -> str:
    """What a macro of the file itself means where it is used: nothing, statements, or table rows."""
    if macro.start == macro.end:
        return "empty" if macro.parameters is None else ""
    if macro.parameters is None:
        return "line" if data[macro.end - 1 : macro.end] == b";" else ""
    return {b";": "statement", b"}": "statement", b",": "element"}.get(data[macro.end - 1 : macro.end], "")


_NOTHING = rb"(?!)"  # matches nowhere

# Attributes, storage and calling conventions: nothing of them is left in the facts.  One pattern for each
# common prefix, because the regex engine skips to a literal prefix fast; the group is the opening
# parenthesis of those that take arguments.
_ATTRIBUTES = {
    prefix: re.compile(prefix + rb"(?:" + words + rb"(?![\w$])|" + calls + rb"\s*(\())")
    for prefix, words, calls in (
        (
            b"LWS_",
            rb"(?:VISIBLE|EXTERN|INLINE|WARN_UNUSED_RESULT|WARN_DEPRECATED|TLS_PACKED|PACKED|PLUGIN_STATIC)",
            rb"(?:FORMAT|CXX\w*)",
        ),
        (
            b"__",
            rb"(?:extension__|stdcall|cdecl|fastcall|restrict|inline__|unused|packed)",
            rb"(?:attribute__|attribute|declspec|asm__|pragma)",
        ),
        (
            b"Q_",
            _NOTHING,
            rb"(?:PROPERTY|DECLARE_METATYPE|DISABLE_COPY|ENUM|ENUMS|INTERFACES|PLUGIN_METADATA|CLASSINFO)",
        ),
        (b"EV_", rb"[AP]_", _NOTHING),  # libev: `struct ev_loop *loop,`
    )
}
_RARE_WORDS = {
    b"WINAPI": (b"WINAPI",),
    b"APIENTRY": (b"APIENTRY",),
    b"IRAM_ATTR": (b"IRAM_ATTR",),
    b"JNI": (b"JNIEXPORT", b"JNICALL"),
    b"PyObject_HEAD": (b"PyObject_HEAD",),
}
_CPLUSPLUS_WORDS = re.compile(
    rb"Q_(?:OBJECT|GADGET|SIGNALS|SLOTS|INVOKABLE|DECL_OVERRIDE|DECL_NOEXCEPT|DECL_FINAL|EMIT)(?![\w$])"
)
_QT_ACCESS = re.compile(
    rb"(?:(?:public|protected|private)(?P<slots>\s+(?:Q_SLOTS|slots))"
    rb"|\n[ \t\r]*+(?P<signals>signals|Q_SIGNALS))\s*:"
)
_TYPES = {
    b"container_of": (b"container_of",),
    b"offsetof": (b"offsetof",),
    b"va_arg": (b"va_arg",),
    b"list_": (b"list_entry", b"list_first_entry", b"lws_list_ptr_container"),
    b"CONTAINER_OF": (b"CONTAINER_OF",),
    b"OFFSETOF": (b"OFFSETOF",),
}
_ITERATORS = {
    b"each": (b"oreach", b"or_each"),
    b"EACH": (b"OREACH", b"OR_EACH"),
    b"orEach": (b"orEach",),
    b"_ITER": (b"_ITER",),
}


def neutralise(text: bytes, code: bytes, uses: Uses) -> bytes:
    """``text`` with the troublemakers rewritten; ``code`` is its code text (same length)."""
    attributes = _attributes(code, uses.attributes) + _blank_words(code, uses)
    text, code = _apply(text, attributes), _apply(code, attributes)
    edits: list[Edit] = []
    if uses.types:
        edits += _type_arguments(code, uses)
    if uses.loops:
        edits += _loops(code)
    if uses.iterations:
        edits += _iterations(code, uses.language)
    if uses.statements:
        edits += _separated(text, code, uses.statements, b";")
    if uses.lines:
        edits += _separated_words(text, code, uses.lines)
    if uses.elements:
        edits += _separated(text, code, uses.elements, b",")
    if uses.secure_streams:
        edits += _secure_streams(code)
    if uses.mutexes:
        edits += _separated(text, code, (b"lws_pthread_mutex",), b";")
    edits += _upper_case_lines(text, code)
    edits += _tags_as_arguments(code, uses.tags)
    edits += _label_before_brace(text, code)
    edits += _numeric_data(code)
    if uses.language == "cpp":
        edits += _exported_classes(code)
    elif uses.linkage:
        edits += _extern_c(code)
    return _apply(text, edits)


def readable(text: bytes, code: bytes, language: str) -> bytes:
    """``text``, which :func:`neutralise` has been through, as the parser gets it.

    What is rewritten here stands for something that the facts still need: the lowering meets a node that
    the grammar knows, and reads from ``text`` what was really written there.
    """
    edits: list[Edit] = []
    if b"..." in text:
        edits += _case_ranges(code)
    edits += _glued_strings(text, code, language)
    if language == "cpp" and (b"->*" in code or b".*" in code):
        edits += _member_pointers(code)
    return _apply(text, edits)


def _place(edit: Edit) -> int:
    return edit.start


def _apply(text: bytes, edits: list[Edit]) -> bytes:
    """Applies the edits in the order of their places; of overlapping ones the first wins, and of
    those at one place the first in the list."""
    if not edits:
        return text
    pieces = []
    at = 0
    for edit in sorted(edits, key=_place):
        if edit.start < at:
            continue
        pieces.append(text[at : edit.start])
        pieces.append(edit.text)
        at = edit.start + len(edit.text)
    pieces.append(text[at:])
    return b"".join(pieces)


@lru_cache(maxsize=64)
def _any_word(names: tuple[bytes, ...], tail: bytes) -> re.Pattern[bytes]:
    # Longest first: a name may begin with another one.
    ordered = sorted(names, key=lambda name: (-len(name), name))
    return re.compile(rb"(?:" + b"|".join(map(re.escape, ordered)) + rb")(?![\w$])" + tail)


def _starts_word(code: bytes, at: int) -> bool:
    """Whether no identifier reaches into ``at``; cheaper than a look-behind in the pattern."""
    before = code[at - 1 : at]
    return not (before.isalnum() or before in (b"_", b"$"))


def _attributes(code: bytes, patterns: tuple[re.Pattern[bytes], ...]) -> list[Edit]:
    edits = []
    for pattern in patterns:
        for match in pattern.finditer(code):
            if not _starts_word(code, match.start()):
                continue
            end = match.end() if match[1] is None else closing(code, match.start(1))
            if end is not None:
                last = end if match[1] is None else end + 1
                edits.append(Edit(match.start(), blank(code[match.start() : last])))
    return edits


def _blank_words(code: bytes, uses: Uses) -> list[Edit]:
    patterns = []
    if uses.words:
        patterns.append(_any_word(uses.words, b""))
    if uses.language == "cpp" and b"Q_" in code:
        patterns.append(_CPLUSPLUS_WORDS)
    edits = [
        Edit(match.start(), b" " * len(match[0]))
        for pattern in patterns
        for match in pattern.finditer(code)
        if _starts_word(code, match.start())
    ]
    if uses.language == "cpp" and (b"slots" in code or b"signals" in code or b"Q_S" in code):
        edits += _qt_sections(code)
    return edits


def _qt_sections(code: bytes) -> list[Edit]:
    """``public slots:`` → ``public      :``, ``signals:`` → ``public :``."""
    edits = []
    for match in _QT_ACCESS.finditer(code):
        if match["slots"]:
            edits.append(Edit(match.start("slots"), blank(match["slots"])))
        else:
            edits.append(Edit(match.start("signals"), b"public".ljust(len(match["signals"]))))
    return edits


_PARENTHESIS = re.compile(rb"[()]")


def closing(code: bytes, opening: int) -> int | None:
    """The offset of the parenthesis that closes the one at ``opening``, if it is near enough."""
    depth = 0
    for match in _PARENTHESIS.finditer(code, opening, opening + _ARGUMENT_LIMIT):
        depth += 1 if match[0] == b"(" else -1
        if depth == 0:
            return match.start()
        if depth > _DEPTH_LIMIT:
            return None
    return None


_SEPARATOR = re.compile(rb"[(){}\[\],]")


def arguments(code: bytes, opening: int) -> list[tuple[int, int]] | None:
    """The spans of the arguments of the call whose parenthesis is at ``opening``; None if it never ends."""
    depth = 0
    spans = []
    start = opening + 1
    for match in _SEPARATOR.finditer(code, opening, opening + _ARGUMENT_LIMIT):
        char = match[0]
        if char == b",":
            if depth == 1:
                spans.append((start, match.start()))
                start = match.end()
        elif char in b"([{":
            depth += 1
            if depth > _DEPTH_LIMIT:
                return None
        else:
            depth -= 1
            if depth == 0:
                return [*spans, (start, match.start())]
    return None


# --------------------------------------------------------------------------- types as arguments

_TYPE_ONLY = re.compile(
    rb"\s*((?:(?:const|volatile|struct|union|enum|unsigned|signed|long|short)\s+)*[A-Za-z_][\w:]*)[\s*]*"
)
_TYPE_WORD = re.compile(
    rb"(?:const|volatile|struct|union|enum|unsigned|signed|long|short|int|char|float|double|void|bool|size_t)\b"
)


def _type_arguments(code: bytes, uses: Uses) -> list[Edit]:
    """``container_of(p, struct s, m)`` → ``container_of(p,        s, m)``; ``va_arg(ap, char *)`` →
    ``va_arg(ap, char__)``: the type becomes one identifier."""
    edits = []
    for match in _any_word(uses.types, rb"\s*\(").finditer(code):  # also `lws_container_of`
        spans = arguments(code, match.end() - 1)
        for start, end in spans or ():
            written = code[start:end]
            if _TYPE_ONLY.fullmatch(written) and (b"*" in written or _TYPE_WORD.search(written)):
                edits.append(Edit(start, _as_identifier(written)))
    return edits


def _as_identifier(written: bytes) -> bytes:
    """A type's text as one identifier of the same length: its tag where it has one, else all words."""
    words = list(re.finditer(rb"[\w:]+", written))
    if len(words) > 1 and words[-2][0] in (b"struct", b"union", b"enum"):
        last = words[-1]
        return blank(written[: last.start()]) + last[0] + blank(written[last.end() :])
    if b"\n" in written:
        return written
    inner = written.strip()
    lead = len(written) - len(written.lstrip())
    name = re.sub(rb"[^\w]", b"_", inner)
    if re.fullmatch(_TYPE_WORD, name):
        name = b"_" + name[1:]
    return written[:lead] + name + b" " * (len(written) - lead - len(name))


# --------------------------------------------------------------------------- lws list iterators

# Macro -> position of the type, the iterator and the start among its arguments.
_LOOP_ARGUMENTS = {
    b"dll": (0, 1, 2),
    b"dll_safe": (0, 1, 3),
    b"ll": (0, 1, 2),
    b"ll_safe": (0, 1, 2),
    b"llp": (0, 1, 2),
    b"llp_safe": (0, 1, 2),
}
_LOOP = re.compile(rb"lws_(?:start|end)_foreach_([a-z_]+)\s*\(")


def _loops(code: bytes) -> list[Edit]:
    """``lws_start_foreach_dll(T *, it, start) { … } lws_end_foreach_dll(it);`` becomes
    ``for(;;){T *  it= start; { … } };``, so that the body stands in a loop and the iterator is declared.

    Where starts and ends do not match up, each becomes an empty statement instead.
    """
    uses = [m for m in _LOOP.finditer(code) if m[1] in _LOOP_ARGUMENTS and _starts_word(code, m.start())]
    depth = 0
    balanced = True
    for match in uses:
        depth += 1 if code.startswith(b"lws_start", match.start()) else -1
        balanced &= depth >= 0
    balanced &= depth == 0
    edits = []
    for match in uses:
        spans = arguments(code, match.end() - 1)
        if spans is None:
            continue
        whole = code[match.start() : spans[-1][1] + 1]
        if code.startswith(b"lws_end", match.start()):
            edits.append(Edit(match.start(), (b"}" if balanced else b" ") + blank(whole[1:])))
        else:
            edits.append(_loop_start(code, match, spans, balanced))
    return edits


def _loop_start(code: bytes, match: re.Match[bytes], spans: list[tuple[int, int]], balanced: bool) -> Edit:
    start, end = match.start(), spans[-1][1] + 1
    positions = _LOOP_ARGUMENTS[match[1]]
    if len(spans) <= max(positions) or not balanced:
        return Edit(start, b";" + blank(code[start + 1 : end]))
    type_span, name_span, value_span = (spans[position] for position in positions)
    text = bytearray(blank(code[start:end]))
    text[:7] = b"for(;;)"
    text[match.end() - 1 - start] = ord("{")
    for span in (type_span, name_span, value_span):
        text[span[0] - start : span[1] - start] = code[span[0] : span[1]]
    text[value_span[0] - 1 - start] = ord("=")
    text[-1] = ord(";")
    return Edit(start, bytes(text))


# --------------------------------------------------------------------------- other people's iterators

_ITERATION = re.compile(
    rb"\n[ \t]*+((?!lws_)\w*(?:[fF]or_?[eE]ach|FOR_?EACH|_ITER)(?:[A-Z_]\w*|(?![a-z0-9])))[ \t]*\("
)
_DECLARATION = re.compile(rb"\s*(?:const\s+)?[\w:<>]+[\s*&]+\w+\s*")


def _iterations(code: bytes, language: str) -> list[Edit]:
    """``HASH_ITER(hh, table, it, next) {`` → ``while    (hh, table, it, next) {``; in C++ also
    ``Q_FOREACH(const T &x, list)`` → ``for      (const T &x: list)``."""
    edits = []
    for match in _ITERATION.finditer(code):
        spans = arguments(code, match.end() - 1)
        if spans is None or len(match[1]) < 5:
            continue
        after = code[spans[-1][1] + 1 : spans[-1][1] + 200].lstrip()[:1]
        if after in (b"", b";", b",", b")"):
            continue
        ranged = language == "cpp" and len(spans) == 2 and _DECLARATION.fullmatch(code[slice(*spans[0])])
        keyword = b"for" if ranged else b"while"
        edits.append(Edit(match.start(1), keyword.ljust(len(match[1]))))
        if ranged:
            edits.append(Edit(spans[0][1], b":"))
            continue
        for start, end in spans:
            written = code[start:end]
            if _TYPE_ONLY.fullmatch(written) and (b"*" in written or _TYPE_WORD.search(written)):
                edits.append(Edit(start, _as_identifier(written)))
    return edits


# --------------------------------------------------------------------------- macros without a semicolon


def _gap(text: bytes, code: bytes, at: int) -> int | None:
    """The first space or tab from ``at`` on that stands before any other token or comment."""
    for position in range(at, min(at + 400, len(code))):
        byte = text[position]
        if byte in b" \t":
            return position
        if byte not in b"\r\n":
            return None
    return None


_WORD_OR_BRACE = re.compile(rb"\s+(?:[A-Za-z_}]|\Z)")


def _separated(text: bytes, code: bytes, names: tuple[bytes, ...], separator: bytes) -> list[Edit]:
    """Puts ``separator`` behind each ``NAME(…)`` that is directly followed by a word or a brace."""
    edits = []
    for match in _any_word(names, rb"[ \t]*\(").finditer(code):
        end = closing(code, match.end() - 1)
        if end is None or not _starts_word(code, match.start()) or not _WORD_OR_BRACE.match(code, end + 1):
            continue
        gap = _gap(text, code, end + 1)
        if gap is not None:
            edits.append(Edit(gap, separator))
    return edits


def _separated_words(text: bytes, code: bytes, names: tuple[bytes, ...]) -> list[Edit]:
    """Puts a semicolon behind each ``NAME`` that stands alone on its line without one."""
    edits = []
    for match in _any_word(names, rb"[ \t\r]*\n").finditer(code):
        if _starts_word(code, match.start()) and _WORD_OR_BRACE.match(code, match.end() - 1):
            gap = _gap(text, code, match.end())
            if gap is not None:
                edits.append(Edit(gap, b";"))
    return edits


# --------------------------------------------------------------------------- lines that open in upper case

_TYPE_KEYWORDS = (
    rb"(?:const|volatile|static|extern|inline|virtual|explicit|typedef|struct|union|enum|class|unsigned|signed"
    rb"|void|bool|char|short|int|long|float|double|auto)"
)
_UPPER_LINE = re.compile(
    rb"\n[ \t]*+(?:(?:static|extern|inline|virtual|friend)[ \t]+)*+"
    rb"([A-Z_][A-Z0-9_]{2,})(?![\w$:.])([ \t]*\(?)"
)
_DECLARES = re.compile(
    rb"\s+(?:(?:const\s+|volatile\s+)*+(?!const\b|volatile\b)(?:"
    + _TYPE_KEYWORDS
    + rb"\b(?!\s*[;,=)])|[A-Za-z_][\w:]*(?:<[^;(){}]*>)?(?:\s+[*&]*|\s*[*&]+\s*)"
    rb"(?:[A-Z][A-Z0-9_]*\s+)?[A-Za-z_~][\w:]*\s*[(=;,\[{]))"
)
_OPERATOR_WORD = re.compile(
    rb"\s+(?:return|else|case|goto|in|if|while|for|do|switch|sizeof|new|delete|throw)\b"
)
_CONVENTION = re.compile(rb"[ \t]+[*&]*([A-Z_][A-Z0-9_]{2,})[ \t]+[A-Za-z_]\w*[ \t]*\(")
_ALONE = re.compile(rb"\s*(?:\}|\Z|" + _TYPE_KEYWORDS + rb"\b|namespace\b|using\b|template\b)")
_PAIR_NAME = re.compile(rb"BEGIN|END|DECLS|EXTERN_C")
_STATEMENT_END = b";}"


def _upper_case_lines(text: bytes, code: bytes) -> list[Edit]:
    """Handles upper-case words at the start of a line, which are macros wherever C leaves no other reading.

    ``EXPORT int f(void)`` and ``PRIVATE_API STATUS f()``: the attribute is blanked.  ``NS_END`` alone on a
    line is blanked.  ``CHECK(x)`` without a semicolon gets one where there is room; ``GUARD(x) {`` becomes
    an ``if``.
    """
    edits = []
    for match in _UPPER_LINE.finditer(code):
        start, end = match.span(1)
        if match[2].endswith(b"("):
            edits += _upper_case_call(text, code, start, end, match.end() - 1)
        elif _OPERATOR_WORD.match(code, end):
            continue
        elif _DECLARES.match(code, end) and b"\n" not in code[end : _skip_space(code, end)]:
            edits.append(Edit(start, b" " * (end - start)))
        elif convention := _CONVENTION.match(code, end):
            edits.append(Edit(convention.start(1), b" " * len(convention[1])))
        elif _stands_alone(code, start, end):
            edits.append(Edit(start, b" " * (end - start)))
    return edits


def _skip_space(code: bytes, at: int) -> int:
    match = _SPACES.match(code, at)
    return match.end() if match else at


_SPACES = re.compile(rb"\s*")


def _after(code: bytes, at: int) -> bytes:
    """The first byte from ``at`` on that is no white space; empty at the end of the file."""
    at = _skip_space(code, at)
    return code[at : at + 1]


def _before(code: bytes, at: int) -> bytes:
    """The last byte before ``at`` that is no white space (comments are); empty at the start of the file,
    ``?`` where it is too far away."""
    for width in (64, 1024, 16384):
        found = code[max(0, at - width) : at].rstrip()
        if found:
            return found[-1:]
        if at <= width:
            return b""
    return b"?"


_SCOPE_WINDOW = 8000
_DECLARATION_SCOPE = re.compile(
    rb'(?:\bnamespace\b[\s\w:]*|\bextern\s*"\.*"\s*|\b(?:class|struct|union)\b[^;{}()]*)\Z'
)


def _among_declarations(code: bytes, at: int) -> bool:
    """Whether ``at`` stands at file scope, or directly in a namespace, linkage block or class."""
    first = max(0, at - _SCOPE_WINDOW)
    depth = 0
    for match in reversed(list(_BRACE.finditer(code, first, at))):
        depth += 1 if match[0] == b"}" else -1
        if depth < 0:
            opening = match.start()
            return _DECLARATION_SCOPE.search(code[max(0, opening - 200) : opening]) is not None
    return first == 0


def _stands_alone(code: bytes, start: int, end: int) -> bool:
    """Whether the word is the only one on its line, between declarations or statements."""
    rest = _skip_space(code, end)
    if rest < len(code) and b"\n" not in code[end:rest]:
        return False
    before = _before(code, start)
    if (
        before
        and before not in _STATEMENT_END
        and not (before == b"{" and _PAIR_NAME.search(code, start, end))
    ):
        return False
    return bool(_PAIR_NAME.search(code, start, end) or _ALONE.match(code, end))


_DESIGNATED = re.compile(rb"\(\s*\.\w+\s*=")


def _upper_case_call(text: bytes, code: bytes, start: int, end: int, opening: int) -> list[Edit]:
    close = closing(code, opening)
    if close is None:
        return []
    if _DESIGNATED.match(code, opening):
        # `= JANUS_INIT ( .init = f, … )`: the macro wraps an initialiser.
        return [Edit(start, blank(code[start:opening]) + b"{"), Edit(close, b"}")]
    after = _after(code, close + 1)
    indented = code[start - 1 : start] in (b" ", b"\t")
    if after == b"{" and indented and not _among_declarations(code, start):
        return [Edit(start, b"if".ljust(end - start))]
    before = _before(code, start)
    if before in (b",", b"=", b"(", b"|", b"&", b"+", b"?", b"<") or not _WORD_OR_BRACE.match(
        code, close + 1
    ):
        return []
    newline = code.find(b"\n", close, _skip_space(code, close + 1))
    gap = _gap(text, code, close + 1)
    if gap is None or newline < 0 or not indented:
        return []
    return [Edit(gap, b";")]


# --------------------------------------------------------------------------- smaller oddities

_TAG_ARGUMENTS = {tag: re.compile(tag + rb"\s+\w+\s*([,)])") for tag in (b"struct", b"union", b"enum")}
_BEFORE_TAG = re.compile(rb"([(,])\s*(?:const\s+)?\Z")
_UPPER_BEFORE = re.compile(rb"(?:^|[^\w$])[A-Z_][A-Z0-9_]+\s*\Z")


def _tags_as_arguments(code: bytes, patterns: tuple[re.Pattern[bytes], ...]) -> list[Edit]:
    """``SIZEOF(struct s)``, ``remove(struct s, list, x)``: the bare type loses its ``struct``.

    A cast, ``sizeof(struct s)`` and parameters with a name are no such thing.
    """
    edits = []
    for pattern in patterns:
        for match in pattern.finditer(code):
            start = match.start()
            window = code[max(0, start - 80) : start]
            before = _BEFORE_TAG.search(window)
            if before is None:
                continue
            alone = before[1] == b"(" and match[1] == b")"
            if not alone or _UPPER_BEFORE.search(window[: before.start()]):
                lead = start - len(before[0]) + 1
                edits.append(Edit(lead, blank(code[lead : start + match[0].find(match[0].split()[1])])))
    return edits


_LABEL_END = re.compile(rb":\s+\}")


def _label_before_brace(text: bytes, code: bytes) -> list[Edit]:
    """``done: }`` has been C only since C23: an empty statement goes between, where there is room."""
    edits = []
    for match in _LABEL_END.finditer(code):
        gap = _gap(text, code, match.start() + 1)
        if gap is not None and gap < match.end() - 1:
            edits.append(Edit(gap, b";"))
    return edits


_EXPORTED = re.compile(
    rb"(?:class|struct)[ \t]+([A-Z_][A-Z0-9_]{2,})[ \t]+(?!final\b)[A-Za-z_]\w*\s*(?:final\s*)?[:{]"
)


def _exported_classes(code: bytes) -> list[Edit]:
    """``class API_EXPORT Name : …``: the attribute is blanked; ``struct NAME x{};`` is a variable."""
    return [
        Edit(match.start(1), b" " * len(match[1]))
        for match in _EXPORTED.finditer(code)
        if not code[match.end() : match.end() + 80].lstrip().startswith(b"}")
    ]


_EXTERN_C = re.compile(rb'extern\s*"\.*"(\s*\{)?')


def _extern_c(code: bytes) -> list[Edit]:
    """``extern "C"`` in a file that is read as C; a block's closing brace goes too."""
    edits = []
    for match in _EXTERN_C.finditer(code):
        if match[1] is None:
            edits.append(Edit(match.start() + 6, blank(code[match.start() + 6 : match.end()])))
            continue
        close = _closing_brace(code, match.end() - 1)
        if close is not None:
            edits += [Edit(match.start(), blank(match[0])), Edit(close, b" ")]
    return edits


_BRACE = re.compile(rb"[{}]")


def _closing_brace(code: bytes, opening: int) -> int | None:
    depth = 0
    for match in _BRACE.finditer(code, opening):
        depth += 1 if match[0] == b"{" else -1
        if depth == 0:
            return match.start()
    return None


_SECURE_STREAM = re.compile(rb"LWS_SS_(?:USER_TYPEDEF(?!\w)|INFO\()")


def _secure_streams(code: bytes) -> list[Edit]:
    """``LWS_SS_USER_TYPEDEF`` opens a struct's typedef, ``LWS_SS_INFO(name, type)`` an initialiser of a
    constant (lws-secure-streams.h:254-264@v5.0.0)."""
    edits = []
    for match in _SECURE_STREAM.finditer(code):
        if not match[0].endswith(b"("):
            edits.append(Edit(match.start(), b"typedef struct {".ljust(len(match[0]))))
            continue
        spans = arguments(code, match.end() - 1)
        if spans is not None and len(spans) == 2:
            start, end = spans[1]
            edits += [Edit(match.start(), b"LWS_SS i = {"), Edit(start, blank(code[start : end + 1]))]
    return edits


# --------------------------------------------------------------------------- pure data

_NUMBERS = re.compile(rb"\{[\s,{}0-9a-fA-FxXuUlL.+-]{%d,}" % _DATA_LIMIT)
_BARE_NUMBERS = re.compile(rb"\s*([0-9][\s,0-9a-fA-FxXuUlL.+-]{%d,})" % _DATA_LIMIT)


def _numeric_data(code: bytes) -> list[Edit]:
    """Empties long initialisers that hold numbers only: they cost the parser seconds and say nothing.

    A file that begins with numbers (to be included between braces) counts too.
    """
    edits = []
    bare = _BARE_NUMBERS.match(code)
    if bare is not None:
        edits.append(Edit(bare.start(1), blank(bare[1])))
    for match in _NUMBERS.finditer(code):
        for start, end in _balanced(match[0]):
            inner = match[0][start + 1 : end]
            if len(inner) >= _DATA_LIMIT and inner.count(b",") >= _DATA_LIMIT // 16:
                edits.append(Edit(match.start() + start + 1, blank(inner)))
    return edits


def _balanced(data: bytes) -> list[tuple[int, int]]:
    """The outermost pairs of braces in ``data`` that are closed in it."""
    stack: list[int] = []
    groups: list[tuple[int, int]] = []
    for match in _BRACE.finditer(data):
        if match[0] == b"{":
            stack.append(match.start())
        elif stack:
            start = stack.pop()
            while groups and groups[-1][0] > start:
                groups.pop()
            groups.append((start, match.start()))
    return groups


# --------------------------------------------------------------------------- stand-ins for the parser

_CASE_RANGE = re.compile(rb"case\b(?:'[^\n']{1,12}'|::|[^:;{}\"'?]){1,200}?(\.\.\.)")


def _case_ranges(code: bytes) -> list[Edit]:
    """GNU's ``case A ... B:`` → ``case A ||  B:``, the operator that binds the least."""
    return [
        Edit(match.start(1), b"|| ")
        for match in _CASE_RANGE.finditer(code)
        if _starts_word(code, match.start())
    ]


_GLUED = re.compile(rb'"[ \t\r\n]+([A-Za-z_]\w*)(?:[ \t\r\n]*+[",;)]|[ \t]*(\())')


def _glued_strings(text: bytes, code: bytes, language: str) -> list[Edit]:
    """``"a" NAME "b"`` and ``"a" STR(x) "b"``: what stands between two literals, and the blank before it,
    becomes a literal (the C grammar takes a plain name there itself)."""
    edits = []
    at = 0
    while match := _GLUED.search(code, at):
        start, at = match.start(1), match.end(1)
        if text[start:at] != code[start:at]:
            continue
        if match[2]:
            end = closing(code, match.start(2))
            if end is not None and _after(code, end + 1) in (b'"', b",", b")"):
                edits.append(_as_literal(text, start, end + 1))
        elif language == "cpp" and code[at : at + 1] != b'"':
            edits.append(_as_literal(text, start, at))
    return edits


def _as_literal(text: bytes, start: int, end: int) -> Edit:
    """A string literal over ``start`` to ``end`` and the blank before it; blanks where that has no room."""
    if text[start - 1 : start] not in (b" ", b"\t") or b"\n" in text[start:end]:
        return Edit(start, blank(text[start:end]))
    return Edit(start - 1, b'"' + b"." * (end - start - 1) + b'"')


_MEMBER_POINTER = re.compile(rb"(->\*|(?<![0-9.])\.\*)(\s*(?:\(|[\w:]+\s*(?:\[|->|\.(?!\*))))?")


def _member_pointers(code: bytes) -> list[Edit]:
    """The C++ grammar knows ``.*`` before a name only: ``->*m`` → ``.* m``, ``.*m[i]`` → ``% m[i]``."""
    return [
        Edit(match.start(), (b"%" if match[2] else b".*").ljust(len(match[1])))
        for match in _MEMBER_POINTER.finditer(code)
        if match[2] or match[1] == b"->*"
    ]
