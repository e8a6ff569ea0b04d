"""A comment looks like a suppression and suppresses nothing.

## What it reports

A comment that begins with `lwslint:` (or `lwslint ignore …`, without the colon) and is no directive; a
directive without rules in brackets, without a reason, or with a word between the brackets that is no
rule's code or name. Of several words the right ones still count.

LWS001 and LWS002 cannot be suppressed by a comment; `--ignore` and `[per-file-ignores]` can leave them out.

## What happens at run time

Nothing: the program is not concerned. Whoever wrote the comment believes that a finding was looked at and
accepted, while lwslint reports it all the same, or, worse, a rule's new name silently ends a suppression.

## Example

```c
i.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED;  /* lwslint: ignore[LWS401] */
```

## Write instead

```c
/* lwslint: ignore[LWS401] the test server on the bench has a self-signed certificate */
i.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED;
```

## Fix

Unsafe, since a finding may be hidden by it: the colon behind `lwslint`, where nothing else is missing, or the
name of the one rule that a misspelt word can mean.

## Known limits

Only the files that were analysed are searched for comments. At most 100 places of one file are listed.

## References

- docs/suppressing.md
"""

from __future__ import annotations

from collections.abc import Iterator

from lwslint.diagnostics import Diagnostic, Impact, Severity
from lwslint.model.project import Project
from lwslint.rule import Rule

rule = Rule(
    code="LWS001",
    name="malformed-suppression",
    family="suppressions",
    impact=Impact.HYGIENE,
    severity=Severity.WARNING,
    languages=("c", "cpp", "python"),
)


def check(project: Project) -> Iterator[Diagnostic]:
    """Nothing: comments are no part of the project.  :mod:`lwslint.suppressions` reports these."""
    return iter(())
