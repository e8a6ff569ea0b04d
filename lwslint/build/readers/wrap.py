"""Meson's wrap files: where ``subprojects/libwebsockets`` comes from."""

from __future__ import annotations

import posixpath

from lwslint.build.facts import BuildFile
from lwslint.build.readers import versions
from lwslint.build.readers.ini import entries
from lwslint.build.readers.records import Records


def read(path: str, data: bytes) -> BuildFile:
    """A ``*.wrap`` file; only that of libwebsockets says something here."""
    return Records(path, "wrap", data).read(_read)


def _read(records: Records) -> None:
    lines = [entry for entry in entries(records.data) if entry.section.startswith("wrap-") and entry.value]
    named = versions.names_library(posixpath.basename(records.path))
    if not named and not any(
        entry.key in ("url", "source_url") and versions.names_library(entry.value or "") for entry in lines
    ):
        return
    for entry in lines:
        if entry.key in ("revision", "directory"):
            version = versions.of_tag(entry.value or "")
        else:
            version = versions.of_archive(entry.value or "") if entry.key == "source_url" else ""
        if version and not records.requirements:
            records.requirement(version, "wrap", entry.span, exact=versions.is_release(version))
