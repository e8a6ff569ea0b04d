"""What is new since a revision of git: ``--new-since REV`` and ``--staged``.

Since a revision, a finding is new when any place of its chain stands on a line that the revision does not
have, or when linting the revision itself does not report it (its fingerprint is unknown there, or it was
suppressed).  Of what is staged the lines alone decide: a hook has to be quick.

Git is only asked for objects, by commands that run nothing: no diff drivers, text conversions, clean
filters, hooks or monitors, which a work tree's own configuration could name.  Lines are compared here.
"""

from __future__ import annotations

import bisect
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import msgspec

from lwslint import baseline, discovery
from lwslint.diagnostics import Diagnostic
from lwslint.engine import Result, hidden
from lwslint.facts import Place

_TIMEOUT = 120  # seconds for one command; a listing of a very large repository takes a few
_EXPORT_LIMIT = 2_000_000_000  # bytes of source code that are written out from a revision
_OBJECT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class GitError(Exception):
    """What was asked of git cannot be had; the text says why."""


class Entry(NamedTuple):
    """A file in a tree or in the index; ``mode`` as git writes it (100644, 100755, 120000 …)."""

    mode: str
    blob: str


class Repository(msgspec.Struct, frozen=True):
    """A work tree of git; ``top`` is its real path."""

    top: str
    git: str
    index: str = ""

    # ------------------------------------------------------------------------- asking git

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """The output of one git command in the work tree; raises :class:`GitError`."""
        return _run(self.git, self.top, arguments, stdin, self.index)

    def commit(self, revision: str) -> str:
        """The commit that the user's word for a revision means."""
        if revision.startswith("-") or "\0" in revision:
            raise GitError(f"{revision!r} is no revision")
        try:
            found = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
        except GitError as error:
            raise GitError(
                f"there is no revision {revision!r} here (a shallow clone has only the last ones)"
            ) from error
        return _one_object(found)

    def fork_point(self, commit: str) -> str:
        """The newest commit that both ``commit`` and the work tree's HEAD come from."""
        try:
            return _one_object(self.run("merge-base", commit, "HEAD"))
        except GitError as error:
            raise GitError(
                f"HEAD and {commit[:12]} have no common history here (in a shallow clone: fetch all of it)"
            ) from error

    def tree(self, commit: str) -> dict[str, Entry]:
        """The files of a commit by path from ``top``."""
        return dict(_entries(self.run("ls-tree", "-r", "-z", "--full-tree", commit)))

    def staged(self) -> dict[str, Entry]:
        """The files of the index; of a path in conflict one version is as good as none."""
        return dict(_entries(self.run("ls-files", "--stage", "-z")))

    def blobs(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of blobs, each as it is stored."""
        for start in range(0, len(names), 500):
            some = names[start : start + 500]
            output = self.run("cat-file", "--batch", stdin="".join(f"{name}\n" for name in some).encode())
            yield from _objects(output, some)


def find(folder: str) -> Repository:
    """The work tree around ``folder``; raises :class:`GitError`."""
    git = shutil.which("git")
    if git is None or not os.path.isabs(git):
        raise GitError("git is not installed")
    try:
        output = _run(git, folder, ("rev-parse", "--show-toplevel", "--absolute-git-dir"), b"", "")
    except GitError as error:
        raise GitError(f"{folder}: is in no work tree of git ({error})") from error
    top, own = os.fsdecode(output).rstrip("\n").split("\n")[:2]
    # `git commit PATH` shows hooks the commit to be in an index of its own, inside the git folder.
    index = os.path.realpath(os.path.join(top, os.environ.get("GIT_INDEX_FILE", "")))
    inside = index.startswith(os.path.realpath(own) + os.sep) and os.path.isfile(index)
    return Repository(os.path.realpath(top), git, index if inside else "")


_SAFE = (
    "--no-pager",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "protocol.allow=never"),
    *("-c", "core.quotePath=false"),
)
_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME", "SYSTEMROOT", "USERPROFILE", "TMPDIR", "TEMP", "TMP")


def environment(index: str = "") -> dict[str, str]:
    """What git is told: nothing of the caller's GIT_* variables, and to stay on this machine."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    told = {
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ALLOW_PROTOCOL": "none",
    }
    return kept | told | ({"GIT_INDEX_FILE": index} if index else {})


def _run(git: str, folder: str, arguments: Sequence[str], stdin: bytes, index: str) -> bytes:
    try:
        done = subprocess.run(
            [git, *_SAFE, *arguments],
            cwd=folder,
            env=environment(index),
            input=stdin,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {arguments[0]} took more than {_TIMEOUT} seconds") from error
    except (OSError, ValueError) as error:
        raise GitError(f"git {arguments[0]}: {error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
        raise GitError(f"git {arguments[0]}: {said or f'exit code {done.returncode}'}")
    return done.stdout


def _one_object(output: bytes) -> str:
    name = output.decode("ascii", "replace").split("\n")[0].strip()
    if not _OBJECT.fullmatch(name):
        raise GitError("git named no commit")
    return name


def _entries(output: bytes) -> Iterator[tuple[str, Entry]]:
    """``ls-tree`` writes mode, type, object; ``ls-files --stage`` mode, object, stage."""
    for record in output.split(b"\0"):
        head, tab, path = record.partition(b"\t")
        words = head.decode("ascii", "replace").split()
        if tab and len(words) >= 3:
            name = next((word for word in words[1:] if _OBJECT.fullmatch(word)), "")
            yield os.fsdecode(path), Entry(words[0], name)


def _objects(output: bytes, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    at = 0
    for name in names:
        end = output.find(b"\n", at)
        words = output[at:end].split()
        if end < 0 or len(words) < 2:
            raise GitError("git cat-file: its output ended early")
        if words[1] == b"missing":
            at = end + 1
            continue
        size = int(words[2])
        yield name, output[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


# ------------------------------------------------------------------------------------- lines


def matching(old: Sequence[bytes], new: Sequence[bytes]) -> list[int]:
    """For each line of ``new`` its number in ``old`` (from 0), or -1 where it was added or changed.

    Lines that occur once on both sides, in the same order, are anchors; between two anchors what agrees
    from either end is taken as the same.  This never takes longer than a sort.  In a passage that has
    changed much it may call an old line new, which reports a finding too many, never one too few.
    """
    found = [-1] * len(new)
    gaps = [(0, 0)]
    for anchor in [*_anchors(old, new), (len(old), len(new))]:
        (low_old, low_new), (high_old, high_new) = gaps.pop(), anchor
        while low_old < high_old and low_new < high_new and old[low_old] == new[low_new]:
            found[low_new] = low_old
            low_old, low_new = low_old + 1, low_new + 1
        while low_old < high_old and low_new < high_new and old[high_old - 1] == new[high_new - 1]:
            high_old, high_new = high_old - 1, high_new - 1
            found[high_new] = high_old
        gaps.append(anchor)
    return found


def _anchors(old: Sequence[bytes], new: Sequence[bytes]) -> list[tuple[int, int]]:
    """The longest run of lines, each unique on its side, that come in the same order on both sides."""
    once = {line for line, number in Counter(old).items() if number == 1}
    there = {line: index for index, line in enumerate(old) if line in once}
    single = Counter(line for line in new if line in there)
    pairs = [(there[line], index) for index, line in enumerate(new) if single[line] == 1]
    # The longest increasing subsequence of the old line numbers, by patience sorting.
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for number, (line, _) in enumerate(pairs):
        pile = bisect.bisect_left(tops, line)
        before.append(piles[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(line)
            piles.append(number)
        else:
            tops[pile], piles[pile] = line, number
    chain: list[tuple[int, int]] = []
    at = piles[-1] if piles else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]


def split(data: bytes) -> list[bytes]:
    """Lines as git stores them, whatever line ends the work tree has."""
    lines = data.split(b"\n") if b"\n" in data else data.split(b"\r")
    return [line.rstrip(b"\r") for line in lines]


class Changes(NamedTuple):
    """The lines of the work tree's files that count as new, by real path, numbered from 1; None: all."""

    lines: Mapping[str, frozenset[int] | None]

    def touch(self, result: Result, diagnostic: Diagnostic) -> bool:
        """Whether any place of a finding's chain stands on a new line."""
        places = (diagnostic.place, *(step.place for step in diagnostic.related))
        return any(self._has(result, place) for place in places)

    def _has(self, result: Result, place: Place) -> bool:
        real = os.path.realpath(result.texts.real(place.path))
        if real not in self.lines:
            return True
        new = self.lines[real]
        if new is None:
            return True
        text = result.texts[place.path]
        first = text.position(place.span.start).line
        last = text.position(max(place.span.start, place.span.end - 1)).line
        return any(line in new for line in range(first, last + 1))


def changes(repository: Repository, result: Result, commit: str, *, staged: bool) -> Changes:
    """Which lines of the files that ``result`` speaks of are not in ``commit``; with ``staged``, only
    those of them that are in the index."""
    paths = {d.place.path for d in result.diagnostics}
    paths.update(step.place.path for d in result.diagnostics for step in d.related)
    real = {os.path.realpath(result.texts.real(path)): path for path in sorted(paths)}
    tree = repository.tree(commit) if commit else {}
    index = repository.staged() if staged else {}
    names = {path: _inside(repository.top, path) for path in real}
    wanted = {table[name].blob for table in (tree, index) for name in names.values() if name in table}
    blobs = dict(repository.blobs(sorted(wanted - {""})))
    lines: dict[str, frozenset[int] | None] = {}
    for path, name in names.items():
        new = split(result.texts[real[path]].data)
        old = blobs.get(tree[name].blob) if name in tree else None
        if not staged:
            lines[path] = None if old is None else _unmatched(matching(split(old), new))
            continue
        middle = blobs.get(index[name].blob) if name in index else None
        if middle is None:
            lines[path] = frozenset()  # not in the index: nothing of it is staged
            continue
        added = None if old is None else _unmatched(matching(split(old), split(middle)))
        lines[path] = frozenset(
            number
            for number, line in enumerate(matching(split(middle), new), 1)
            if line >= 0 and (added is None or line + 1 in added)
        )
    return Changes(lines)


def _unmatched(found: Sequence[int]) -> frozenset[int]:
    return frozenset(number for number, line in enumerate(found, 1) if line < 0)


def _inside(top: str, path: str) -> str:
    """A real path as git names it; empty outside the work tree."""
    return os.path.relpath(path, top).replace(os.sep, "/") if _below(path, top) else ""


# ------------------------------------------------------------------------------------- the old tree


def export(repository: Repository, commit: str, folder: str, limit: int) -> None:
    """Write what lwslint would look at in ``commit`` into the empty ``folder``.

    Regular files only, of at most ``limit`` bytes; a symbolic link of the old tree is left out.
    """
    wanted: dict[str, list[str]] = {}
    for path, entry in repository.tree(commit).items():
        name = path.rpartition("/")[2]
        if (
            entry.mode.startswith("100")
            and (discovery.takes(name) or name == ".gitignore")
            and _is_plain(path)
        ):
            wanted.setdefault(entry.blob, []).append(path)
    os.mkdir(os.path.join(folder, ".git"))  # where the search for .gitignore files stops
    room = _EXPORT_LIMIT
    for blob, data in repository.blobs(sorted(wanted)):
        room -= len(data) * len(wanted[blob])
        if room < 0:
            raise GitError(f"{commit[:12]} holds more than {_EXPORT_LIMIT} bytes of source code")
        for path in wanted[blob] if len(data) <= limit else ():
            target = os.path.join(folder, *path.split("/"))
            with contextlib.suppress(OSError):  # a name that this system cannot have
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "xb") as file:
                    file.write(data)


def _is_plain(path: str) -> bool:
    """Whether a path of a tree stays below the folder it is written into.  Git makes no others, but
    the objects of a repository can be made by anything."""
    parts = path.split("/")
    plain = all(part not in ("", ".", "..") and part.lower() != ".git" for part in parts)
    return plain and "\\" not in path and ":" not in path and not PurePosixPath(path).is_absolute()


Relint = Callable[[Callable[[str], str]], Result]
"""Lints the same paths elsewhere: it is given what turns an absolute path into the one to read."""


def new_since(result: Result, folder: str, revision: str, relint: Relint, limit: int) -> Result:
    """``result`` without what was there when the branch left ``revision``.

    ``folder`` is in the work tree, ``limit`` the size of the largest file to analyse.  Raises
    :class:`GitError`.
    """
    repository = find(folder)
    commit = repository.fork_point(repository.commit(revision))
    seen = changes(repository, result, commit, staged=False)
    untouched = [d for d in result.diagnostics if not seen.touch(result, d)]
    if not untouched:
        return result
    with tempfile.TemporaryDirectory(prefix="lwslint-") as created:
        # Where the temporary folder is a symbolic link, paths below it would not compare.
        elsewhere = os.path.realpath(created)
        export(repository, commit, elsewhere, limit)
        old = relint(lambda path: _moved(path, repository.top, elsewhere))
        marks = baseline.fingerprints(old, elsewhere)
        known = frozenset(marks[d] for d in old.diagnostics)
    now = baseline.fingerprints(result, repository.top)
    old_news = frozenset(d for d in untouched if now[d] in known)
    return _without(result, old_news, f"not new since {revision}")


def new_in_index(result: Result, folder: str) -> Result:
    """``result`` without the findings that no line of the next commit takes part in."""
    repository = find(folder)
    try:
        commit = repository.commit("HEAD")
    except GitError:  # before the first commit all that is staged is new
        commit = ""
    seen = changes(repository, result, commit, staged=True)
    old_news = frozenset(d for d in result.diagnostics if not seen.touch(result, d))
    return _without(result, old_news, "not about staged lines")


def _moved(path: str, top: str, elsewhere: str) -> str:
    real = os.path.realpath(path)
    return os.path.join(elsewhere, os.path.relpath(real, top)) if _below(real, top) else path


def _below(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip(os.sep) + os.sep)


def _without(result: Result, left_out: frozenset[Diagnostic], why: str) -> Result:
    return msgspec.structs.replace(
        result,
        diagnostics=tuple(d for d in result.diagnostics if d not in left_out),
        hidden=result.hidden + hidden((why, len(left_out))),
    )
