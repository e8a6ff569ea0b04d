"""A suppression suppresses nothing.

## What it reports

A well-formed `lwslint: ignore[…]` or `ignore-file[…]` that no finding of the named rule answers to, word by
word: of `ignore[LWS101, LWS401]` the one that is not needed.

Nothing is said about rules that did not run (`--select`, `--ignore`), about code that the build profile
leaves out, about files that were named on the command line without their project, or when a problem kept
the analysis from being complete: a finding may be missing for another reason then.

## What happens at run time

Nothing, today. A suppression that outlives its finding hides the next one on the same line.

## Example

```c
/* lwslint: ignore[LWS401] the test server on the bench has a self-signed certificate */
i.ssl_connection = LCCSCF_USE_SSL;
```

## Write instead

```c
i.ssl_connection = LCCSCF_USE_SSL;
```

## Fix

Safe: the comment goes, with its line where it has one for itself, or the one name that is not needed. A
comment that goes on with something else is left to you.

## Known limits

A suppression that only another profile needs (`--build`, `-D`) is told from an unneeded one only where
the preprocessor leaves its line out. At most 100 places of one file are listed.

## References

- docs/suppressing.md
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity
from lwslint.model.project import Project
from lwslint.rule import Rule

rule = Rule(
    code="LWS002",
    name="unused-suppression",
    family="suppressions",
    impact=Impact.HYGIENE,
    severity=Severity.WARNING,
    languages=("c", "cpp", "python"),
)


def check(project: Project) -> Iterator[Diagnostic]:
    """Nothing: comments are no part of the project.  :mod:`lwslint.suppressions` reports these."""
    return iter(())
