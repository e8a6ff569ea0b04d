"""A run on a tree in which nothing has changed: the same words, from memory, and never after a change."""

from __future__ import annotations

import builtins
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lwslint import cache, cli, replay, witness
from lwslint.cache import Cache
from lwslint.witness import Witness
from tests.conftest import WriteTree

Output = pytest.CaptureFixture[str]
IMPORT_PATH = os.pathsep.join(os.path.abspath(folder) for folder in sys.path if folder)

TREE = {
    "client.c": (
        "#include <libwebsockets.h>\n"
        '#include "names.h"\n'
        "int go(struct lws_context *c) {\n"
        "    struct lws_client_connect_info info = {0};\n"
        "    info.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED;\n"
        "    info.protocol = NAME;\n"
        "    info.context = c;\n"
        "    return lws_client_connect_via_info(&info) == 0;\n"
        "}\n"
    ),
    "names.h": '#define NAME "wire"\n',
    "plain.c": "int plain;\n",
    "notes.txt": "nothing\n",
    "lwslint.toml": 'min-confidence = "low"\n',
    ".gitignore": "ignored/\n",
    "ignored/other.c": "int lws_ignored;\n",
    "CMakeLists.txt": "add_executable(client client.c)\ntarget_link_libraries(client websockets)\n",
    "conf/server.json": '{"global": {"init-ssl": "no"}, "vhosts": []}\n',
    "py/app.py": (
        "import ssl, websocket\n"
        "websocket.WebSocketApp('wss://x').run_forever(sslopt={'cert_reqs': ssl.CERT_NONE})\n"
    ),
    "py/helper.py": "import threading\n",
    "ignored/compile_commands.json": (
        '[{"directory": "/x", "file": "client.c", "command": "cc -DNAME=1 -c client.c"}]'
    ),
    "include/libwebsockets.h": "#define LWS_LIBRARY_VERSION 1\n",
}


class Said(NamedTuple):
    code: int
    out: str
    err: str


class Session:
    """Runs as the console script does, in this process, and knows which of them needed none."""

    def __init__(self, capsys: Output, folder: Path) -> None:
        self._capsys = capsys
        self.folder = folder
        self.repeated = False

    def run(self, *arguments: str) -> Said:
        argv = [*arguments, "--cache-dir", str(self.folder)]
        code = replay.again(argv)
        self.repeated = code is not None
        return self._said(cli.main(argv) if code is None else code)

    def cold(self, *arguments: str) -> Said:
        return self._said(cli.main([*arguments, "--no-cache"]))

    def _said(self, code: int) -> Said:
        return Said(code, *self._capsys.readouterr())


@pytest.fixture
def root(write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_tree(TREE)
    (root / "link.c").symlink_to("plain.c")
    (root / "nowhere.c").symlink_to("missing.c")
    (root / "ignored" / "current").symlink_to("..")
    (root / "through.c").symlink_to("ignored/current/plain.c")
    monkeypatch.chdir(root)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return root


@pytest.fixture
def session(capsys: Output, tmp_path: Path) -> Session:
    return Session(capsys, tmp_path / "cache")


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trusts stamps at once: files of a test are younger than a run trusts them to be."""
    monkeypatch.setattr(witness, "settled", lambda stamp, began: True)


ARGUMENTS: Sequence[Sequence[str]] = [
    (),
    ("-v", "--statistics"),
    ("-q", "--output-format", "concise"),
    ("--output-format", "sarif"),
    ("--output-format", "html"),
    ("--show-files",),
    ("--no-ruff", "--isolated", "client.c", "py"),
    ("--project", ".", "client.c"),
    ("-p", "ignored", "-v"),
    ("--select", "LWS4", "--fail-on", "never", "-DX=1", "--lws-version", "4.3"),
]


@pytest.mark.usefixtures("root", "trusting")
@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_the_same_is_said_again(session: Session, arguments: Sequence[str]) -> None:
    cold = session.cold(*arguments)
    assert session.run(*arguments) == cold
    assert not session.repeated
    assert session.run(*arguments) == cold
    assert session.repeated


@pytest.mark.usefixtures("root", "trusting")
def test_what_a_run_says_depends_on_more_than_files(
    session: Session, monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    plain = session.run()
    session.run("-q")
    assert not session.repeated
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = session.run()
    assert not session.repeated and coloured != plain
    assert session.run() == coloured and session.repeated
    monkeypatch.delenv("FORCE_COLOR")
    assert session.run() == plain and session.repeated
    monkeypatch.chdir(root / "py")
    session.run()
    assert not session.repeated


@pytest.mark.usefixtures("root", "trusting")
def test_a_command_line_of_no_words(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LWSLINT_CACHE_DIR", str(session.folder))
    assert replay.again([]) is None
    code = cli.main([])
    assert replay.again([]) == code


def _edit(name: str, text: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_text(text)


def _quietly(root: Path) -> None:
    """Of the same length, and with the same time of modification."""
    path = root / "names.h"
    times = path.stat()
    path.write_text('#define NAME "wave"\n')
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _behind(root: Path) -> None:
    """Where a link leads through a folder that is not walked."""
    (root / "ignored" / "current").unlink()
    (root / "ignored" / "current").mkdir()
    (root / "ignored" / "current" / "plain.c").write_text(TREE["client.c"])


CHANGES: dict[str, Callable[[Path], object]] = {
    "a source": _edit("client.c", "int lws_nothing;\n"),
    "a header": _edit("names.h", "#define NAME 0\n"),
    "a header, quietly": _quietly,
    "a file that was of no interest": _edit("plain.c", TREE["client.c"]),
    "a new file": _edit("new.c", TREE["client.c"]),
    "a new file in a folder below": _edit("conf/new.c", TREE["client.c"]),
    "a new folder": lambda root: (root / "client.c").rename(root / "py" / "client.c"),
    "a file that has gone": lambda root: (root / "client.c").unlink(),
    "a file that has another name": lambda root: (root / "client.c").rename(root / "moved.c"),
    "the configuration": _edit("lwslint.toml", 'ignore = ["LWS401"]\n'),
    "no configuration": lambda root: (root / "lwslint.toml").unlink(),
    "what git ignores": _edit(".gitignore", "py/\n"),
    "what git ignores below": _edit("py/.gitignore", "*.py\n"),
    "a build file": _edit("CMakeLists.txt", "set(CMAKE_BUILD_TYPE Debug)\nadd_compile_definitions(DEBUG)\n"),
    "a document": _edit("conf/server.json", '{"global": {"uid": "x"}, "vhosts": [{"name": "a"}]}\n'),
    "Python": _edit("py/app.py", "import websocket\n"),
    "Python beside": _edit("py/helper.py", "import threading, app\nthreading.Thread(target=app.x)\n"),
    "a header that is no copy any more": _edit("include/libwebsockets.h", "int lws_mine;\n"),
    "where a link leads": lambda root: ((root / "link.c").unlink(), (root / "link.c").symlink_to("names.h")),
    "where a link leads, out of sight": _behind,
    "a link that leads somewhere now": _edit("missing.c", TREE["client.c"]),
    "a copy of the library": lambda root: (root / "conf" / "lws_config.h").write_text("#define LWS_WITH_X\n"),
    "rights": lambda root: (root / "client.c").chmod(0),
}


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_is_repeated_after_a_change(
    root: Path, session: Session, change: Callable[[Path], object]
) -> None:
    session.run()
    session.run()
    assert session.repeated
    change(root)
    assert session.run() == session.cold()
    assert not session.repeated


@pytest.mark.usefixtures("trusting")
def test_files_above_the_tree_count(root: Path, session: Session, tmp_path: Path) -> None:
    (root / "lwslint.toml").unlink()
    session.run()
    session.run()
    assert session.repeated
    (tmp_path / "lwslint.toml").write_text('ignore = ["LWS401"]\n')
    assert session.run() == session.cold()
    assert not session.repeated
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("client.c\n")
    assert session.run() == session.cold()
    assert not session.repeated
    session.run()
    assert session.repeated


@pytest.mark.usefixtures("trusting")
def test_in_a_linked_work_tree_of_git_too(root: Path, session: Session) -> None:
    """There, and in a submodule, ``.git`` is a file, and nothing is in it."""
    (root / ".git").write_text("gitdir: /somewhere/else\n")
    first = session.run()
    assert session.run() == first and session.repeated
    (root / ".git").unlink()
    (root / ".git" / "info").mkdir(parents=True)
    (root / ".git" / "info" / "exclude").write_text("client.c\n")
    assert session.run() != first and not session.repeated


@pytest.mark.usefixtures("trusting")
def test_a_baseline_counts(root: Path, session: Session, capsys: Output) -> None:
    cli.main(["baseline", "-o", "known.json"])
    capsys.readouterr()
    hidden = session.run("--baseline", "known.json")
    assert session.run("--baseline", "known.json") == hidden and session.repeated
    lines = (root / "known.json").read_text().splitlines()
    (root / "known.json").write_text("\n".join([lines[0], "]}"]))
    assert session.run("--baseline", "known.json") == session.cold("--baseline", "known.json") != hidden
    assert not session.repeated


@pytest.mark.usefixtures("trusting")
def test_a_compilation_database_counts(root: Path, session: Session) -> None:
    for arguments in (("-p", "ignored"), ("-p", "ignored/compile_commands.json")):
        session.run(*arguments)
        session.run(*arguments)
        assert session.repeated
    (root / "ignored" / "compile_commands.json").write_text("[]")
    for arguments in (("-p", "ignored"), ("-p", "ignored/compile_commands.json")):
        assert session.run(*arguments) == session.cold(*arguments)
        assert not session.repeated


@pytest.mark.usefixtures("root", "trusting")
def test_other_files_do_not_count(root: Path, session: Session) -> None:
    said = session.run()
    (root / "notes.txt").write_text("something\n")
    (root / "ignored" / "other.c").write_text("int lws_also_ignored;\n")
    assert session.run() == said
    assert session.repeated


@pytest.mark.usefixtures("root", "trusting")
@pytest.mark.parametrize(
    "arguments",
    [
        ("--output-format", "json:report.json"),
        ("--output-format", "full", "--output-format", "json:report.json"),
        ("--select", "LWS999"),
        ("missing.c",),
        ("--no-cache",),
        ("rules",),
        ("--version",),
    ],
)
def test_what_writes_or_fails_is_not_repeated(
    session: Session, arguments: Sequence[str], capsys: Output
) -> None:
    for _ in range(2):
        try:
            assert replay.again([*arguments, "--cache-dir", str(session.folder)]) is None
            cli.main([*arguments, "--cache-dir", str(session.folder)])
        except SystemExit:
            pass


@pytest.mark.usefixtures("root", "trusting")
def test_no_word_of_an_error_is_repeated(session: Session, root: Path) -> None:
    (root / "lwslint.toml").write_text("max-file-size = 20\n")  # too little for client.c
    first = session.run()
    assert first.code == 2
    assert session.run() == first
    assert not session.repeated


# ------------------------------------------------------------------------------------- young files


def test_young_files_are_compared_by_content(root: Path, session: Session) -> None:
    (root / "include" / "libwebsockets.h").unlink()  # looked at in part, which is not enough
    (root / "conf" / "server.json").unlink()
    said = session.run()
    assert session.run() == said and session.repeated
    (root / "names.h").write_text('#define NAME "wave"\n')
    assert session.run() == session.cold()
    assert not session.repeated


@pytest.mark.parametrize("name", ["names.h", "plain.c", "lwslint.toml", ".gitignore", "py/helper.py"])
def test_a_change_within_one_tick_of_the_clock_is_found(
    root: Path, session: Session, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (root / "include" / "libwebsockets.h").unlink()
    (root / "conf" / "server.json").unlink()
    session.run()
    session.run()
    assert session.repeated
    # A clock so coarse that no stamp ever changes.
    path = root / name
    path.write_text(path.read_text()[:-2] + "\n\n")
    monkeypatch.setattr(witness, "_same", lambda status, expected: True)
    session.run()
    assert not session.repeated


def test_a_new_file_within_one_tick_of_the_clock_is_found(
    root: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "include" / "libwebsockets.h").unlink()
    (root / "conf" / "server.json").unlink()
    session.run()
    (root / "plain.c").rename(root / "plane.c")
    monkeypatch.setattr(witness, "_same", lambda status, expected: True)
    session.run()
    assert not session.repeated


def test_files_that_have_come_of_age_are_not_read_again(
    root: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "include" / "libwebsockets.h").unlink()
    (root / "conf" / "server.json").unlink()
    session.run()
    monkeypatch.setattr(witness, "settled", lambda stamp, began: True)
    session.run()
    assert session.repeated
    monkeypatch.setattr(witness, "_same_inside", lambda seen: pytest.fail("read again"))
    session.run()
    assert session.repeated


def test_a_file_that_changes_during_the_run_spoils_the_record() -> None:
    told = Witness(0)
    told.saw_inside("/a", "1")
    told.saw_inside("/a", "1")
    assert told.is_complete()
    told.saw_inside("/a", "2")
    assert not told.is_complete()


# ------------------------------------------------------------------------------------- records


@pytest.mark.usefixtures("root", "trusting")
@pytest.mark.parametrize(
    "forge",
    [
        lambda content: b"",
        lambda content: content[:15],
        lambda content: content[:-7],
        lambda content: content[: len(content) // 2],
        lambda content: b"\xff" * 16 + content[16:],
        lambda content: (0).to_bytes(8, "little") + content[8:],
        lambda content: content[:16] + b"[" * 100_000,
        lambda content: content.replace(b"true", b"null").replace(b"[", b"{", 1),
    ],
)
def test_records_that_make_no_sense_are_found_out(session: Session, forge: Callable[[bytes], bytes]) -> None:
    cold = session.run()
    store = Cache(str(session.folder))
    key = replay._key(["--cache-dir", str(session.folder)])
    content = store.get(key)
    assert content is not None
    store.put(key, forge(content))
    assert session.run() == cold
    assert not session.repeated


def test_numbers_at_the_edges_survive(tmp_path: Path) -> None:
    told = Witness(0)
    odd = os.fsdecode(b"/a\xff\n")
    told.stamps = {
        odd: witness.Stamp(2**63 + 1, 2**64 - 1, 0, -5, 2**62),
        "/b": witness.Stamp(0, 0, 0, 0, 0),
    }
    told.links = {odd: "/elsewhere"}
    record = replay.Record(1, True, [(False, "ä\n"), (True, "\udc80\n")], witness.testimony(told))
    assert replay._decoded(replay._encoded(record)) == record


@pytest.mark.usefixtures("root", "trusting")
def test_a_terminal_that_goes_away_is_no_traceback(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.run()

    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

        def fileno(self) -> int:
            return os.open(os.devnull, os.O_WRONLY)

    closed = Closed()
    closed_encoding = sys.stdout.encoding
    monkeypatch.setattr(Closed, "encoding", closed_encoding, raising=False)
    monkeypatch.setattr(sys, "stdout", closed)
    assert replay.again(["--cache-dir", str(session.folder)]) == 2


# ------------------------------------------------------------------------------------- the witness


def test_nothing_is_looked_at_that_the_witness_does_not_know(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output, tmp_path: Path
) -> None:
    """Whoever adds a look at the file system to a run has to tell the witness of it."""
    (root / "through.c").unlink()  # what lies on the way of a link is known by where it leads
    looked: list[tuple[str, str]] = []
    told: list[Witness] = []

    def spy(module: Any, name: str) -> None:
        whole = getattr(module, name)

        def call(path: Any = ".", *arguments: Any, **options: Any) -> Any:
            if isinstance(path, (str, os.PathLike)):
                looked.append((name, os.path.abspath(os.fspath(path))))
            return whole(path, *arguments, **options)

        monkeypatch.setattr(module, name, call)

    keep = replay.Recording.keep

    def kept(self: replay.Recording, *arguments: Any) -> None:
        assert self.witness is not None
        told.append(self.witness)
        keep(self, *arguments)

    monkeypatch.setattr(replay.Recording, "keep", kept)
    for name in ("stat", "lstat", "scandir", "listdir", "open", "readlink"):
        spy(os, name)
    spy(builtins, "open")
    cli.main(["--cache-dir", str(tmp_path / "cache"), "--project", ".", "client.c", "py", "-v"])
    monkeypatch.undo()
    capsys.readouterr()
    (seen,) = told
    mine = os.path.join(str(root), "")
    contents = {path for name, path in looked if name in ("open", "scandir", "listdir")}
    names = {path for _, path in looked}
    assert {f"{mine}client.c", f"{mine}py/app.py", f"{mine}lwslint.toml"} <= contents
    inside = {path for path in contents if path.startswith(mine)}
    assert inside - set(seen.stamps) == set()
    # Whether something is there, and what kind of thing, its folder's stamp tells too.
    unknown = {p for p in names if p.startswith(mine)} - set(seen.stamps) - set(seen.links)
    assert {path for path in unknown if os.path.dirname(path) not in seen.stamps} == set()


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("seed", range(4))
def test_after_any_edits_a_run_says_what_a_cold_one_says(root: Path, session: Session, seed: int) -> None:
    chance = random.Random(seed)
    repeated = 0
    for _ in range(12):
        if chance.random() < 0.7:
            change = chance.choice([*CHANGES.values()][:-1])
            try:
                change(root)
            except OSError:
                continue  # what it would change has gone
        assert session.run("-v") == session.cold("-v")
        repeated += session.repeated
    assert repeated


# ------------------------------------------------------------------------------------- as a user runs it


def test_a_run_from_memory_loads_next_to_nothing(root: Path, tmp_path: Path) -> None:
    (root / "include" / "libwebsockets.h").unlink()
    (root / "conf" / "server.json").unlink()
    environment = {**os.environ, "PYTHONPATH": IMPORT_PATH, "LWSLINT_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-X", "importtime", "-m", "lwslint", "--output-format", "json"]
    cold, warm = (
        subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False, text=True)
        for _ in range(2)
    )
    assert warm.stdout == cold.stdout and warm.returncode == cold.returncode == 1
    assert json.loads(warm.stdout)["diagnostics"]
    loaded = {line.rpartition("|")[2].strip() for line in warm.stderr.splitlines()}
    own = {name for name in loaded if name.split(".")[0] in ("lwslint", "lwslint_rules")}
    assert own == {"lwslint", "lwslint.cache", "lwslint.replay", "lwslint.streams", "lwslint.witness"}
    assert not loaded & {"tree_sitter", "libcst", "msgspec", "pathspec", "argparse", "textwrap", "shutil"}


@pytest.mark.usefixtures("root", "trusting")
def test_cleaning_forgets(session: Session) -> None:
    session.run()
    cache.clean(str(session.folder))
    session.run()
    assert not session.repeated
