"""Source texts to a linked project, for tests of the model."""

from __future__ import annotations

from lwslint.facts import Call
from lwslint.frontends.c import extract
from lwslint.model.bodies import Site
from lwslint.model.names import callee_name
from lwslint.model.project import Project
from lwslint.model.symbols import Definition
from lwslint.settings import Settings


def project(**files: str) -> Project:
    """A project of the given files; ``main_c="…"`` is the file ``main.c``, ``a__b_cpp`` is ``a/b.cpp``."""
    facts = []
    for key, text in files.items():
        stem, _, suffix = key.rpartition("_")
        path = f"{stem.replace('__', '/')}.{suffix}"
        language = "cpp" if suffix in ("cpp", "hpp") else "c"
        facts.append(extract(path, text.encode(), language, Settings()))
    return Project(facts, Settings())


def function(project: Project, qualified: str, path: str = "") -> Definition:
    """The one function of that qualified name (in that file)."""
    found = [
        d for d in project.symbols.definitions if d.qualified == qualified and (not path or d.path == path)
    ]
    assert len(found) == 1, found
    return found[0]


def call(project: Project, inside: str, name: str, path: str = "") -> tuple[Definition, Site]:
    """The one call of ``name`` in the function ``inside``."""
    definition = function(project, inside, path)
    found = [s for s in definition.body.calls if isinstance(s.node, Call) and callee_name(s.node) == name]
    assert len(found) == 1, found
    return definition, found[0]


def callees(project: Project, inside: str, path: str = "") -> set[str]:
    """``path:name`` of the functions that ``inside`` may call."""
    definition = function(project, inside, path)
    return {f"{e.callee.path}:{e.callee.qualified}" for e in project.flow.calls[definition.id]}
