"""LWS201 and LWS202 for Python: what the model found, in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import msgspec

from lwslint.diagnostics import Confidence, Diagnostic, Severity, Step
from lwslint.facts import Place
from lwslint.knowledge import subprotocols
from lwslint.model.offers import is_malformed, server_says
from lwslint.model.project import Project
from lwslint.model.python_exposure import of_path
from lwslint.model.python_subprotocols import Offer, malformed, offers, silent
from lwslint.rule import Rule
from lwslint_rules.protocols._python_remedies import remedy

_CONSEQUENCE = "a libwebsockets server without it closes the TCP connection and sends no HTTP answer at all"


def malformed_offers(project: Project, rule: Rule) -> Iterator[Diagnostic]:
    """Lists of subprotocols whose form breaks the handshake."""
    if not project.python_files:
        return
    for found in malformed(project):
        step = of_path(found.definition.path, project.settings.python)
        yield rule.report(
            found.place,
            found.message + (f" ({step.text})" if step is not None else ""),
            severity=Severity.NOTE if step is not None else found.severity,
            help=found.help,
            function=found.definition.qualified,
            remedy=remedy(found) if found.severity is Severity.ERROR else None,
        )


def unsupported_offers(project: Project, rule: Rule) -> Iterator[Diagnostic]:
    """Names that no server in the tree, or none that the configuration knows, speaks."""
    if not project.python_files:
        return
    yield from _silent(project, rule)
    found = offers(project)
    if not found:
        return
    known: dict[str, Place] = {name: entries[0].place for name, entries in project.connections.served.items()}
    known |= {name: place for name, place in project.python.served.items() if name not in known}
    seen: set[Place] = set()
    for offer in found:
        if not offer.complete or not offer.names or any(is_malformed(name) for name, _ in offer.names):
            continue
        verdict = _verdict(project, offer, known)
        if verdict is not None and offer.place not in seen:
            seen.add(offer.place)
            yield _report(project, rule, offer, verdict, known)


def _silent(project: Project, rule: Rule) -> Iterator[Diagnostic]:
    """Clients that offer nothing to a server that, as the configuration says, has names.

    An lws server gives such a connection to its default protocol, often the one for HTTP, where every
    message vanishes (lib/roles/ws/server-ws.c; measured).
    """
    named = [server for server in project.settings.servers if server.subprotocols]
    for connection in silent(project) if named else ():
        hosts = [url.host for url in connection.urls if url.host]
        said = server_says(msgspec.structs.replace(project.settings, subprotocols=None), hosts)
        if said is None or not said[0]:
            continue
        speaks, who = said
        step = of_path(connection.use.definition.path, project.settings.python)
        yield rule.report(
            connection.use.place,
            f"the handshake offers nothing, and {who} speaks {', '.join(speaks)}: a libwebsockets server then"
            " uses its default protocol, where every message may vanish"
            + (f" ({step.text})" if step else ""),
            severity=Severity.WARNING if step is None else Severity.NOTE,
            confidence=Confidence.MEDIUM,
            help=f'{connection.row.subprotocols}=["{speaks[0]}"]',
            function=connection.use.definition.qualified,
        )


def _verdict(project: Project, offer: Offer, known: dict[str, Place]) -> tuple[Severity, str] | None:
    names = [name for name, _ in offer.names]
    hosts = [url.host for url in offer.connection.urls if url.host]
    said = server_says(project.settings, hosts)
    if said is not None:
        speaks, who = said
        if any(name in speaks for name in names):
            return None
        return Severity.ERROR, f"but {who} speaks {', '.join(speaks) if speaks else 'no subprotocol'}"
    if not known or any(name in known or subprotocols.known(name) for name in names):
        return None
    listed = ", ".join(list(known)[:6])
    if hosts and all(url.loopback for url in offer.connection.urls if url.host):
        return Severity.ERROR, f"but the servers in this tree have {listed}"
    if hosts:
        return None
    return Severity.WARNING, f"and the servers in this tree have {listed}"


def _report(
    project: Project, rule: Rule, offer: Offer, verdict: tuple[Severity, str], known: dict[str, Place]
) -> Diagnostic:
    severity, reason = verdict
    names = ", ".join(name for name, _ in offer.names)
    near = difflib.get_close_matches(offer.names[0][0], list(known), 1, 0.6)
    step = of_path(offer.definition.path, project.settings.python)
    if step is not None:
        severity, reason = Severity.NOTE, f"{reason} ({step.text})"
    option = offer.connection.row.subprotocols
    help = f'{option}=["{near[0]}"]' if near else "offer a name that the server's lws_protocols[] table has"
    return rule.report(
        offer.place,
        f"the handshake offers Sec-WebSocket-Protocol: {names}, {reason}; {_CONSEQUENCE}",
        severity=severity,
        confidence=Confidence.MEDIUM,
        help=f"{help}; if the server does speak it, put it into `subprotocols` of lwslint.toml",
        related=[Step(known[name], f'the server has "{name}"') for name in near or list(known)[:2]],
        function=offer.definition.qualified,
    )
