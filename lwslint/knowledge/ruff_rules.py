"""The rules of ruff that matter to a WebSocket client, and what each means for one at run time.

Only rules that hold without looking further are here: on 263 Python files of public repositories that talk
WebSocket, ``ASYNC109`` (a parameter called ``timeout``) and ``ASYNC110`` (a loop that sleeps) made 130 of 175
findings, and none of them changes what a connection does.  The names are those of ruff 0.15, the first
release that has all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from lwslint.diagnostics import Diagnostic, Impact, Severity
from lwslint.rule import LoadedRule, Rule

FAMILY: Final = "ruff"
PAGES: Final = "https://docs.astral.sh/ruff/rules/"
OLDEST: Final = (0, 15)
"""The oldest release of ruff that knows all of :data:`RULES`."""


class RuffRule(msgspec.Struct, frozen=True):
    """One rule of ruff.

    ``effect`` says what happens at run time and ``help`` what to write.  ``covered`` are the rules of
    lwslint that say the same with more about it: where one of them reports the line, ruff's is dropped.
    """

    code: str
    name: str
    severity: Severity
    impact: Impact
    effect: str
    help: str
    covered: tuple[str, ...] = ()

    @property
    def rule(self) -> Rule:
        """The same as a rule of lwslint: what reports, selectors and suppressions know it by."""
        return Rule(
            code=self.code,
            name=self.name,
            family=FAMILY,
            impact=self.impact,
            severity=self.severity,
            languages=("python",),
            pages=PAGES,
        )

    @property
    def documentation(self) -> str:
        return (
            f"{self.effect[:1].upper()}{self.effect[1:]}.\n\n"
            "## What it reports\n\n"
            f"What ruff reports as {self.code}, in Python files that talk WebSocket. Where a rule of\n"
            f"lwslint ({', '.join(self.covered)}) reports the same line, ruff's finding is left out.\n\n"
            "## Write instead\n\n"
            f"{self.help}\n"
        )


_TLS = ("LWS401", "LWS403", "LWS407")
_LOOP = ("LWS107", "LWS109")
_STOPPED = "the event loop stands still: no pings are answered and nothing is received"

RULES: Final = (
    RuffRule(
        "S323",
        "suspicious-unverified-context-usage",
        Severity.WARNING,
        Impact.SECURITY,
        "whoever is on the way can pose as the server of connections made with this context",
        "ssl.create_default_context(cafile=...)",
        _TLS,
    ),
    RuffRule(
        "S501",
        "request-with-no-cert-validation",
        Severity.WARNING,
        Impact.SECURITY,
        "whoever is on the way can answer this HTTP request, and take the credentials that are in it",
        "leave verify at its default, or give it the path of the CA file",
        _TLS,
    ),
    RuffRule(
        "S502",
        "ssl-insecure-version",
        Severity.WARNING,
        Impact.SECURITY,
        "the connection may use a version of TLS or SSL that is broken, or servers refuse it",
        "ssl.create_default_context() negotiates TLS 1.2 or later",
        _TLS,
    ),
    RuffRule(
        "S503",
        "ssl-with-bad-defaults",
        Severity.WARNING,
        Impact.SECURITY,
        "who leaves the parameter out gets a version of TLS or SSL that is broken",
        "ssl.create_default_context() negotiates TLS 1.2 or later",
        _TLS,
    ),
    RuffRule(
        "S504",
        "ssl-with-no-version",
        Severity.WARNING,
        Impact.SECURITY,
        "no certificate is checked, and old versions of TLS will do; since Python 3.12 the function is gone",
        "ssl.create_default_context().wrap_socket(sock, server_hostname=host)",
        _TLS,
    ),
    RuffRule(
        "RUF006",
        "asyncio-dangling-task",
        Severity.NOTE,
        Impact.HYGIENE,
        "the event loop alone does not keep a task alive: it can vanish before it is done, and its exception"
        " is seen by nobody",
        "keep the task in a variable or a set until it is done, or use asyncio.TaskGroup",
        _LOOP,
    ),
    RuffRule(
        "ASYNC210",
        "blocking-http-call-in-async-function",
        Severity.WARNING,
        Impact.HYGIENE,
        f"{_STOPPED} until the HTTP server has answered",
        "await an asynchronous HTTP client, or asyncio.to_thread(...)",
        _LOOP,
    ),
    RuffRule(
        "ASYNC212",
        "blocking-http-call-httpx-in-async-function",
        Severity.WARNING,
        Impact.HYGIENE,
        f"{_STOPPED} until the HTTP server has answered",
        "use httpx.AsyncClient",
        _LOOP,
    ),
    RuffRule(
        "ASYNC220",
        "create-subprocess-in-async-function",
        Severity.NOTE,
        Impact.HYGIENE,
        f"{_STOPPED} while the process is started",
        "await asyncio.create_subprocess_exec(...)",
        _LOOP,
    ),
    RuffRule(
        "ASYNC221",
        "run-process-in-async-function",
        Severity.WARNING,
        Impact.HYGIENE,
        f"{_STOPPED} until the process has ended",
        "await asyncio.create_subprocess_exec(...), and then its communicate()",
        _LOOP,
    ),
    RuffRule(
        "ASYNC222",
        "wait-for-process-in-async-function",
        Severity.WARNING,
        Impact.HYGIENE,
        f"{_STOPPED} until the process has ended",
        "await asyncio.create_subprocess_exec(...), and then its wait()",
        _LOOP,
    ),
    RuffRule(
        "ASYNC230",
        "blocking-open-call-in-async-function",
        Severity.NOTE,
        Impact.HYGIENE,
        f"{_STOPPED} while the file is opened and read, which is long only for large files or a slow disk",
        "await asyncio.to_thread(...) around the function that reads the file",
        _LOOP,
    ),
    RuffRule(
        "ASYNC250",
        "blocking-input-in-async-function",
        Severity.WARNING,
        Impact.HYGIENE,
        f"{_STOPPED} until somebody types a line; peers drop a connection that answers no ping",
        "await asyncio.to_thread(input)",
        _LOOP,
    ),
    RuffRule(
        "ASYNC251",
        "blocking-sleep-in-async-function",
        Severity.WARNING,
        Impact.HYGIENE,
        f"{_STOPPED} while it sleeps",
        "await asyncio.sleep(...)",
        _LOOP,
    ),
)


def loaded() -> tuple[LoadedRule, ...]:
    """All of :data:`RULES` for a run's catalogue."""
    return tuple(LoadedRule(row.rule, row.documentation, _asked_elsewhere) for row in RULES)


def _asked_elsewhere(project: object) -> Iterator[Diagnostic]:
    """The engine asks ruff for all of its rules at once; see :mod:`lwslint.partner_ruff`."""
    return iter(())
