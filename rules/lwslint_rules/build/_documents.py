"""What the rules on lwsws configurations and on Secure Streams policies share."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Severity
from lwslint.facts import JsonMember, JsonObject
from lwslint.knowledge.documents import keys, since
from lwslint.model.documents import Text
from lwslint.model.project import Project
from lwslint.rule import Rule

# How much alike a key and a known one are before it is taken for a slip of the pen: `host_ssl_cert` is,
# a key of one's own tools is not.
_ALIKE = 0.82
_LONGEST = 60
_MOST = 100  # keys of one object that are compared with the known ones


def unread_keys(
    project: Project, rule: Rule, text: Text, object: JsonObject, kind: str, prefix: str
) -> Iterator[Diagnostic]:
    """Keys of an object that the reader passes over: misspelt ones, and ones that come with a later release
    than the project's."""
    known = keys(kind, prefix)
    present = {member.key for member in object.members}
    compared = 0
    for member in object.members:
        if member.key in known:
            yield from _too_new(project, rule, text, member, kind, prefix)
            continue
        compared += 1
        if compared > _MOST:
            continue
        near = _nearest(member.key, [key for key in known if key not in present])
        if near:
            yield rule.report(
                text.place(member.key_span),
                f'this has no effect: no release of libwebsockets reads a key "{member.key}" here',
                severity=Severity.WARNING,
                help=f'"{near}"',
            )


def _too_new(
    project: Project, rule: Rule, text: Text, member: JsonMember, kind: str, prefix: str
) -> Iterator[Diagnostic]:
    version, first = project.settings.lws_version, since(kind, prefix + member.key)
    if version is not None and first is not None and version < first:
        yield rule.report(
            text.place(member.key_span),
            f'this has no effect: libwebsockets {version} passes over "{member.key}", which {first} is the'
            " first to read",
            severity=Severity.WARNING,
        )


def _nearest(word: str, known: list[str]) -> str:
    if len(word) > _LONGEST:
        return ""
    folded = word.lower().replace("_", "-")
    by_folded = {key.lower().replace("_", "-"): key for key in known}
    close = difflib.get_close_matches(folded, by_folded, n=1, cutoff=_ALIKE)
    return by_folded[close[0]] if close else ""
