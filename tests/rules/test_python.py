"""The Python rules on small trees: what the fixtures, one program each, do not vary."""

from __future__ import annotations

import ast
import os
import re
import time
from pathlib import Path

import pytest

from lwslint import config, discovery, engine
from lwslint.discovery import NO_WEBSOCKET, NOT_PYTHON, NOT_PYTHON_3
from lwslint.facts import Binary, Name, Span, Text
from lwslint.knowledge import python_libraries
from lwslint.model.python_exposure import of_path, url_of
from lwslint.settings import Ladder
from tests.conftest import WriteTree
from tests.fixture_marks import FOLDER
from tests.fixture_runs import lint, reports, rules

FIXTURES = sorted(FOLDER.glob("*/*-py/**/*.py"))


def found(tree: Path) -> list[str]:
    """``path:line code severity`` of every report."""
    return [f"{r.place.path}:{r.place.line} {r.place.code} {r.severity}" for r in reports(tree, lint(tree))]


def messages(tree: Path) -> list[str]:
    return [d.message for d in lint(tree).diagnostics]


# ------------------------------------------------------------------------------------- which files are read


@pytest.mark.parametrize("path", FIXTURES, ids=lambda p: "/".join(p.parts[-3:]))
def test_fixtures_parse_with_the_oldest_supported_python(path: Path) -> None:
    ast.parse(path.read_bytes(), feature_version=(3, 9))


def skipped(result: engine.Result) -> dict[str, str]:
    return {item.path: item.reason for item in result.skipped}


def test_python_2_and_broken_files_are_left_out_and_fail_nothing(write_tree: WriteTree) -> None:
    tree = write_tree(
        {
            "old.py": "import websocket\nprint 'a', websocket.connect(u, sslopt={'cert_reqs': 0})\n",
            "broken.py": "import websocket, ssl\nssl.CERT_NONE = (\n",
            "other.py": "import os\n",
            "b.py": "import websocket\nwebsocket.create_connection(u, sslopt={'cert_reqs': 0})\n",
        }
    )
    result = lint(tree)
    assert skipped(result) == {"old.py": NOT_PYTHON_3, "broken.py": NOT_PYTHON, "other.py": NO_WEBSOCKET}
    assert not result.problems
    assert found(tree) == ["b.py:2 LWS401 error"]


def test_a_file_that_is_nested_too_deeply_is_a_problem(write_tree: WriteTree) -> None:
    tree = write_tree({"a.py": "import websocket, ssl\nssl.CERT_NONE\nx = " + "(" * 5000 + ")" * 5000 + "\n"})
    [problem] = lint(tree).problems
    assert (problem.path, problem.message) == ("a.py", "not analysed: more than 200 nested brackets")


def test_c_rules_see_no_python_and_python_rules_no_c(write_tree: WriteTree) -> None:
    tree = write_tree(
        {
            "a.py": "import websocket\ndef lws_service(c): pass\nwebsocket.create_connection(u)\n",
            "a.c": "#include <libwebsockets.h>\nint x = 1; /* import websocket; ssl.CERT_NONE */\n",
        }
    )
    assert found(tree) == []
    assert {p.language for p in lint(tree).parsed} == {"c", "python"}


def test_discovery_takes_python() -> None:
    assert [discovery.takes(n) for n in ("a.py", "b.pyw", "c.PY", "d.pyc", "e.pyi")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert discovery.language_of("a.pyw", b"") == "python"


# ------------------------------------------------------------------------------------- across files


def test_a_thread_that_starts_in_another_file(write_tree: WriteTree) -> None:
    client = (
        "import asyncio\nimport websockets\n\n\nclass Client:\n"
        "    async def run(self, url):\n        self.loop = asyncio.get_running_loop()\n"
        "        self.ws = await websockets.connect(url)\n\n"
        "    def say(self, text):\n        self.loop.create_task(self.ws.send(text))\n"
    )
    main = (
        "import threading\nfrom client import Client\n\nclient = Client()\n"
        "threading.Thread(target=client.say, args=('x',)).start()\n"
    )
    assert found(write_tree({"client.py": client, "main.py": main})) == ["client.py:11 LWS109 error"]
    assert (
        found(write_tree({"main.py": main.replace("Thread(target=client.say, args=('x',))", "Lock()")})) == []
    )


def test_a_start_in_the_tests_is_a_note(write_tree: WriteTree) -> None:
    client = (
        "import asyncio\nimport websockets\nimport ssl\n\n\nclass Client:\n"
        "    def __init__(self):\n        self.fresh = asyncio.Event()\n"
        "    def say(self):\n        self.fresh.set()\n"
    )
    test = (
        "import threading, websockets, asyncio\nfrom client import Client\n\n"
        "asyncio.run(None)\nthreading.Thread(target=Client().say).start()\n"
    )
    tree = write_tree({"client.py": client + "ssl=ssl.SSLContext\n", "tests/test_client.py": test})
    assert found(tree) == ["client.py:10 LWS109 note"]


@pytest.mark.parametrize(
    ("package", "statement", "call"),
    [
        ("net/", "from net.secure import context", "context()"),
        ("net/", "from .secure import context", "context()"),
        ("net/", "from . import secure", "secure.context()"),
        ("net/", "import net.secure", "net.secure.context()"),
        ("", "import secure as s", "s.context()"),
        ("", "from secure import SHARED", "SHARED"),
        ("", "from secure import context as make", "make()"),
        ("", "from secure import Maker", "Maker().context()"),
    ],
)
def test_a_context_that_another_module_makes(
    write_tree: WriteTree, package: str, statement: str, call: str
) -> None:
    secure = (
        "import ssl\n\n\ndef context():\n    return ssl._create_unverified_context()\n\n\n"
        "SHARED = context()\n\n\nclass Maker:\n    def context(self):\n        return SHARED\n"
    )
    client = (
        f"import websockets\n{statement}\n\n\nasync def run(url):\n"
        f"    await websockets.connect(url, ssl={call})\n"
    )
    tree = write_tree(
        {f"{package}secure.py": secure, f"{package}client.py": client, f"{package}__init__.py": ""}
    )
    assert found(tree) == [f"{package}secure.py:5 LWS401 error"]


def test_servers_in_python_say_what_they_speak(write_tree: WriteTree) -> None:
    server = (
        "import websockets\n\n\nasync def main(h):\n"
        "    await websockets.serve(h, '', 1, subprotocols=['a.v1'])\n"
    )
    client = "import websocket\nwebsocket.create_connection('ws://localhost:1', subprotocols=['{}'])\n"
    assert found(write_tree({"s.py": server, "c.py": client.format("a.v1")})) == []
    assert found(write_tree({"c.py": client.format("a.v2")})) == ["c.py:2 LWS201 error"]
    assert found(write_tree({"s.py": "", "c.py": client.format("a.v2")})) == []


def test_the_configuration_says_what_servers_speak(write_tree: WriteTree) -> None:
    client = "import websocket\nwebsocket.create_connection('wss://h.example.com/', subprotocols=['b'])\n"
    listed = '[[servers]]\nhost = "h.example.com"\nsubprotocols = ["a"]\n'
    assert found(write_tree({"c.py": client, "lwslint.toml": listed})) == ["c.py:2 LWS201 error"]
    assert found(write_tree({"lwslint.toml": listed.replace('"a"', '"b"')})) == []


# ------------------------------------------------------------------------------------- the ladder


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/tests/x.py", "test"),
        ("test/x.py", "test"),
        ("docs/x.py", "test"),
        ("a/examples/b/x.py", "test"),
        ("test_x.py", "test"),
        ("x_test.py", "test"),
        ("conftest.py", "test"),
        ("site/settings/dev.py", "development"),
        ("site/settings/local.py", "development"),
        ("latest/x.py", None),
        ("contest.py", None),
        ("site/settings/prod.py", None),
        ("testimony/x.py", None),
    ],
)
def test_what_the_path_says(path: str, kind: str | None) -> None:
    verdict = of_path(path, Ladder())
    assert (verdict.kind if verdict is not None else None) == kind


CONDITIONS = [
    ("args.insecure", "note"),
    ("not self.verify_ssl", "note"),
    ("self.verify_ssl", "error"),
    ("not insecure", "error"),
    ("options['no-verify']", "note"),
    ("config.get('insecure')", "note"),
    ("settings.DEBUG", "note"),
    ("not settings.DEBUG", "error"),
    ("url.startswith('wss')", "error"),
    ("method == 'POST'", "error"),
    ("not _CONTEXT", "error"),
    ("cert_reqs == ssl.CERT_NONE", "note"),
    ("os.environ.get('VERIFY', '1') == '0'", "note"),
    ("os.environ.get('VERIFY', '0') == '0'", "warning"),
    ("not os.getenv('VERIFY')", "warning"),
    ("os.getenv('ENV') == 'production'", "error"),
    ("os.getenv('ENV') != 'production'", "note"),
    ("self.verify is False", "note"),
    ("self.insecure is True", "note"),
    ("a and (b or skip_verify)", "note"),
    ("__debug__", "warning"),
    ("TYPE_CHECKING", None),
]


@pytest.mark.parametrize(("condition", "severity"), CONDITIONS)
def test_what_a_condition_says(write_tree: WriteTree, condition: str, severity: str | None) -> None:
    text = (
        "import os\nimport ssl\nimport websocket\nfrom typing import TYPE_CHECKING\n\n\n"
        "def run(self, url, args, options, config, settings, method, _CONTEXT, cert_reqs, a, b):\n"
        f"    if {condition}:\n"
        "        websocket.create_connection(url, sslopt={'cert_reqs': ssl.CERT_NONE})\n"
    )
    expected = [] if severity is None else [f"a.py:9 LWS401 {severity}"]
    assert found(write_tree({"a.py": text})) == expected


def test_the_message_names_the_step_that_decided(write_tree: WriteTree) -> None:
    text = (
        "import ssl\nimport websocket\n\n\ndef run(url, args):\n    if args.insecure:\n"
        "        websocket.create_connection(url, sslopt={'cert_reqs': ssl.CERT_NONE})\n"
    )
    [message] = messages(write_tree({"a.py": text}))
    assert message.endswith("only when args.insecure is set")
    [message] = messages(write_tree({"a.py": "", "tests/a.py": text.replace("if args.insecure", "if 1")}))
    assert message.endswith("the file is in tests/")


WEAK = "import websocket\nwebsocket.create_connection(u, sslopt={'cert_reqs': 0})\n"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", ["error", "note"]),
        ('production-paths = ["examples/kiosk/"]', ["error", "error"]),
        ('development-paths = ["/tools"]', ["note", "note"]),
        ('development-paths = ["tools/*.py"]\nproduction-paths = ["tools/", "*.py"]', ["error", "error"]),
        ('development-paths = ["ools/"]', ["error", "note"]),
    ],
)
@pytest.mark.parametrize("start", [".", "tools", ".."])
def test_the_user_says_which_paths_are_production(
    write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch, keys: str, expected: list[str], start: str
) -> None:
    """The patterns start in the configuration's folder, wherever lwslint is started."""
    files = {"lwslint.toml": f"[python]\n{keys}\n", "tools/a.py": WEAK, "examples/kiosk/a.py": WEAK}
    tree = write_tree(files)
    monkeypatch.chdir(tree / start)
    settings = config.settings(config.read(str(tree / "lwslint.toml")).options, folder=str(tree))
    result = engine.lint([os.path.relpath(tree)], settings, rules(), cwd=os.getcwd())
    severities = {result.texts.real(d.place.path): d.severity.name.lower() for d in result.diagnostics}
    said = {os.path.relpath(path, tree): severity for path, severity in severities.items()}
    assert said == dict(zip(("tools/a.py", "examples/kiosk/a.py"), expected, strict=True))


def test_the_report_names_the_pattern(write_tree: WriteTree) -> None:
    tree = write_tree({"lwslint.toml": '[python]\ndevelopment-paths = ["lab/"]\n', "lab/a.py": WEAK})
    [message] = messages(tree)
    assert message.endswith('; development-paths of the configuration has "lab/"')


@pytest.mark.parametrize(
    ("word", "expected"), [("insecure", "note"), ("no-verify", "note"), ("fast", "error")]
)
def test_a_choice_that_is_called_so_is_a_switch(write_tree: WriteTree, word: str, expected: str) -> None:
    body = WEAK.splitlines()[1]
    code = f"import websocket\ndef run(self, u):\n    if self._ssl == '{word}':\n        {body}\n"
    assert found(write_tree({"a.py": code})) == [f"a.py:4 LWS401 {expected}"]


@pytest.mark.parametrize("name", ["lab_mode", "--lab-mode", "LAB_MODE"])
@pytest.mark.parametrize("test", ["self.lab_mode", "options['lab-mode']", "os.environ.get('LAB_MODE')"])
def test_the_user_names_switches(write_tree: WriteTree, name: str, test: str) -> None:
    code = (
        f"import os, websocket\ndef run(self, options, u):\n    if {test}:\n        {WEAK.splitlines()[1]}\n"
    )
    tree = write_tree({"lwslint.toml": "", "a.py": code})
    assert found(tree) == ["a.py:4 LWS401 error"]
    (tree / "lwslint.toml").write_text(f'[python]\nopt-in-names = ["{name}"]\n')
    assert found(tree) == ["a.py:4 LWS401 note"]


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ('production-paths = ["' + "*a" * 40 + '"]', "too many wildcards"),
        ('opt-in-names = ["a b"]', "is not the name of a variable or an option"),
        (
            'development-path = ["x"]',
            "unknown key 'python.development-path'; did you mean 'development-paths'",
        ),
    ],
)
def test_mistakes_in_the_python_table(write_tree: WriteTree, key: str, complaint: str) -> None:
    tree = write_tree({"lwslint.toml": f"[python]\n{key}\n"})
    with pytest.raises(config.ConfigError, match=re.escape(complaint)):
        config.settings(config.read(str(tree / "lwslint.toml")).options)


@pytest.mark.parametrize(
    ("default", "severity"),
    [("True", "note"), ("False", "warning"), (None, "note")],
)
def test_a_parameter_that_is_insecure_by_default(
    write_tree: WriteTree, default: str | None, severity: str
) -> None:
    given = "" if default is None else f"={default}"
    text = (
        f"import ssl\nimport websocket\n\n\ndef run(url, verify{given}):\n"
        "    reqs = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE\n"
        "    websocket.create_connection(url, sslopt={'cert_reqs': reqs})\n"
    )
    assert found(write_tree({"a.py": text})) == [f"a.py:6 LWS401 {severity}"]


# ------------------------------------------------------------------------------------- addresses, table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ws://a.example.com:80/x", ("ws", "a.example.com", 80, False)),
        ("WSS://[::1]:7/", ("wss", "[::1]", 7, True)),
        ("ws://user:pw@127.0.0.1/", ("ws", "127.0.0.1", None, True)),
        ("ws://{}:80/", ("ws", "", 80, False)),
        ("ws://%s/", ("ws", "", None, False)),
        ("wss://", ("wss", "", None, False)),
    ],
)
def test_addresses(text: str, expected: tuple[str, str, int | None, bool]) -> None:
    url = url_of(Text(Span(0, 0), text))
    assert url is not None
    assert (url.scheme, url.host, url.port, url.loopback) == expected


def test_a_host_that_goes_on_in_a_variable_is_not_known() -> None:
    span = Span(0, 0)
    url = url_of(Binary(span, "+", Text(span, "ws://radio"), Name(span, "domain")))
    assert url is not None
    assert url.host == ""


def test_every_row_of_the_table_says_where_it_is_from() -> None:
    table = python_libraries.load()
    rows = (*table.connect, *table.tls, *table.unverified, *table.context, *table.context_use, *table.entry)
    assert all(row.source for row in (*rows, *table.bound, *table.object, *table.server))
    assert {row.on for row in table.bound} <= {row.kind for row in table.object} | {
        r.kind for r in table.connect
    }


def test_a_c_client_may_speak_to_a_server_in_python(write_tree: WriteTree) -> None:
    client = (FOLDER / "unsupported-subprotocol" / "bad-unknown-literal-note-c" / "main.c").read_text()
    name = client.split('i.protocol = "')[1].split('"')[0]
    server = (
        f"import websockets\n\n\nasync def main(h):\n    await websockets.serve(h, subprotocols=['{name}'])\n"
    )
    assert [line.split()[1:] for line in found(write_tree({"main.c": client}))] == [["LWS201", "note"]]
    assert found(write_tree({"main.c": client, "server.py": server})) == []


# ------------------------------------------------------------------------------------- hostile programs

HEAD = (
    "import asyncio, ctypes, ssl, threading, websocket, websockets\n"
    "CB = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 4, ctypes.c_size_t)\n"
    "CB = ctypes.CFUNCTYPE(ctypes.c_int, a, b, c, d, e)\n"
)
HOSTILE = {
    "dict of itself": "d = {**d}\ne = {**f}\nf = {**e}\nwebsocket.create_connection(u, sslopt=d, **f)\n",
    "class of itself": "class A(A): pass\nclass B(C): pass\nclass C(B):\n"
    "  def m(self): self.x = self.x\nC().m()\n",
    "value of itself": "x = x\ny = z\nz = y\ndef f(a): return f(f(a))\nf(y).check_hostname = f(x)\n",
    "long chain": "".join(f"def f{i}(a): return f{i + 1}(a)\n" for i in range(800))
    + "f0(q).verify_mode = 0\n",
    "calls of calls": "".join(
        f"def g{i}():\n  " + "; ".join(f"g{(i * 3 + k) % 60}()" for k in range(20)) + "\n" for i in range(60)
    )
    + "@CB\ndef cb(a, b, c, d, e):\n  g0(); g1()\n  return 0\n",
    "many loops": "".join(
        f"def f{i}():\n  asyncio.run(g())\n  f{(i + 1) % 120}()\n"
        f"class C{i}:\n"
        "  def __init__(self):\n"
        "    self.loop = asyncio.new_event_loop()\n"
        "    threading.Thread(target=self.loop.run_forever).start()\n"
        f"    threading.Thread(target=f{i}).start()\n"
        f"  def say(self):\n    self.loop.create_task(g())\n    C{(i + 3) % 120}().say()\n"
        for i in range(120)
    )
    + "async def g(): await asyncio.Queue().get()\n",
    "many starts": "threading.Thread(target=w0).start()\n" * 1000
    + "".join(f"def w{i}():\n  w{(i + 1) % 50}(); self.loop.call_soon(1)\n" for i in range(50)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_programs_cost_little(write_tree: WriteTree, kind: str) -> None:
    tree = write_tree({"a.py": HEAD + HOSTILE[kind]})
    before = time.process_time()
    result = lint(tree)
    assert not result.problems
    assert len(result.parsed) == 1
    assert time.process_time() - before < 10
