"""CI files: GitHub workflows, ``.gitlab-ci.yml``, ``.travis.yml``, ``azure-pipelines.yml``.

Their scripts go to :mod:`lwslint.build.readers.shell`.  ``env:`` and ``variables:`` are the variables of
these scripts; an expression such as ``${{ matrix.type }}`` is replaced by each value that the file lists.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from lwslint.build.facts import BuildFile, When
from lwslint.build.readers import commands, shell, yaml_tree
from lwslint.build.readers.records import Records, Snippet, decode
from lwslint.build.readers.words import Word, split
from lwslint.build.readers.yaml_tree import Yaml

MAX_VARIANTS = 16  # of one script, for the values of a matrix

_EXPRESSION = re.compile(rb"\$\{\{[ \t]*([^{}\n]*?)[ \t]*\}\}")
_WHOLE = re.compile(r"\$\{\{\s*([^{}]*?)\s*\}\}")
_OPTION = re.compile(r"-D\s*[A-Za-z_]\w*(?::\w+)?=")
_SCRIPTS: Final = ("before_install", "install", "before_script", "script", "after_success", "after_script")
# Keys of a GitLab file's top level that are no jobs.
_GITLAB_GLOBAL: Final = frozenset(
    {"default", "include", "stages", "variables", "workflow", "image", "services", "cache", "spec"}
)
_NO_SHELL: Final = frozenset({"python", "cmd", "pwsh", "powershell", "node"})


class _Scope(NamedTuple):
    """What scripts below a place of the file can refer to: variables, and the values of a matrix."""

    environment: shell.Environment = MappingProxyType({})
    matrix: Mapping[str, Sequence[str]] = MappingProxyType({})


def read(path: str, data: bytes) -> BuildFile:
    """What the jobs of a CI file build, with which options."""
    return Records(path, "ci", data).read(_read)


def _read(records: Records) -> None:
    root, broken = yaml_tree.parse(records.data, records.budget)
    records.problem = yaml_tree.BROKEN if broken else ""
    _reader(records.path)(records, root)


def _reader(path: str) -> Callable[[Records, Yaml], None]:
    name = posixpath.basename(path).lower()
    if name.startswith(".gitlab-ci"):
        return _gitlab
    if name.startswith(".travis"):
        return _travis
    return _azure if name.startswith("azure-pipelines") else _github


# --------------------------------------------------------------------------- the four dialects


def _github(records: Records, root: Yaml) -> None:
    """A workflow, or the ``action.yml`` of a composite action."""
    scope = _with_environment(records, _Scope(), root.get("env"))
    jobs = [job for _, job in root.get("jobs").pairs] or [root.get("runs")]
    for job in jobs:
        inner = _with_environment(
            records, _with_matrix(scope, job.get("strategy").get("matrix")), job.get("env")
        )
        with records.under(*_condition(records, job)):
            for step in job.get("steps").items:
                with records.under(*_condition(records, step)):
                    own = _with_environment(records, inner, step.get("env"))
                    if step.get("shell").text.split(" ")[0] not in _NO_SHELL:
                        _script(records, step.get("run"), own)
                    for _, value in step.get("with").pairs:
                        _options(records, value, own)


def _gitlab(records: Records, root: Yaml) -> None:
    scope = _with_environment(records, _Scope(), root.get("variables"))
    for name, job in root.pairs:
        if name == "default" or name not in _GITLAB_GLOBAL:
            inner = _with_environment(records, scope, job.get("variables"))
            for entry in job.get("parallel").get("matrix").items:
                inner = _with_environment(records, inner, entry)
            _scripts(records, job, inner)
    _scripts(records, root, scope)


def _travis(records: Records, root: Yaml) -> None:
    environment = root.get("env")
    scope = _travis_environment(
        records, _Scope(), environment.get("global") if environment.pairs else environment
    )
    jobs = [*root.get("matrix").get("include").items, *root.get("jobs").get("include").items]
    for values in [*environment.get("jobs").items, *environment.get("matrix").items]:
        _travis_environment(records, scope, values)
    _scripts(records, root, scope)
    for job in jobs:
        _scripts(records, job, _travis_environment(records, scope, job.get("env")))


def _travis_environment(records: Records, scope: _Scope, node: Yaml) -> _Scope:
    """``env: A=1 B="x y"``, one line or a list of them, or a mapping."""
    if node.pairs:
        return _with_environment(records, scope, node)
    environment = dict(scope.environment)
    for line in node.scalars():
        assert line.snippet is not None
        for word in split(line.snippet):
            name, equals, value = word.text.partition("=")
            if equals and name.isidentifier():
                environment[name] = [Word(part, word.span) for part in value.split()]
                records.setting(name, value, word.span, "environment")
    return scope._replace(environment=environment)


def _azure(records: Records, root: Yaml) -> None:
    """A pipeline: stages of jobs of steps, or any of these at the top; variables as mapping or list."""
    waiting = [(root, _Scope())]
    while waiting:
        node, scope = waiting.pop()
        scope = _azure_variables(records, scope, node.get("variables"))
        scope = _with_matrix(scope, node.get("strategy").get("matrix"))
        for key in ("stages", "jobs"):
            waiting += [(part, scope) for part in reversed(node.get(key).items)]
        for step in node.get("steps").items:
            own = _with_environment(records, scope, step.get("env"))
            for key in ("script", "bash"):
                _script(records, step.get(key), own)
            for name, value in step.get("inputs").pairs:
                if name in ("script", "inlineScript"):
                    _script(records, value, own)
                else:
                    _options(records, value, own)


def _azure_variables(records: Records, scope: _Scope, node: Yaml) -> _Scope:
    if node.pairs:
        return _with_environment(records, scope, node)
    environment = dict(scope.environment)
    for entry in node.items:
        name, value = entry.get("name").text, entry.get("value")
        if name and value.snippet is not None:
            environment[name] = split(value.snippet)
            records.setting(name, value.text, value.span, "environment")
    return scope._replace(environment=environment)


# --------------------------------------------------------------------------- what they share


def _with_environment(records: Records, scope: _Scope, node: Yaml) -> _Scope:
    """``scope`` with the variables of an ``env:`` mapping, which become settings too."""
    if not node.pairs:
        return scope
    environment = dict(scope.environment)
    for name, value in node.pairs:
        snippet = value.snippet or value.get("value").snippet  # GitLab: {value: x, description: y}
        if snippet is None:
            continue
        # The one value of an expression, or the text as it stands.
        texts = [text for text, _ in _variants(snippet, scope)]
        text = texts[0] if len(texts) == 1 else snippet
        environment[name] = split(text)
        records.setting(name, decode(text.text), value.span, "environment")
        commands.variable(records, name, environment[name])
    return scope._replace(environment=environment)


def _with_matrix(scope: _Scope, node: Yaml) -> _Scope:
    """The values of each key of a matrix, with those that ``include`` adds."""
    matrix: dict[str, list[str]] = {}
    for name, value in node.pairs:
        if name not in ("include", "exclude"):
            matrix.setdefault(name, []).extend(part.text for part in value.scalars())
            for key, inner in value.pairs:  # Azure: a mapping of names to variables
                matrix.setdefault(key, []).append(inner.text)
            _nested(matrix, name, value.items)
    for entry in node.get("include").items:
        for name, value in entry.pairs:
            if value.snippet is not None:
                matrix.setdefault(name, []).append(value.text)
    return scope._replace(matrix={name: list(dict.fromkeys(values)) for name, values in matrix.items()})


def _nested(matrix: dict[str, list[str]], name: str, items: Iterable[Yaml]) -> None:
    """``config: [{name: a, type: Debug}]`` gives ``matrix.config.type``."""
    for item in items:
        for key, value in item.pairs:
            if value.snippet is not None:
                matrix.setdefault(f"{name}.{key}", []).append(value.text)


def _condition(records: Records, node: Yaml) -> tuple[When, ...]:
    value = node.get("if")
    if value.snippet is None:
        return ()
    text = " ".join(value.text.split())
    bare = _WHOLE.fullmatch(text)  # ${{ x }} and x are the same here
    return (When(bare[1] if bare else text, records.place(value.span)),)


def _scripts(records: Records, job: Yaml, scope: _Scope) -> None:
    for key in _SCRIPTS:
        for part in job.get(key).scalars():
            _script(records, part, scope)


def _script(records: Records, node: Yaml, scope: _Scope) -> None:
    if node.snippet is None:
        return
    for text, variant in _variants(node.snippet, scope):
        with records.variant(variant):
            shell.read_snippet(records, text, scope.environment)


def _options(records: Records, node: Yaml, scope: _Scope) -> None:
    """Options for cmake in an action's inputs, whatever the input is called."""
    if node.snippet is None or not _OPTION.search(node.text):
        return
    for text, variant in _variants(node.snippet, scope):
        with records.variant(variant):
            name = f"cmake options on line {records.line(node.span.start)}"
            with records.configured(name):
                commands.cmake_arguments(records, split(text))


def _variants(snippet: Snippet, scope: _Scope) -> Iterator[tuple[Snippet, str]]:
    """``snippet`` for each combination of the matrix values that it uses, with words for the combination.

    Any other ``${{ … }}`` becomes a variable of the shell that has no value.
    """
    names = list(dict.fromkeys(decode(match[1]) for match in _EXPRESSION.finditer(snippet.text)))
    chosen = [name for name in names if _matrix_values(name, scope)]
    values = [_matrix_values(name, scope) for name in chosen]
    for combination in itertools.islice(itertools.product(*values), MAX_VARIANTS):
        replaced = dict(zip(chosen, combination, strict=True))
        shown = [
            f"{name.rpartition('.')[2]} {value}"
            for name, value in replaced.items()
            if len(_matrix_values(name, scope)) > 1
        ]
        yield _replaced(snippet, replaced, scope), ", ".join(shown)


def _matrix_values(name: str, scope: _Scope) -> Sequence[str]:
    return scope.matrix.get(name.removeprefix("matrix."), ()) if name.startswith("matrix.") else ()


def _replaced(snippet: Snippet, values: Mapping[str, str], scope: _Scope) -> Snippet:
    text, origins = bytearray(), list[int]()
    position = 0
    for match in _EXPRESSION.finditer(snippet.text):
        text += snippet.text[position : match.start()]
        origins += snippet.origins[position : match.start()]
        name = decode(match[1])
        if name in values:
            new = values[name]
        elif name.startswith("env.") and (words := scope.environment.get(name[4:])):
            new = " ".join(word.text for word in words)
        else:
            new = "${" + re.sub(r"\W+", "_", name).strip("_") + "}"
        encoded = new.encode()
        span = snippet.span(match.start(), match.end())
        text += encoded
        origins += [span.start] * (len(encoded) - 1) + [span.end - 1] * (len(encoded) > 0)
        position = match.end()
    text += snippet.text[position:]
    origins += snippet.origins[position:]
    return Snippet(bytes(text), origins)
