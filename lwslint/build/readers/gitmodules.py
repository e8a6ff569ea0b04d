"""``.gitmodules``: libwebsockets as a submodule.

The commit that is checked out is in git's index, not in this file; only a ``branch`` says which release it is
near.
"""

from __future__ import annotations

from lwslint.build.facts import BuildFile
from lwslint.build.readers import versions
from lwslint.build.readers.ini import Entry, entries
from lwslint.build.readers.records import Records


def read(path: str, data: bytes) -> BuildFile:
    """The branch of the libwebsockets submodule, where it names a release."""
    return Records(path, "gitmodules", data).read(_read)


def _read(records: Records) -> None:
    sections: dict[str, list[Entry]] = {}
    for entry in entries(records.data):
        sections.setdefault(entry.section, []).append(entry)
    for lines in sections.values():
        if any(line.key == "url" and versions.names_library(line.value or "") for line in lines):
            for line in lines:
                if line.key == "branch" and (version := versions.of_tag(line.value or "")):
                    exact = versions.is_release(version)
                    records.requirement(version, "submodule", line.span, exact=exact)
