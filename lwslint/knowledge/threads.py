"""Thread, signal, timer and event-loop APIs of C and C++, as a table.

The table is ``threads.toml``, whose head explains the columns; each row names its source.  What is read
is ``threads.json``, which :mod:`lwslint.knowledge.convert` makes from it.  Nothing here knows syntax: a
front end reports calls, the project model looks their names up here.

A row by the bare name of a common function (``connect``, ``bind``, ``signal``) says only what the call means
*if* its entry argument is a function; whoever asks checks that the argument is there and is one.
"""

from __future__ import annotations

import enum
from functools import cache
from importlib.resources import files

import msgspec


class Role(enum.StrEnum):
    """What an API does with a thread or loop: the names of the tables in ``threads.toml``."""

    START = "start"
    JOIN = "join"
    DETACH = "detach"
    KILL = "kill"
    SIGNAL = "signal"
    POOL = "pool"
    LOOP_CALLBACK = "loop_callback"
    SERVICE_CALLBACK = "service_callback"
    OTHER = "other"
    RUN_LOOP = "run_loop"
    STOP_LOOP = "stop_loop"
    WAKE = "wake"
    BIND = "bind"


class Form(enum.StrEnum):
    """How the API looks in source text; METHOD, OVERRIDE and FIELD go with an owner type."""

    CALL = "call"
    CONSTRUCT = "construct"
    METHOD = "method"
    OVERRIDE = "override"
    FIELD = "field"
    MACRO = "macro"


class Runs(enum.StrEnum):
    """Which thread runs the function that is handed over; NOTHING where none is."""

    NOTHING = ""
    THREAD = "thread"
    WORKER = "worker"
    LOOP = "loop"
    SERVICE = "service"
    SIGNAL = "signal"
    CALLER = "caller"
    EXIT = "exit"
    UNKNOWN = "unknown"


class ThreadApi(msgspec.Struct, frozen=True):
    """One row.

    ``names`` are its spellings.  All indices count arguments from 0, a negative one from the end (``-1``
    is the last).  ``entries`` run later; ``user`` is what each of them receives as its parameter number
    ``parameter``; the arguments from ``rest`` on are forwarded in order.  ``shift`` names a type that
    may come as an additional first argument.  ``handle`` is the argument that is or receives the thread,
    ``"return"`` or ``"object"`` (the constructed object, or the method's).  ``at`` is the argument that is
    the event loop or lws context.  ``joins_itself``: the handle's destructor waits for the thread.
    """

    role: Role
    names: tuple[str, ...]
    form: Form
    source: str
    owners: tuple[str, ...] = ()
    entries: tuple[int, ...] = ()
    user: int | None = None
    parameter: int = 0
    rest: int | None = None
    shift: str = ""
    handle: int | str | None = None
    runs: Runs = Runs.NOTHING
    loop: str = ""
    at: int | None = None
    joins_itself: bool = False

    @property
    def entry(self) -> int | None:
        """The only (or first) argument that runs later."""
        return self.entries[0] if self.entries else None


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str | list[str]
    source: str
    form: Form = Form.CALL
    owner: tuple[str, ...] = ()
    entry: int | tuple[int, ...] = ()
    user: int | None = None
    parameter: int = 0
    rest: int | None = None
    shift: str = ""
    handle: int | str | None = None
    runs: Runs = Runs.NOTHING
    loop: str = ""
    at: int | None = None
    joins_itself: bool = False


def _api(role: Role, row: _Row) -> ThreadApi:
    return ThreadApi(
        role=role,
        names=(row.name,) if isinstance(row.name, str) else tuple(row.name),
        form=row.form,
        source=row.source,
        owners=row.owner,
        entries=(row.entry,) if isinstance(row.entry, int) else row.entry,
        user=row.user,
        parameter=row.parameter,
        rest=row.rest,
        shift=row.shift,
        handle=row.handle,
        runs=row.runs,
        loop=row.loop,
        at=row.at,
        joins_itself=row.joins_itself,
    )


@cache
def all_apis() -> tuple[ThreadApi, ...]:
    """Every row, in the order of the table."""
    data = files(__package__).joinpath("threads.json").read_bytes()
    table = msgspec.json.decode(data, type=dict[Role, list[_Row]])
    return tuple(_api(role, row) for role, rows in table.items() for row in rows)


@cache
def _by_name() -> dict[tuple[Form, str], tuple[ThreadApi, ...]]:
    found: dict[tuple[Form, str], list[ThreadApi]] = {}
    for api in all_apis():
        for name in api.names:
            found.setdefault((api.form, name), []).append(api)
    return {key: tuple(apis) for key, apis in found.items()}


def called(name: str) -> tuple[ThreadApi, ...]:
    """The APIs that a call of the free function ``name`` may mean.

    More than one where a call hands over several functions for different threads (``uv_queue_work``).
    """
    return _by_name().get((Form.CALL, name), ())


def constructed(type_name: str) -> tuple[ThreadApi, ...]:
    """The APIs that constructing a ``type_name`` means (``std::thread``)."""
    return _by_name().get((Form.CONSTRUCT, type_name), ())


def macro(name: str) -> tuple[ThreadApi, ...]:
    """The APIs that a macro at file scope means (``K_THREAD_DEFINE``)."""
    return _by_name().get((Form.MACRO, name), ())


def method(name: str, owner: str | None = None) -> tuple[ThreadApi, ...]:
    """The APIs that ``object.name(…)`` may mean, for an object of type ``owner`` (None: unknown type)."""
    return _owned(Form.METHOD, name, owner)


def overridden(name: str, base: str | None = None) -> tuple[ThreadApi, ...]:
    """The APIs that overriding method ``name`` of base class ``base`` means (``QThread``'s ``run``)."""
    return _owned(Form.OVERRIDE, name, base)


def field(name: str, owner: str | None = None) -> tuple[ThreadApi, ...]:
    """The APIs that a function assigned to member ``name`` of struct ``owner`` is handed to."""
    return _owned(Form.FIELD, name, owner)


@cache
def in_role(role: Role) -> tuple[ThreadApi, ...]:
    """All rows of one role."""
    return tuple(api for api in all_apis() if api.role is role)


def _owned(form: Form, name: str, owner: str | None) -> tuple[ThreadApi, ...]:
    found = _by_name().get((form, name), ())
    if owner is None:
        return found
    plain = bare_type(owner)
    return tuple(api for api in found if any(_same_type(plain, candidate) for candidate in api.owners))


def bare_type(declared: str) -> str:
    """A declared type without qualifiers, ``struct``, smart pointers' wrapping, ``*`` and ``&``.

    ``const struct sigaction *`` is ``sigaction``; ``std::unique_ptr<std::thread>`` is ``std::thread``.
    """
    words = declared.replace("*", " ").replace("&", " ").replace("[]", " ").split()
    text = " ".join(
        word for word in words if word not in ("const", "volatile", "struct", "class", "enum", "static")
    ).replace(" ", "")
    for wrapper in ("std::unique_ptr<", "std::shared_ptr<", "std::optional<"):
        if text.startswith(wrapper) and text.endswith(">"):
            text = text[len(wrapper) : -1].split(",")[0]
    return text


def _same_type(actual: str, listed: str) -> bool:
    """Equal, or equal but for template arguments or namespaces that ``actual`` leaves out."""
    if actual == listed or actual.startswith(listed + "<"):
        return True
    return listed.endswith("::" + actual) and "<" not in listed
