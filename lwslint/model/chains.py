"""Words for routes: the numbered steps that a report shows, shared by the thread rules."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from lwslint.diagnostics import Confidence, Step
from lwslint.facts import Call
from lwslint.model.entries import Role
from lwslint.model.names import callee_name, last_component
from lwslint.model.order import Phase
from lwslint.model.symbols import Definition
from lwslint.model.threads import OffThread, Route, Service, Threads


def title(definition: Definition) -> str:
    """How a function is called in a message."""
    if definition.function.kind == "lambda":
        return "the lambda"
    return f"{definition.qualified}()"


def thread_of(route: Route) -> str:
    """The thread that a route runs on, for the middle of a sentence."""
    entry = route.entry
    match entry.role:
        case Role.THREAD:
            return f"the thread of {title(entry.definition)}"
        case Role.MAIN:
            return "the main thread"
        case Role.CALLBACK:
            return "the service thread"
        case Role.SIGNAL:
            return f"the signal handler {title(entry.definition)}"
        case _ if entry.definition.function.kind == "destructor":
            return f"whichever thread destroys the {last_component(entry.definition.function.owner)}"
        case _:
            return f"whichever thread calls {title(entry.definition)}"


def entry_step(threads: Threads, route: Route) -> Step:
    """Where the route's thread begins."""
    entry = route.entry
    if entry.role is Role.THREAD:
        start = threads.roots[entry.definition.id][0]
        how = callee_name(start.site.node) if isinstance(start.site.node, Call) else "std::thread"
        return Step(start.place, f"{how} starts a thread that runs {title(entry.definition)}")
    if entry.role is Role.MAIN:
        return Step(entry.definition.place(), "the main thread starts here")
    if entry.definition.function.kind == "destructor":
        return Step(
            entry.definition.place(), f"{title(entry.definition)} runs on the thread that destroys the object"
        )
    if entry.role is Role.STORED:
        return Step(
            entry.definition.place(),
            f"{title(entry.definition)} stands in a table and is called from outside",
        )
    return Step(
        entry.definition.place(), f"{title(entry.definition)} is called from outside, on the caller's thread"
    )


def call_steps(route: Route) -> list[Step]:
    """One step for each call on the way."""
    steps = []
    for edge in route.edges:
        how = "through a pointer " if edge.kind == "pointer" else ""
        steps.append(
            Step(
                edge.caller.place(edge.site.node.span),
                f"{title(edge.caller)} {how}calls {title(edge.callee)}",
            )
        )
    return steps


def service_step(threads: Threads, service: Service) -> Step:
    """Where the context is serviced, and on which thread."""
    entry = service.entry
    match entry.role:
        case Role.THREAD:
            where = f"on the thread that runs {title(entry.definition)}"
        case Role.MAIN:
            where = "on the main thread"
        case _:
            where = f"by whoever calls {title(entry.definition)}"
    return Step(service.located.place, f"the context is serviced here, {where}")


def start_step(threads: Threads, service: Service) -> list[Step]:
    """Where the service thread starts, when the project starts it."""
    if service.entry.role is not Role.THREAD:
        return []
    start = service.start
    assert start is not None
    return [Step(start.place, f"a thread starts here and runs {title(service.entry.definition)}")]


def chain(threads: Threads, found: OffThread) -> list[Step]:
    """The whole story: where the calling thread comes from, each call, and where the service loop runs."""
    caller = [entry_step(threads, found.route), *call_steps(found.route)]
    service = [*start_step(threads, found.service), service_step(threads, found.service)]
    return [*on(thread_of(found.route), caller), *on("the service thread", service)]


def on(thread: str, steps: Iterable[Step]) -> list[Step]:
    """The steps, said to happen on ``thread``."""
    return [msgspec.structs.replace(step, thread=thread) for step in steps]


def confidence(threads: Threads, found: OffThread) -> Confidence:
    """HIGH for a thread that the project starts; lower where the caller or a link is not certain."""
    route = found.route
    guessed = any(s.guess for s in threads.roots.get(route.entry.definition.id, ()))
    if route.ambiguous or any(edge.ambiguous for edge in found.service.edges):
        return Confidence.LOW
    if route.entry.role in (Role.PUBLIC, Role.STORED) or guessed:
        return Confidence.MEDIUM
    if route.entry.role is Role.MAIN and route.phase is Phase.UNKNOWN:
        return Confidence.MEDIUM
    return Confidence.HIGH


def clearest(found: tuple[OffThread, ...]) -> OffThread:
    """The way that convinces most: a started thread before main before an unknown caller, short first."""
    order = {Role.THREAD: 0, Role.MAIN: 1, Role.PUBLIC: 2, Role.STORED: 3}
    return min(
        found,
        key=lambda f: (
            f.route.ambiguous,
            order.get(f.route.entry.role, 9),
            f.route.phase is not Phase.RUNNING,
            len(f.route.edges),
            f.route.entry.definition.id,
        ),
    )
