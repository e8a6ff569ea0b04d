"""``lwslint new-rule``: the files that a rule consists of, in a form that works from the first minute.

The new rule reports each call of one libwebsockets function, its page and its fixtures agree with that, and
the tests pass; from there its author changes one thing after the other.  Nothing is ever overwritten.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

_CODE = re.compile(r"[A-Z]{2,8}[0-9]{3}")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+")
_FAMILY = re.compile(r"[a-z][a-z0-9_]*")


class ScaffoldError(Exception):
    """What was asked for cannot be made; the text says why."""


def plan(code: str, name: str, family: str, pack: Path) -> dict[Path, str]:
    """The files of a new rule, with their texts.

    ``pack`` is the folder of the rule pack's import package.  One that lies in ``rules/`` beside
    ``fixtures/`` and ``docs/frames/``, as lwslint's own does, gets files there too.  Raises
    :class:`ScaffoldError`.
    """
    for text, pattern, what, example in (
        (code, _CODE, "code", "ACME101"),
        (name, _NAME, "name", "no-log-level"),
        (family, _FAMILY, "family", "setup"),
    ):
        if not pattern.fullmatch(text):
            raise ScaffoldError(f"{text!r} is no {what} such as {example}")
    if not (pack / "__init__.py").is_file():
        raise ScaffoldError(f"{pack}: is not the folder of a rule pack: it has no __init__.py")
    folder = pack / family
    files = {folder / f"{name.replace('-', '_')}.py": _module(code, name, family)}
    if not (folder / "__init__.py").exists():
        files[folder / "__init__.py"] = f'"""Rules about {family}."""\n'
    root = pack.parent.parent
    if pack.parent.name == "rules" and (root / "fixtures").is_dir() and (root / "docs" / "frames").is_dir():
        marked = _CALL.replace("\n", f"  /* expect: {code} warning */\n", 1)
        files[root / "fixtures" / name / "bad-first-c" / "program.c"] = _program(marked)
        files[root / "fixtures" / name / "good-first-c" / "program.c"] = _program(_INSTEAD)
        files[root / "docs" / "frames" / f"{name}.c"] = _program("@1\n")
    return files


def write(files: Mapping[Path, str]) -> None:
    """Write the files of a plan, all or none.  Raises :class:`ScaffoldError`."""
    written: list[Path] = []
    path = Path()
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "x", encoding="utf-8", newline="\n") as opened:
                written.append(path)
                opened.write(text)
    except OSError as error:
        for done in written:
            done.unlink(missing_ok=True)
        why = (
            "is there already"
            if isinstance(error, FileExistsError)
            else f"cannot be written: {error.strerror}"
        )
        raise ScaffoldError(f"{path}: {why}; nothing was written") from error


def next_steps(files: Mapping[Path, str], folder: str) -> str:
    """What was written and what to do with it, for the terminal."""
    names = [os.path.relpath(path, folder) for path in files]
    lines = [f"wrote {name}" for name in names]
    lines.append(f"Now say in {names[0]} what happens at run time, and let check() find it.")
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------------------------ the texts

# What the new rule reports until its author knows better: this call, where the second is meant.
_CALL = "\tuse(lws_context_user(context));\n"
_INSTEAD = "\tuse(&own);\n"


def _module(code: str, name: str, family: str) -> str:
    title = name.replace("-", " ").capitalize()
    example, instead = (text.expandtabs(0) for text in (_CALL, _INSTEAD))
    return f'''\
"""{title}.

## What it reports

Each call of `lws_context_user()`: replace this by what the rule is about.

## What happens at run time

What the user of the program sees, or sees no longer, and what libwebsockets' log says about it.

## Example

```c
{example}```

## Write instead

```c
{instead}```

## Known limits

What the rule is silent about, and where it may be wrong.

## References

- file:line@tag of libwebsockets, or an issue's number
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity
from lwslint.model.project import Project
from lwslint.rule import Rule

rule = Rule(
    code="{code}",
    name="{name}",
    family="{family}",
    impact=Impact.HYGIENE,
    severity=Severity.WARNING,
)


def check(project: Project) -> Iterator[Diagnostic]:
    for located in project.calls_to("lws_context_user"):
        yield rule.report(
            located.place,
            "say here what happens at run time",
            help="and here what to write instead",
            function=located.definition.qualified,
        )
'''


def _program(inside: str) -> str:
    return f"""\
#include <libwebsockets.h>
#include <string.h>

static int own;

static void use(void *user)
{{
	lwsl_user("%p\\n", user);
}}

static const struct lws_protocols protocols[] = {{
	{{ "http", lws_callback_http_dummy, 0, 0, 0, NULL, 0 }},
	{{ NULL, NULL, 0, 0, 0, NULL, 0 }}
}};

int main(void)
{{
	struct lws_context_creation_info info;
	struct lws_context *context;

	memset(&info, 0, sizeof(info));
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.protocols = protocols;
	info.user = &own;
	context = lws_create_context(&info);
	if (!context)
		return 1;
{inside}	while (lws_service(context, 0) >= 0)
		;
	lws_context_destroy(context);
	return 0;
}}
"""
