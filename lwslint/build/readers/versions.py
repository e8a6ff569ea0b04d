"""Versions of libwebsockets as tags, archives and packages write them."""

from __future__ import annotations

import re

# v4.3.2, 4.3.2, v4.3-stable, v2.0.0-beta.1, libwebsockets-4.3.2
_TAG = re.compile(
    r"(?:refs/(?:tags|heads)/)?(?:libwebsockets[-_/])?[vV]?(\d{1,3}\.\d{1,3}(?:\.\d{1,3})?)(-\w[\w.-]*)?\Z",
    re.ASCII,
)
_NAME = re.compile(r"libwebsockets", re.IGNORECASE)
# …/libwebsockets/archive/v4.3.2.tar.gz, …/archive/refs/tags/v4.3.2.zip, libwebsockets-4.0.20.tar.gz,
# …/libwebsockets/tarball/v4.3-stable
_ARCHIVE = re.compile(
    r"libwebsockets(?:[-_]|/(?:-/)?(?:archive|tarball|zipball|zip|tar\.gz|releases/download)/(?:refs/(?:tags|heads)/)?)"
    r"(?:libwebsockets[-_])?[vV]?(\d{1,3}\.\d{1,3}(?:\.\d{1,3})?)(?!\w)",
    re.ASCII | re.IGNORECASE,
)
_PACKAGED = re.compile(r"(?:\d+:)?(\d{1,3}(?:\.\d{1,3}){0,2})", re.ASCII)
_BOUND = re.compile(r"(>=|<=|==|~>|~=|=|>|<|\^|~)?\s*[vV]?(\d{1,3}(?:\.\d{1,3}){0,2})(?![\w.])", re.ASCII)


def of_tag(tag: str) -> str:
    """The release that a git tag or stable branch names: ``4.3.2`` for ``v4.3.2``, ``4.3`` for
    ``v4.3-stable``; "" for any other name (``main``, a commit, ``$VERSION``)."""
    match = _TAG.match(tag.strip())
    return match[1] if match else ""


def is_release(version: str) -> bool:
    """Whether a version is one release (``4.3.2``), not a series (``4.3``)."""
    return version.count(".") == 2


def of_archive(url: str) -> str:
    """The release whose source archive ``url`` names; "" when it is none of libwebsockets."""
    match = _ARCHIVE.search(url)
    return match[1] if match else ""


def of_package(version: str) -> str:
    """The upstream part of a distribution's package version: ``4.0.20`` of ``4.0.20-2ubuntu1``."""
    match = _PACKAGED.match(version.strip())
    return match[1] if match else ""


def bound(text: str) -> tuple[str, bool]:
    """A version and whether it is the only one that ``>=4.0``, ``==4.3.2``, ``^4.1`` accepts.

    The first lower bound or exact version counts; ("", False) when there is none.  A bare ``4.3.2`` is
    exact.
    """
    for match in _BOUND.finditer(text):
        operator = match[1] or "="
        if operator not in ("<", "<="):
            return match[2], operator in ("=", "==")
    return "", False


def names_library(text: str) -> bool:
    """Whether a URL, a package or a folder is called libwebsockets."""
    return bool(_NAME.search(text))
