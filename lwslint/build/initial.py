"""What `lwslint init` writes: a commented lwslint.toml, from what the tree says.

A line is active only where the tree is certain; whatever is a guess, or a matter of taste, stays a comment
that shows how it is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from lwslint.build.model import Builds, Switch
from lwslint.discovery import discover
from lwslint.model.project import Project
from lwslint.settings import Settings
from lwslint.source import clean

MAX_NAMES = 40
_WIDTH = 100


def project_of(folder: str, cwd: str, settings: Settings) -> Project:
    """The linked project of a folder, for what it says about itself."""
    from lwslint.build.builder import Builder
    from lwslint.gather import gather

    found = discover([folder], cwd=cwd)
    builder = Builder(found.build_files, found.files, settings, copies=found.copies)
    gathered = gather(found.files, settings, None, builder)
    return Project(gathered.facts, builder.settings, gathered.bodies, builder.builds)


def lines(project: Project) -> Iterator[str]:
    """The file's lines.  Names from the tree stand in them as TOML strings, or cleaned in comments."""
    yield "# What lwslint cannot know from the code alone; https://lwslint.readthedocs.io/configuration"
    yield "# Written by `lwslint init` from what this tree says.  A line with # in front is a suggestion."
    yield ""
    yield from _release(project.build)
    yield ""
    yield from _subprotocols(project)
    yield ""
    yield from _reports()
    yield ""
    yield "# What one server negotiates: nothing."
    yield "# [[servers]]"
    yield '# host = "relay.example.com"'
    yield "# subprotocols = []"
    yield ""
    yield from _builds(project.build)


def _release(builds: Builds) -> Iterator[str]:
    yield "# The release of libwebsockets that the programs are built with: some findings depend on it."
    release = builds.release
    if release.version is None:
        yield from _comment(f"Not decided by the build files: {release.reason}.")
        yield '# lws-version = "4.3.2"'
    else:
        yield from _comment(f"From {release.reason}.")
        yield f'lws-version = "{release.version}"'


def _subprotocols(project: Project) -> Iterator[str]:
    yield "# What the servers that your clients connect to negotiate as Sec-WebSocket-Protocol.  A client"
    yield "# that offers anything else is then an error: the handshake fails.  [] means: nothing at all."
    served = list(project.connections.served)[:MAX_NAMES]
    if served:
        yield from _comment("These are the names in the lws_protocols tables of the servers in this tree.")
    yield f"# subprotocols = {_list(served or ['chat.v1'])}"


def _reports() -> Iterator[str]:
    yield "# What makes the exit code 1 (error, warning, note, never), and what is left out."
    yield '# fail-on = "warning"'
    yield '# ignore = ["missing-http-dummy"]'
    yield '# exclude = ["vendor/"]'


def _builds(builds: Builds) -> Iterator[str]:
    yield "# Builds.  Without such a table the production build is judged: NDEBUG is defined, DEBUG and"
    yield "# _DEBUG are not, and the build files decide the rest (`lwslint --show-build` says what)."
    yield "# With them, each that goes into production is judged; a finding says in which it is."
    switches = _switches(builds)
    for switch in switches:
        state = "defined" if switch.on else "not defined"
        yield from _comment(f"{switch.macro}, {state} by default: {switch.text}.")
    on = [switch.macro for switch in switches if switch.on]
    off = [switch.macro for switch in switches if not switch.on] or ["DEV_TLS"]
    yield ""
    yield "# [build.release]"
    if on:
        yield f"# defines = {_list(on)}"
    yield f"# undefined = {_list(off)}"
    yield ""
    yield "# [build.lab]"
    yield "# production = false"
    yield f"# defines = {_list(off)}"


def _switches(builds: Builds) -> Sequence[Switch]:
    """The switches that sources which use libwebsockets know, one for each macro."""
    found: dict[str, Switch] = {}
    for _, compilation in sorted(builds.compilations.items()):
        for switch in compilation.switches:
            if switch.macro != "NDEBUG":  # `production` says what it is
                found.setdefault(switch.macro, switch)
    return list(found.values())[:MAX_NAMES]


def _comment(text: str) -> Iterator[str]:
    """A text of the tree as comment lines."""
    line = "#"
    for word in clean(text).split():
        if len(line) + len(word) > _WIDTH and line != "#":
            yield line
            line = "#"
        line += f" {word}"
    yield line


def _list(texts: Sequence[str]) -> str:
    # A JSON string is a TOML basic string, and as ASCII it can hide nothing.
    return "[" + ", ".join(json.dumps(text) for text in texts) + "]"
