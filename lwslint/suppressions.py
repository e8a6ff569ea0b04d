"""Comments that suppress findings: ``lwslint: ignore[LWS401] reason`` and ``lwslint: ignore-file[…] reason``.

A directive names rules by code or name and must give a reason.  ``ignore`` covers the lines of its
comment and, where no code stands on these, the line of code below; ``ignore-file`` covers the file.  A
finding is suppressed by a directive that covers any line of its primary span.

What looks like a directive and is none (LWS001), and a directive that suppresses nothing (LWS002), are
findings themselves, so that nobody trusts a comment that does not work.
"""

from __future__ import annotations

import bisect
import difflib
import io
import itertools
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from lwslint import registry
from lwslint.diagnostics import Diagnostic, Fix
from lwslint.facts import FileFacts, Place, Span
from lwslint.frontends import scan
from lwslint.registry import SelectorError
from lwslint.rule import LoadedRule, Rule
from lwslint.source import SourceText, Texts

MALFORMED = "LWS001"
UNUSED = "LWS002"

# A hostile file can hold a hundred thousand directives; nobody reads that many reports about one file.
MAX_COMPLAINTS = 100

_NEAR = 0.85  # of difflib's ratio: how like a rule's name a word must be to mean it


class Label(NamedTuple):
    """One word between a directive's brackets: a rule's code or name."""

    text: str
    span: Span


class Directive(msgspec.Struct, frozen=True):
    """A well-formed directive.  ``first`` and ``last`` are the lines it covers (from 1); ``span`` is
    that of its own text, which with the reason goes up to ``end``, within ``comment``."""

    span: Span
    labels: tuple[Label, ...]
    reason: str
    whole_file: bool
    first: int
    last: int
    comment: Span
    end: int


class Malformed(NamedTuple):
    """A comment that looks like a directive and suppresses nothing, and what is wrong with it.

    ``colon`` is where a colon would make it one, None where it lacks more than that.
    """

    span: Span
    why: str
    colon: int | None = None


class Suppressed(msgspec.Struct, frozen=True):
    """A finding that is not shown, and why; ``place`` is the directive's, None when the configuration
    suppressed it."""

    diagnostic: Diagnostic
    reason: str
    place: Place | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What is left of the findings.  ``complaints`` are findings about the directives themselves."""

    kept: tuple[Diagnostic, ...]
    suppressed: tuple[Suppressed, ...]
    complaints: tuple[Diagnostic, ...]


# ------------------------------------------------------------------------------------- comments

Spans = tuple[tuple[int, int], ...]

_CMAKE = re.compile(
    rb'"(?:[^"\\]|\\[\s\S])*+"|(?P<comment>#\[(?P<b>=*)\[[\s\S]*?(?:\](?P=b)\]|\Z)|#[^\n]*)|\[(?P<a>=*)\['
)
_HASH = re.compile(rb"""(?<!\\)"(?:[^"\\\n]|\\.)*+"|'[^'\n]*'|(?<![^\s)])(?P<comment>\#[^\n]*)""")


def comments(data: bytes, language: str) -> Spans:
    """Where the comments of a file stand; none in a language that has none."""
    match language:
        case "c" | "cpp":
            return tuple((start, end) for start, end in scan.quiet(data, language) if data[start] == 0x2F)
        case "python":
            return tuple(span for is_comment, span in _python(data) if is_comment)
        case "cmake":
            return tuple(_cmake(data))
        case "json":
            return ()
        case _:
            return tuple(match.span() for match in _HASH.finditer(data) if match["comment"])


def literals(data: bytes, language: str) -> Spans:
    """Where the comments and the literals of a file stand: nothing can be put into the middle of one."""
    match language:
        case "c" | "cpp":
            return scan.quiet(data, language)
        case "python":
            return tuple(span for _, span in _python(data))
        case _:
            quotes = (match.span() for match in (_CMAKE if language == "cmake" else _HASH).finditer(data))
            return tuple(quotes)


def _cmake(data: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    while match := _CMAKE.search(data, at):
        at = match.end()
        if match["comment"]:
            yield match.span()
        elif match["a"] is not None:  # a bracket argument: no comment begins in it
            closing = b"]" + match["a"] + b"]"
            end = data.find(closing, at)
            at = len(data) if end < 0 else end + len(closing)


def _python(data: bytes) -> Iterator[tuple[bool, tuple[int, int]]]:
    """The comments, and the strings of several lines, up to the first place that Python's own tokenizer
    does not accept; the flag says which it is."""
    lines = data.split(b"\n")
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]
    encoding = "utf-8"

    def offset(row: int, column: int) -> int:
        if row > len(lines):
            return len(data)
        bom = 3 if row == 1 and data.startswith(b"\xef\xbb\xbf") else 0
        text = lines[row - 1][bom:].decode(encoding, "replace")
        return starts[row - 1] + bom + len(text[:column].encode(encoding, "replace"))

    try:
        for token in tokenize.tokenize(io.BytesIO(data).readline):
            is_comment = token.type == tokenize.COMMENT
            if token.type == tokenize.ENCODING:
                encoding = token.string.removesuffix("-sig")
            elif is_comment or (token.start[0] != token.end[0] and token.string.strip()):
                yield is_comment, (offset(*token.start), offset(*token.end))
    except (tokenize.TokenError, SyntaxError, ValueError, LookupError, RecursionError):
        return


# ------------------------------------------------------------------------------------- directives

_WORD = re.compile(rb"lwslint\b", re.IGNORECASE)
_WORD_LENGTH = len("lwslint")
DECORATION = b" \t*!/#<[="  # also what opens a bracket comment of CMake
_HEAD = re.compile(rb"lwslint[ \t]*:", re.IGNORECASE)
_BARE = re.compile(
    rb"lwslint[ \t]+(?:ignore|disable|suppress|noqa|nolint|off)\b(?=[ \t]*(?:[-:\[=(]|$|file))",
    re.IGNORECASE | re.MULTILINE,
)
_BODY = re.compile(
    rb"[ \t]*(ignore-file|ignore)(?![\w-])[ \t]*(?:\[([^\]\r\n]{0,2000})\]|(\[)?)", re.IGNORECASE
)
_KIND = re.compile(rb"[ \t]*([\w-]{0,40})")
_LABEL = re.compile(rb"[^,\s](?:[^,]*[^,\s])?")
_FOLD = re.compile(rb"(?:\s|\\\r?\n)*\r?\n[ \t]*(?:\*(?!/)|//+|#+)?[ \t]*|\s+")


def mentions_lwslint(data: bytes) -> bool:
    """Whether the bytes can hold a directive."""
    return _WORD.search(data) is not None


def read(text: SourceText, language: str) -> tuple[list[Directive], list[Malformed]]:
    """The directives in a file's comments, and what looks like one and is none; both in file order."""
    data = text.data
    if not _WORD.search(data):
        return [], []
    spans = comments(data, language)
    separator = b"//" if language in ("c", "cpp") else b"#"
    directives: list[Directive] = []
    malformed: list[Malformed] = []
    lines: _Lines | None = None
    for comment in spans:
        for at, end in itertools.pairwise((*_marks(data, comment, separator), comment[1])):
            parsed = _parse(data, at, end, text.encoding, Span(*comment))
            if isinstance(parsed, Malformed):
                malformed.append(parsed)
            elif parsed is not None:
                lines = lines or _Lines(text, spans)
                first, last = lines.covered(comment)
                directives.append(msgspec.structs.replace(parsed, first=first, last=last))
    return directives, malformed


def _marks(data: bytes, comment: tuple[int, int], separator: bytes) -> Iterator[int]:
    """Where ``lwslint`` begins a comment, a line of it, or a comment within it (``// NOLINT // lwslint``)."""
    floor, end = comment
    for match in _WORD.finditer(data, *comment):
        before = data[floor : match.start()]
        rest = before.rstrip(DECORATION)
        gap = before[len(rest) :]
        opens = not rest and floor == comment[0]
        if opens or rest.endswith((b"\n", b"\r")) or separator in gap:
            yield match.start()
        floor = match.end()
        if floor >= end:
            break


def _parse(data: bytes, at: int, end: int, encoding: str, comment: Span) -> Directive | Malformed | None:
    """The directive that begins at ``at`` in a comment and ends before ``end``; None: only a mention."""
    head = _HEAD.match(data, at, end)
    if head is None:
        bare = _BARE.match(data, at, end)
        if bare is None:
            return None
        completed = data[at : at + _WORD_LENGTH] + b":" + data[at + _WORD_LENGTH : end]
        meant = _parse(completed, 0, len(completed), encoding, Span(0, len(completed)))
        colon = at + _WORD_LENGTH if isinstance(meant, Directive) else None
        return Malformed(Span(*bare.span()), 'there is no colon behind "lwslint"', colon)
    body = _BODY.match(data, head.end(), end)
    if body is None:
        kind = _KIND.match(data, head.end(), end)
        word = kind[1].decode("ascii", "replace") if kind else ""
        known = registry.nearest(word, ["ignore", "ignore-file"]) if word else ""
        return Malformed(
            Span(at, kind.end() if kind else head.end()), f"{word!r} is no directive of lwslint{known}"
        )
    span = Span(at, body.end())
    if body[2] is None:
        why = "the bracket is not closed on its line" if body[3] else "it names no rule in brackets"
        return Malformed(span, why)
    labels = tuple(_labels(data, body.span(2), encoding))
    if not labels:
        return Malformed(span, "it names no rule between its brackets")
    reason = _reason(data[body.end() : end], encoding)
    if not any(character.isalnum() for character in reason):
        return Malformed(span, "it gives no reason")
    whole = body[1].lower() == b"ignore-file"
    return Directive(span, labels, reason, whole, 0, 0, comment, end)


def _labels(data: bytes, bracket: tuple[int, int], encoding: str) -> Iterator[Label]:
    seen: set[str] = set()
    for match in _LABEL.finditer(data, *bracket):
        text = match[0].decode(encoding, "replace").strip("\"'` \t")
        if text.lower() not in seen:
            seen.add(text.lower())
            yield Label(text, Span(*match.span()))


def _reason(rest: bytes, encoding: str) -> str:
    """The text behind the bracket on one line, without the comment's own decoration."""
    rest = rest[:2000].rstrip().removesuffix(b"*/").rstrip(DECORATION + b"\r\n")
    return _FOLD.sub(b" ", rest).decode(encoding, "replace").strip(" \t-:–—")


class _Lines:
    """Which lines of a file hold code, for the reach of a comment."""

    def __init__(self, text: SourceText, spans: Spans) -> None:
        self._text = text
        bare = scan.blank_spans(text.data, list(spans))
        ranges = [text.line_span(number) for number in range(1, text.lines + 1)]
        self._code = [False, *(bool(bare[start:end].strip()) for start, end in ranges), False]
        # For each line: itself when it holds code, else the next such line below it across lines of
        # comments; 0 when an empty line comes first.
        self._below = [0] * (len(ranges) + 2)
        for number in range(len(ranges), 0, -1):
            if self._code[number]:
                self._below[number] = number
            elif text.data[slice(*ranges[number - 1])].strip():
                self._below[number] = self._below[number + 1]

    def covered(self, comment: tuple[int, int]) -> tuple[int, int]:
        first = self._text.position(comment[0]).line
        last = self._text.position(max(comment[0], comment[1] - 1)).line
        # A comment opens and ends on lines of its own, or shares one of the two with code.
        if self._code[first] or self._code[last]:
            return first, last
        return first, max(last, self._below[last + 1])


# ------------------------------------------------------------------------------------- applying


class _Use:
    """What the labels of one file's directives stand for, and which of them did suppress something."""

    def __init__(self, directives: Sequence[Directive], catalogue: Mapping[str, Rule]) -> None:
        self.unknown: list[Label] = []
        self.known: list[tuple[Directive, Label, Rule]] = []
        self._lines: dict[str, list[int]] = {}
        self._whole: dict[str, list[int]] = {}
        self.used: set[int] = set()
        for directive in directives:
            for label in directive.labels:
                rule = catalogue.get(label.text.lower())
                if rule is None or rule.code in (MALFORMED, UNUSED):
                    self.unknown.append(label)
                    continue
                kind = self._whole if directive.whole_file else self._lines
                kind.setdefault(rule.code, []).append(len(self.known))
                self.known.append((directive, label, rule))
        # Comments come one after the other and reach at most the next line of code, so both ends of
        # what they cover only grow: two binary searches find all that meet a range of lines.
        self._firsts = {c: [self.known[i][0].first for i in numbers] for c, numbers in self._lines.items()}
        self._lasts = {c: [self.known[i][0].last for i in numbers] for c, numbers in self._lines.items()}

    def take(self, code: str, first: int, last: int) -> Directive | None:
        """The directive that suppresses a finding of a rule on these lines; all such count as used."""
        numbers: list[int] = []
        if code in self._lines:
            low = bisect.bisect_left(self._lasts[code], first)
            high = bisect.bisect_right(self._firsts[code], last)
            numbers += self._lines[code][low:high]
        numbers += self._whole.get(code, ())
        self.used.update(numbers)
        return self.known[numbers[0]][0] if numbers else None


def apply(
    diagnostics: Sequence[Diagnostic],
    files: Sequence[FileFacts],
    texts: Texts,
    rules: Sequence[LoadedRule],
    catalogue: Sequence[LoadedRule],
    judged: Callable[[str], bool],
) -> Outcome:
    """Take out what the comments of the analysed ``files`` suppress.

    ``rules`` are those that ran and ``catalogue`` all there are: a directive for a rule that did not run
    is neither unknown nor unused.  ``judged`` says of a path whether this run saw enough to call a
    directive unused.
    """
    own = {loaded.rule.code: loaded.rule for loaded in rules if loaded.rule.code in (MALFORMED, UNUSED)}
    ran = {loaded.rule.code for loaded in rules} - {MALFORMED, UNUSED}
    by_label = {
        label.lower(): loaded.rule for loaded in catalogue for label in (loaded.rule.code, loaded.rule.name)
    }
    uses: dict[str, _Use] = {}
    complaints: list[Diagnostic] = []
    for file in files:
        if not mentions_lwslint(texts.data(file.path)):
            continue
        directives, malformed = read(texts[file.path], file.language)
        if not directives and not malformed:
            continue
        use = uses[file.path] = _Use(directives, by_label)
        if MALFORMED in own:
            complaints += _malformed(own[MALFORMED], file.path, malformed, use.unknown, catalogue)
    kept, suppressed = _take(diagnostics, uses, texts)
    if UNUSED in own:
        for file in files:
            if file.path in uses and judged(file.path):
                complaints += _unused(own[UNUSED], file, uses[file.path], ran, texts[file.path])
    return Outcome(tuple(kept), tuple(suppressed), tuple(complaints))


def _take(
    diagnostics: Sequence[Diagnostic], uses: Mapping[str, _Use], texts: Texts
) -> tuple[list[Diagnostic], list[Suppressed]]:
    kept: list[Diagnostic] = []
    suppressed: list[Suppressed] = []
    for diagnostic in diagnostics:
        use = uses.get(diagnostic.place.path)
        directive = None
        if use is not None:
            directive = use.take(diagnostic.code, *lines_of(texts[diagnostic.place.path], diagnostic))
        if directive is None:
            kept.append(diagnostic)
        else:
            place = Place(diagnostic.place.path, directive.span)
            suppressed.append(Suppressed(diagnostic, directive.reason, place))
    return kept, suppressed


def lines_of(text: SourceText, diagnostic: Diagnostic) -> tuple[int, int]:
    """The first and the last line of a finding's primary span."""
    start, end = diagnostic.place.span
    return text.position(start).line, text.position(max(start, end - 1)).line


def _malformed(
    rule: Rule,
    path: str,
    malformed: Sequence[Malformed],
    unknown: Sequence[Label],
    catalogue: Sequence[LoadedRule],
) -> Iterator[Diagnostic]:
    found: list[Malformed | Label] = [*malformed, *unknown]
    found.sort(key=lambda item: item.span)
    for item in found[:MAX_COMPLAINTS]:
        why = item.why if isinstance(item, Malformed) else _unknown(catalogue, item.text)
        yield rule.report(
            Place(path, item.span),
            f"this suppresses nothing: {why}",
            help="write lwslint: ignore[CODE] reason (or ignore-file[CODE] reason for the whole file), with"
            " codes or names of rules, separated by commas",
            fix=_completion(path, item, catalogue),
        )
    if len(found) > MAX_COMPLAINTS:
        yield _more(rule, path, len(found), found[MAX_COMPLAINTS].span)


def _completion(path: str, item: Malformed | Label, catalogue: Sequence[LoadedRule]) -> Fix | None:
    """What its author plainly meant."""
    from lwslint.fixes import directives

    if isinstance(item, Malformed):
        return directives.colon(path, item.colon) if item.colon is not None else None
    names = [loaded.rule.name for loaded in catalogue if loaded.rule.code not in (MALFORMED, UNUSED)]
    near = difflib.get_close_matches(item.text[:100].lower(), names, 2, _NEAR)
    return directives.respelled(path, item, near[0]) if len(near) == 1 else None


def _unknown(catalogue: Sequence[LoadedRule], label: str) -> str:
    """What is wrong with a label that stands for no rule that a comment can suppress."""
    try:
        rule = registry.find(catalogue, label[:80]).rule
    except SelectorError as error:
        return str(error)
    return f"{rule.code} {rule.name} cannot be suppressed by a comment"


def _unused(rule: Rule, file: FileFacts, use: _Use, ran: set[str], text: SourceText) -> Iterator[Diagnostic]:
    from lwslint.fixes import directives

    inactive = sorted((condition.span.start, condition.span.end) for condition in file.inactive)
    starts = [start for start, _ in inactive]
    ends: list[int] = []  # the furthest end of all that begin so far
    for _, end in inactive:
        ends.append(max(end, ends[-1] if ends else 0))

    def switched_off(at: int) -> bool:
        """Whether the build leaves the comment's code out: another profile may need it."""
        index = bisect.bisect_right(starts, at) - 1
        return index >= 0 and at < ends[index]

    idle = [
        (directive, label, found)
        for number, (directive, label, found) in enumerate(use.known)
        if number not in use.used and found.code in ran and not switched_off(label.span.start)
    ]
    for directive, label, found in idle[:MAX_COMPLAINTS]:
        where = "in this file" if directive.whole_file else _on(directive.first, directive.last)
        yield rule.report(
            Place(file.path, label.span),
            f"this suppresses nothing: {found.code} {found.name} reports nothing {where}",
            help="remove it: left here, it would hide the finding when it comes back",
            fix=directives.removal(text, file.path, directive, label),
        )
    if len(idle) > MAX_COMPLAINTS:
        yield _more(rule, file.path, len(idle), idle[MAX_COMPLAINTS][1].span)


def _on(first: int, last: int) -> str:
    return f"on line {first}" if first == last else f"on lines {first} to {last}"


def _more(rule: Rule, path: str, number: int, span: Span) -> Diagnostic:
    return rule.report(
        Place(path, span), f"{number - MAX_COMPLAINTS} more of these, from here on, are not listed"
    )


# ------------------------------------------------------------------------------------- by path


class PathIgnore(NamedTuple):
    """One line of ``[per-file-ignores]``: for files that ``pattern`` matches (``matches`` is told the
    absolute path), the rules that ``selectors`` name are left out."""

    pattern: str
    matches: Callable[[str], bool]
    selectors: tuple[str, ...]


def by_path(
    diagnostics: Iterable[Diagnostic],
    ignores: Sequence[PathIgnore],
    texts: Texts,
    rules: Sequence[LoadedRule],
) -> tuple[list[Diagnostic], list[Suppressed]]:
    """The findings that no ``[per-file-ignores]`` leaves out, and those that one does."""
    kept: list[Diagnostic] = []
    suppressed: list[Suppressed] = []
    by_code = {loaded.rule.code: loaded.rule for loaded in rules}
    matching: dict[str, list[PathIgnore]] = {}
    for diagnostic in diagnostics:
        path = diagnostic.place.path
        if path not in matching:
            matching[path] = [ignore for ignore in ignores if ignore.matches(texts.real(path))]
        rule = by_code.get(diagnostic.code)
        hit = next(
            (ignore for ignore in matching[path] if rule is not None and _selects(ignore, rule)),
            None,
        )
        if hit is None:
            kept.append(diagnostic)
        else:
            suppressed.append(Suppressed(diagnostic, f"per-file-ignores: {hit.pattern}"))
    return kept, suppressed


def _selects(ignore: PathIgnore, rule: Rule) -> bool:
    return any(registry.matches(rule, selector) for selector in ignore.selectors)


# ------------------------------------------------------------------------------------- writing


class Additions(msgspec.Struct, frozen=True):
    """A file with new directives in it.  ``refused`` are the findings that none could be written for,
    with the reason."""

    data: bytes
    written: tuple[Diagnostic, ...]
    refused: tuple[tuple[Diagnostic, str], ...]


def check_reason(reason: str) -> str:
    """A reason as it goes into a comment.  Raises ValueError for one that would not stay in it."""
    reason = " ".join(reason.split())
    if not any(character.isalnum() for character in reason):
        raise ValueError("a suppression needs a reason in words")
    if not reason.isprintable() or len(reason) > 500:
        raise ValueError("a reason is one line of at most 500 printable characters")
    for bad in ("*/", "/*", "??/"):
        if bad in reason:
            raise ValueError(f"a reason cannot contain {bad}")
    if reason.endswith("\\") or _WORD.search(reason.encode()):
        raise ValueError("a reason cannot end in a backslash or contain the word lwslint")
    return reason


def additions(text: SourceText, language: str, diagnostics: Iterable[Diagnostic], reason: str) -> Additions:
    """The file with a directive for each finding, one for all that begin on the same line.

    A directive goes onto a line of its own above the finding, or behind it where a line of its own would
    end up inside a macro or a literal.  Raises ValueError as :func:`check_reason` does.
    """
    reason = check_reason(reason)
    by_line: dict[int, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        by_line.setdefault(lines_of(text, diagnostic)[0], []).append(diagnostic)
    writer = _Writer(text, language, reason)
    inserted: list[tuple[int, bytes]] = []
    written: list[Diagnostic] = []
    refused: list[tuple[Diagnostic, str]] = []
    for line in sorted(by_line):
        codes = sorted({diagnostic.code for diagnostic in by_line[line]})
        outcome = writer.insertion(line, codes)
        if isinstance(outcome, str):
            refused += [(diagnostic, outcome) for diagnostic in by_line[line]]
        else:
            inserted.append(outcome)
            written += by_line[line]
    data = _insert(text.data, inserted)
    if written and not _holds(data, language, inserted, written, text):
        why = "a comment there would not be read as one"
        return Additions(text.data, (), (*refused, *((diagnostic, why) for diagnostic in written)))
    return Additions(data, tuple(written), tuple(refused))


class _Writer:
    """Decides where in one file a directive can stand, and how it is spelled there."""

    def __init__(self, text: SourceText, language: str, reason: str) -> None:
        self._text = text
        self._language = language
        self._reason = reason
        spans = literals(text.data, language)
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]

    def insertion(self, line: int, codes: Sequence[str]) -> tuple[int, bytes] | str:
        """Offset and bytes to put in for a finding that begins on ``line``, or why there is no place."""
        if self._language == "json":
            return "the format has no comments"
        data, span = self._text.data, self._text.line_span(line)
        if b"\n" not in data and b"\r" in data:
            return "the file's lines end in CR alone"
        directive = f"lwslint: ignore[{','.join(codes)}] {self._reason}"
        try:
            body = directive.encode(self._text.encoding)
        except UnicodeEncodeError:
            return f"the reason cannot be written in the file's encoding, {self._text.encoding}"
        above = self._text.line_span(line - 1)
        continued = line > 1 and data[slice(*above)].rstrip(b"\r\n").endswith(b"\\")
        if not continued and not self._inside(span.start):
            return self._own_line(span, body)
        return self._behind(span, body)

    def _own_line(self, span: Span, body: bytes) -> tuple[int, bytes]:
        raw = self._text.data[slice(*span)]
        indent = raw[: len(raw) - len(raw.lstrip(b" \t"))]
        end = b"\r\n" if raw.endswith(b"\r\n") or (b"\r\n" in self._text.data and b"\n" not in raw) else b"\n"
        return span.start, indent + self._comment(body) + end

    def _behind(self, span: Span, body: bytes) -> tuple[int, bytes] | str:
        raw = self._text.data[slice(*span)].rstrip(b"\r\n")
        code = raw.rstrip()
        if self._language not in ("c", "cpp") and code.endswith(b"\\"):
            return "no comment can stand on a continued line"
        comment = b"/* " + body + b" */" if self._language in ("c", "cpp") else b"# " + body
        if raw.endswith(b"\\"):
            code = raw[:-1].rstrip()
            comment += b"" if raw[:-1] != code else b" "
        at = span.start + len(code)
        if self._inside(at):
            return "the line ends inside a literal or a comment"
        index = bisect.bisect_left(self._starts, at) - 1
        if index >= 0 and self._ends[index] >= at and self._text.data.startswith(b"//", self._starts[index]):
            comment = b"// " + body
        return at, b" " + comment

    def _comment(self, body: bytes) -> bytes:
        match self._language:
            case "c":
                return b"/* " + body + b" */"
            case "cpp":
                return b"// " + body
            case _:
                return b"# " + body

    def _inside(self, at: int) -> bool:
        index = bisect.bisect_left(self._starts, at) - 1
        return index >= 0 and at < self._ends[index]


def _insert(data: bytes, inserted: Sequence[tuple[int, bytes]]) -> bytes:
    pieces: list[bytes] = []
    done = 0
    for at, piece in inserted:
        pieces += [data[done:at], piece]
        done = at
    return b"".join((*pieces, data[done:]))


def _holds(
    data: bytes,
    language: str,
    inserted: Sequence[tuple[int, bytes]],
    written: Sequence[Diagnostic],
    before: SourceText,
) -> bool:
    """Whether the written file says what it was to say: each finding is covered by a directive, and
    nothing but comments and spacing has changed."""
    text = SourceText(data)
    ends = [at for at, _ in inserted]
    moved = [0]
    for _, piece in inserted:
        moved.append(moved[-1] + len(piece))
    directives, _ = read(text, language)
    covered: dict[str, list[tuple[int, int]]] = {}
    for directive in directives:
        for label in directive.labels:
            covered.setdefault(label.text, []).append((directive.first, directive.last))
    for diagnostic in written:
        start = diagnostic.place.span.start
        line = text.position(start + moved[bisect.bisect_right(ends, start)]).line
        if not any(first <= line <= last for first, last in covered.get(diagnostic.code, ())):
            return False
    return _code(data, language) == _code(before.data, language)


def _code(data: bytes, language: str) -> bytes:
    """The file without comments and spacing."""
    return b"".join(scan.blank_spans(data, list(comments(data, language))).split())
