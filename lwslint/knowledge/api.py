"""What libwebsockets offers, release by release: functions, callback reasons, flags, constants.

All of it is data, made by :mod:`lwslint.knowledge.convert` from the headers of the release tags 1.4.0
to 5.0.0.  Every record cites its source as ``path:line@tag`` of the libwebsockets repository.  Each
look-up reads only the JSON file that it needs, once.

Look-ups by name return None for a name that libwebsockets never had; they never raise for user input.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from lwslint.settings import Version


class ThreadClass(enum.StrEnum):
    """From where a function may be called while a context is being serviced.

    - ``ANY``: documented (or built, with its own lock) to be called from any thread.
    - ``PURE``: touches only what its arguments own; the caller locks those as any other data.
    - ``GETTER``: reads a field that is set once; harmless while the object lives.
    - ``LOG``: emits a log line or sets up logging; races with other log lines at most.
    - ``SETUP``: makes or prepares an object before a loop runs over it, on whatever thread.
    - ``SERVICE``: touches a context, vhost, wsi or the event loop: only on the thread that services it.
    """

    ANY = "any"
    PURE = "pure"
    GETTER = "getter"
    LOG = "log"
    SETUP = "setup"
    SERVICE = "service"


class Category(enum.StrEnum):
    """What a call does, where a rule cares.

    ``CALLBACK`` runs user callbacks at once; ``STOP`` makes the loop end; ``CLOSE`` ends (or arranges
    the end of) one connection; ``ADJUST`` changes and ``READ`` looks at a connection's state;
    ``INTERNAL`` is exported for event-loop plugins and not for programs.
    """

    NONE = ""
    SERVICE = "service"
    CREATE_CONTEXT = "create-context"
    DESTROY_CONTEXT = "destroy-context"
    CREATE_VHOST = "create-vhost"
    DESTROY_VHOST = "destroy-vhost"
    CONNECT = "connect"
    ADOPT = "adopt"
    WRITE = "write"
    ON_WRITABLE = "on-writable"
    CALLBACK = "callback"
    CANCEL = "cancel"
    STOP = "stop"
    CLOSE = "close"
    INTERNAL = "internal"
    TIMER = "timer"
    ADJUST = "adjust"
    READ = "read"


class Window(msgspec.Struct, frozen=True):
    """The releases in which the documentation allowed a call that it forbids today."""

    since: Version
    before: Version
    cite: str


class ApiFunction(msgspec.Struct, frozen=True):
    """One function, or function-like macro, of the public headers.

    ``context``, ``wsi``, ``vhost``, ``stream`` (a Secure Streams handle), ``info`` (the connect,
    creation or stream info struct), ``protocol``, ``timer`` (a ``lws_sorted_usec_list_t``) and
    ``callback`` are the indices of the arguments of these kinds, None without one.  ``arity`` counts
    the declared parameters, an ellipsis as one; None for a macro.

    ``modern`` is the name to write today, None where this is it or where nothing replaces it.
    ``confidence`` says how the thread class was found: ``explicit`` (documented), ``hand`` (read by a
    person), ``pattern`` (its family), ``header`` or ``heuristic`` (the default of its header, its
    parameter types).
    """

    name: str
    since: Version
    removed: Version | None
    thread: ThreadClass
    category: Category
    confidence: str
    cite: str
    macro: bool
    arity: int | None
    context: int | None
    wsi: int | None
    vhost: int | None
    stream: int | None
    info: int | None
    protocol: int | None
    timer: int | None
    callback: int | None
    modern: str | None
    deprecated: Version | None
    tolerated: Window | None

    def exists_in(self, version: Version) -> bool:
        """Whether the release has it."""
        return self.since <= version and (self.removed is None or version < self.removed)


class Reason(msgspec.Struct, frozen=True):
    """One callback reason.

    ``groups`` holds what is known of it, of: ``protocols0`` (goes to the first protocol only),
    ``every-protocol`` (to every protocol of every vhost), ``client``, ``http-server``, ``http-client``,
    ``ws-server``, ``ws-client``, ``poll``, ``writeable`` (lws_write() is right here), ``closing`` (the
    connection is gone afterwards), ``user-null`` / ``user-may-be-null`` / ``user-other`` (``user`` is not
    the per-session data), ``wsi-fake``, ``nonzero-accepts`` (the return value is inverted) and
    ``zero-accepts`` (a callback that ignores it lets the peer in).
    """

    name: str
    number: int
    since: Version
    removed: Version | None
    cite: str
    groups: tuple[str, ...]

    @property
    def protocols0_only(self) -> bool:
        return "protocols0" in self.groups

    @property
    def every_protocol(self) -> bool:
        return "every-protocol" in self.groups

    @property
    def client(self) -> bool:
        """Whether only a client connection (or a context that makes one) raises it."""
        return "client" in self.groups

    @property
    def http(self) -> bool:
        """Whether an HTTP transaction raises it, on either side."""
        return "http-server" in self.groups or "http-client" in self.groups


class Handled(msgspec.Struct, frozen=True):
    """A reason that ``lws_callback_http_dummy`` handles in one release series.

    ``condition`` is the preprocessor condition of the library's build under which it does (``defined(
    LWS_WITH_CGI)``), empty when always.  ``lost`` says what happens when the dummy never sees it.
    """

    reason: str
    condition: str
    cite: str
    lost: str


class Flag(msgspec.Struct, frozen=True):
    """One ``LCCSCF_`` bit of ``lws_client_connect_info.ssl_connection``.

    ``gives_away`` and ``effects`` (by TLS backend: openssl, mbedtls, wolfssl, gnutls, or ``*`` for all) are
    empty for a flag that does not weaken TLS.
    """

    name: str
    value: int
    since: str
    cite: str
    gives_away: str = ""
    sources: tuple[str, ...] = ()
    effects: dict[str, str] = {}

    @property
    def weakens(self) -> bool:
        return bool(self.gives_away)

    def effect(self, backend: str) -> str:
        """What the flag does on a TLS backend, empty when that is not known."""
        return self.effects.get(backend, self.effects.get("*", ""))


class Option(msgspec.Struct, frozen=True):
    """One ``LWS_SERVER_OPTION_``; ``value`` may hold implied bits too.  ``tls``: weakens, hardens or ""."""

    name: str
    value: int
    since: str
    cite: str
    tls: str = ""


class Field(msgspec.Struct, frozen=True):
    """A struct member; ``declaration`` as in the header (``const char *host``)."""

    name: str
    since: Version | None
    removed: Version | None
    declaration: str
    cite: str


# --------------------------------------------------------------------------- the files


class _FunctionRow(msgspec.Struct, frozen=True, array_like=True):
    since: str
    removed: str | None
    thread: ThreadClass
    category: Category
    cite: str
    confidence: str
    arity: int = -1
    roles: dict[str, int] = {}
    modern: str | None = None
    deprecated: str | None = None


class _WindowRow(msgspec.Struct, frozen=True):
    since: str
    before: str
    cite: str


class _Functions(msgspec.Struct, frozen=True):
    functions: dict[str, _FunctionRow]
    window: dict[str, _WindowRow]


class _ConstantRow(msgspec.Struct, frozen=True, array_like=True):
    value: int
    since: str
    removed: str | None
    cite: str


class _Constants(msgspec.Struct, frozen=True):
    constants: dict[str, _ConstantRow]


class _ReasonRow(msgspec.Struct, frozen=True, array_like=True):
    number: int
    since: str
    removed: str | None
    cite: str
    groups: tuple[str, ...]


class _HandledRow(msgspec.Struct, frozen=True, array_like=True):
    line: int
    guards: tuple[str, ...]


class _DummyRow(msgspec.Struct, frozen=True, array_like=True):
    release: str
    file: str
    handles: dict[str, _HandledRow]


class _Reasons(msgspec.Struct, frozen=True):
    reasons: dict[str, _ReasonRow]
    dummy: tuple[_DummyRow, ...]
    lost: dict[str, str]


class _Flags(msgspec.Struct, frozen=True):
    flags: tuple[Flag, ...]
    options: tuple[Option, ...]


class _FieldRow(msgspec.Struct, frozen=True, array_like=True):
    name: str
    since: str
    removed: str | None
    declaration: str
    cite: str


class _Members(msgspec.Struct, frozen=True):
    structs: dict[str, tuple[_FieldRow, ...]]
    types: dict[str, str]


def _read(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()


@cache
def _functions() -> _Functions:
    return msgspec.json.decode(_read("functions.json"), type=_Functions)


@cache
def _constants() -> dict[str, _ConstantRow]:
    return msgspec.json.decode(_read("constants.json"), type=_Constants).constants


@cache
def _reasons() -> _Reasons:
    return msgspec.json.decode(_read("reasons.json"), type=_Reasons)


@cache
def _flags() -> _Flags:
    return msgspec.json.decode(_read("flags.json"), type=_Flags)


@cache
def _members() -> _Members:
    return msgspec.json.decode(_read("members.json"), type=_Members)


def parse_version(text: str) -> Version:
    """``4.1.6`` or ``v4.1.6`` or ``4.1`` as a version; raises ValueError for anything else."""
    numbers = [int(part) for part in text.removeprefix("v").split(".")]
    if not 1 <= len(numbers) <= 3:
        raise ValueError(f"not a libwebsockets release: {text!r}")
    return Version(*numbers)


def _version(text: str | None) -> Version | None:
    return parse_version(text) if text else None


# --------------------------------------------------------------------------- functions


def function_names() -> tuple[str, ...]:
    """Every function and function-like macro, sorted by name."""
    return tuple(_functions().functions)


@cache
def function(name: str) -> ApiFunction | None:
    """The API function of that name, of any release, or None."""
    row = _functions().functions.get(name)
    if row is None:
        return None
    window = _functions().window.get(name)
    role = row.roles.get
    return ApiFunction(
        name=name,
        since=parse_version(row.since),
        removed=_version(row.removed),
        thread=row.thread,
        category=row.category,
        confidence=row.confidence,
        cite=row.cite,
        macro=row.arity < 0,
        arity=None if row.arity < 0 else row.arity,
        context=role("context"),
        wsi=role("wsi"),
        vhost=role("vhost"),
        stream=role("stream"),
        info=role("info"),
        protocol=role("protocol"),
        timer=role("timer"),
        callback=role("callback"),
        modern=row.modern,
        deprecated=_version(row.deprecated),
        tolerated=Window(parse_version(window.since), parse_version(window.before), window.cite)
        if window
        else None,
    )


def thread_class(name: str, version: Version | None = None) -> ThreadClass | None:
    """From where ``name`` may be called, or None when it is not of libwebsockets.

    ``version`` None means any release.  The answer depends on it in one point: a name that libwebsockets
    took later than the given release is the program's own there, hence None.
    """
    row = _functions().functions.get(name)
    if row is None or (version is not None and version < parse_version(row.since)):
        return None
    return row.thread


def is_service_thread_only(name: str) -> bool:
    """Whether a call of ``name`` on another thread than the one that services the context is a fault."""
    return thread_class(name) is ThreadClass.SERVICE


def category(name: str) -> Category:
    """What a call of ``name`` does; NONE for everything else, unknown names too."""
    row = _functions().functions.get(name)
    return Category.NONE if row is None else row.category


@cache
def functions_in(kind: Category) -> frozenset[str]:
    """The names of all functions of a category, legacy names included."""
    return frozenset(name for name, row in _functions().functions.items() if row.category is kind)


def modern_name(name: str) -> str:
    """Today's name: ``libwebsocket_service`` is ``lws_service``; other names come back unchanged."""
    row = _functions().functions.get(name)
    return name if row is None or row.modern is None else row.modern


# --------------------------------------------------------------------------- callback reasons


@cache
def reason(name: str) -> Reason | None:
    """The callback reason of that name, or None."""
    row = _reasons().reasons.get(name)
    if row is None:
        return None
    return Reason(name, row.number, parse_version(row.since), _version(row.removed), row.cite, row.groups)


@cache
def _reason_names() -> Mapping[int, str]:
    return {row.number: name for name, row in _reasons().reasons.items()}


def reason_of(number: int) -> Reason | None:
    """The callback reason of that number, or None."""
    name = _reason_names().get(number)
    return None if name is None else reason(name)


def reason_names() -> tuple[str, ...]:
    """All callback reasons, by number."""
    return tuple(_reasons().reasons)


@cache
def http_dummy(version: Version | None = None) -> tuple[Handled, ...]:
    """The reasons that ``lws_callback_http_dummy`` handles in the series of ``version``, by name.

    None stands for the newest release.  Empty before 2.1.0, which had no such function.
    """
    rows = _reasons().dummy
    if version is not None:
        if version < Version(2, 1):
            return ()
        # One row stands for a series, read at that series' last release when the data was made.
        series = (version.major, version.minor)
        rows = tuple(r for r in rows if _series(r.release) <= series)
    row = rows[-1]
    return tuple(
        Handled(name, " && ".join(found.guards), f"{row.file}:{found.line}@v{row.release}", _lost(name))
        for name, found in sorted(row.handles.items())
    )


def _series(release: str) -> tuple[int, int]:
    version = parse_version(release)
    return version.major, version.minor


def _lost(name: str) -> str:
    return _reasons().lost.get(name, "")


# --------------------------------------------------------------------------- flags, options, constants


@cache
def _flags_by_name() -> dict[str, Flag]:
    return {flag.name: flag for flag in _flags().flags}


@cache
def _options_by_name() -> dict[str, Option]:
    return {option.name: option for option in _flags().options}


def flag(name: str) -> Flag | None:
    """The ``LCCSCF_`` flag of that name, or None."""
    return _flags_by_name().get(name)


def flags() -> tuple[Flag, ...]:
    """All ``LCCSCF_`` flags, by value."""
    return _flags().flags


def flags_in(value: int) -> tuple[Flag, ...]:
    """The flags set in ``value``, lowest bit first; bits that are no flag are left out."""
    return tuple(flag for flag in _flags().flags if value & flag.value)


def permissive_flags() -> tuple[Flag, ...]:
    """The flags that weaken TLS, by value."""
    return tuple(flag for flag in _flags().flags if flag.weakens)


def option(name: str) -> Option | None:
    """The ``LWS_SERVER_OPTION_`` of that name, or None."""
    return _options_by_name().get(name)


def options() -> tuple[Option, ...]:
    """All context and vhost options, by value."""
    return _flags().options


def constant_value(name: str) -> int | None:
    """The value of an enumerator or constant macro that programs write, callback reasons included.

    None for a name that is not libwebsockets', or whose value is text.
    """
    row = _constants().get(name)
    if row is not None:
        return row.value
    found = _reasons().reasons.get(name)
    return None if found is None else found.number


# The headers turned many enumerators into macros over time (options in 4.0, LLL_ in 4.0.x), so one
# table serves both questions.
enumerator_value = constant_value
macro_value = constant_value


# --------------------------------------------------------------------------- structures


def modern_type(name: str) -> str:
    """A struct's tag of today for a legacy tag or a typedef: ``libwebsocket`` is ``lws``."""
    return _members().types.get(name, name)


@cache
def fields(struct: str) -> tuple[Field, ...]:
    """The members of a public struct in declaration order of the newest release, removed ones last.

    ``struct`` is a tag or typedef, without ``struct``; empty for a struct that is not described.
    """
    rows = _members().structs.get(modern_type(struct), ())
    return tuple(
        Field(row.name, _version(row.since), _version(row.removed), row.declaration, row.cite) for row in rows
    )


def field_names(struct: str, version: Version | None = None) -> tuple[str, ...]:
    """The names of the members in the order of a positional initialiser, for a release (None: newest).

    The declaration order is that of the newest release; members of build options that a library was
    built without are listed too, so a position past the first ``#if`` is only likely.
    """
    return tuple(
        field.name
        for field in fields(struct)
        if (field.removed is None if version is None else field.removed is None or version < field.removed)
        and (version is None or field.since is None or field.since <= version)
    )
