"""What the linted tree controls must not forge a finding, a terminal sequence, a command or markup."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lwslint.reporters import logs
from lwslint.source import clean
from tests.reporters.results import ALL, EVIL, EVIL_WORD, TAME, document, hostile, report, tame

SHOWN = clean(EVIL.replace("/", "|"))


@pytest.mark.parametrize("name", ALL)
def test_no_line_holds_a_terminal_sequence_or_a_foreign_line_end(name: str, tmp_path: Path) -> None:
    text = "".join(report(name, hostile(tmp_path)))
    assert {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} == set()


@pytest.mark.parametrize("name", ALL)
def test_a_hostile_tree_adds_no_line(name: str, tmp_path: Path) -> None:
    if name == "full":  # its long lines are wrapped
        return
    assert len(report(name, hostile(tmp_path / "a"))) == len(report(name, tame(tmp_path / "b")))


@pytest.mark.parametrize("name", ALL)
def test_no_command_of_a_ci_system_is_forged(name: str, tmp_path: Path) -> None:
    """As actions/runner and azure-pipelines-agent search each printed line."""
    lines = report(name, hostile(tmp_path))
    github = [line for line in lines if line.lstrip().startswith("::") or "##[" in line]
    azure = [line for line in lines if "##vso[" in line]
    assert len(github) == (5 if name == "github" else 0)
    assert len(azure) == (5 if name == "azure" else 0)
    assert all(line.count("##vso[") == 1 and line.startswith("##vso[task.logissue ") for line in azure)


def unescape(text: str, **more: str) -> str:
    for escape, character in {"%0D": "\r", "%0A": "\n", **more}.items():
        text = text.replace(escape, character)
    return text


def test_github_reads_back_what_was_meant(tmp_path: Path) -> None:
    annotations = [_github(line) for line in report("github", hostile(tmp_path))]
    assert [command for command, _, _ in annotations] == ["error", "notice", "warning", "error", "error"]
    _, properties, message = annotations[0]
    assert properties["file"] == logs.inert(SHOWN)
    assert (properties["line"], properties["col"], properties["endColumn"]) == ("3", "2", "11")
    assert message.startswith("the program crashes: z\\x1b[2J\\n::error file=x.c::forged")
    assert message.split("\n")[2].startswith("1. ")


def _github(line: str) -> tuple[str, dict[str, str], str]:
    """ActionCommand.TryParseV2: the data begins after the second ``::``."""
    head, message = line[2:].split("::", 1)
    command, _, listed = head.partition(" ")
    properties = dict(item.split("=", 1) for item in listed.split(",")) if listed else {}
    decoded = {k: unescape(v, **{"%3A": ":", "%2C": ",", "%25": "%"}) for k, v in properties.items()}
    return command, decoded, unescape(message, **{"%25": "%"})


def test_azure_reads_back_what_was_meant(tmp_path: Path) -> None:
    for line in report("azure", hostile(tmp_path))[:3]:
        match = re.fullmatch(r"##vso\[task\.logissue ([^\]]*)\](.*)", line)
        assert match is not None
        properties = dict(item.split("=", 1) for item in match[1].split(";"))
        path = unescape(properties["sourcepath"], **{"%3B": ";", "%5D": "]", "%AZP25": "%"})
        assert path == logs.inert(SHOWN)
        assert set(properties) == {"type", "sourcepath", "linenumber", "columnnumber", "code"}


@pytest.mark.parametrize("name", ["json", "gitlab", "rdjson", "sarif"])
def test_json_documents_say_the_text_itself(name: str, tmp_path: Path) -> None:
    text = document(name, hostile(tmp_path))
    text.encode("utf-8")
    loaded = json.loads(text)
    if name != "sarif":  # there a path is a URI
        assert SHOWN in _strings(loaded)
    assert any(SHOWN[:40] in string for string in _strings(loaded))


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [string for item in items for string in _strings(item)]


@pytest.mark.parametrize("name", ["junit", "checkstyle"])
def test_xml_documents_say_the_text_itself(name: str, tmp_path: Path) -> None:
    root = ElementTree.fromstring(document(name, hostile(tmp_path / "a")).encode())
    twin = ElementTree.fromstring(document(name, tame(tmp_path / "b")).encode())
    assert [element.tag for element in root.iter()] == [element.tag for element in twin.iter()]
    names = {element.get("name") for element in root.iter()}
    assert SHOWN.replace("\ufffe", r"\ufffe") in names


class Page(HTMLParser):
    """The elements with the names of their attributes, and whatever could run or load something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.targets: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.targets += [value or "" for name, value in attrs if name in ("src", "href", "style", "action")]


# Where words are wrapped by a picture, or an address may be broken, there can be more of these.
FREE = {"text", "wbr"}


@pytest.mark.parametrize("words", [EVIL, EVIL_WORD])
def test_html_holds_the_elements_of_a_harmless_page(tmp_path: Path, words: str) -> None:
    results = hostile(tmp_path / "a", words), tame(tmp_path / "b", words)
    evil, twin = (Page(document("html", result)) for result in results)
    kept = [[element for element in page.elements if element[0] not in FREE] for page in (evil, twin)]
    assert kept[0] == kept[1]
    assert evil.targets == twin.targets
    assert all(re.match(r"#f\d|https://lwslint\.", target) for target in evil.targets)
    assert sum(tag == "script" for tag, _ in evil.elements) == 1


def test_the_policy_allows_the_pages_own_style_and_script_only(tmp_path: Path) -> None:
    policy = re.search('Content-Security-Policy" content="([^"]*)"', document("html", tame(tmp_path)))
    assert policy is not None
    assert re.sub("sha256-[A-Za-z0-9+/]{43}=", "HASH", policy[1]) == (
        "default-src 'none'; style-src 'HASH'; script-src 'HASH'; base-uri 'none'; form-action 'none'"
    )


def test_a_link_must_be_an_address_of_the_web(tmp_path: Path) -> None:
    import msgspec

    outcome = tame(tmp_path)
    bad = msgspec.structs.replace(outcome.diagnostics[0], url="javascript:alert(1)")
    page = Page(document("html", msgspec.structs.replace(outcome, diagnostics=(bad,))))
    assert [target for target in page.targets if not target.startswith("#")] == []


CHROMIUM = shutil.which("chromium")


def _dom(page: Path, folder: Path) -> str:
    """The page as it is after its scripts have run."""
    quiet = ("--no-first-run", "--disable-background-networking", "--disable-component-update")
    done = subprocess.run(
        [
            *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync", *quiet),
            *(f"--user-data-dir={folder / 'profile'}", "--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium")
def test_in_a_browser_the_filter_runs_and_nothing_else(tmp_path: Path) -> None:
    """The page's own script runs under its policy, and counts; the forged one does not set the title."""
    page = tmp_path / "report.html"
    page.write_text(document("html", hostile(tmp_path / "a")), encoding="utf-8")
    # A script that did get into the page would still be stopped by the policy.
    forged = tmp_path / "forged.html"
    script = "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"
    forged.write_text(page.read_text(encoding="utf-8").replace("<main>", f"<main>{script}"), encoding="utf-8")
    for path in (page, forged):
        shown = _dom(path, tmp_path)
        assert "<title>lwslint report</title>" in shown
        assert re.search(r'<form id="filters" autocomplete="off">', shown)  # the script unhid it


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium")
def test_in_a_browser_the_filter_hides_what_does_not_pass(tmp_path: Path) -> None:
    """Driven by a script of the test's own, for which the policy is taken out."""
    steps = """<script>
    const seen = [];
    const shown = () => [...document.querySelectorAll("article:not([hidden])")];
    const look = () => seen.push(shown().map((article) => article.id).join());
    const say = (event) => form.dispatchEvent(new Event(event));
    form.elements.rule.value = "LWS902"; say("input"); look();
    form.elements.rule.value = ""; form.querySelector("[value=note]").checked = false; say("input"); look();
    form.elements.path.value = "nowhere"; say("input"); look();
    seen.push(document.querySelector("section[data-path]").hidden, document.getElementById("nothing").hidden);
    document.title = JSON.stringify(seen);
    </script></body>"""
    page = tmp_path / "report.html"
    text = re.sub("<meta http-equiv[^>]*>", "", document("html", tame(tmp_path / "a")))
    page.write_text(text.replace("</body>", steps), encoding="utf-8")
    title = re.search("<title>(.*)</title>", _dom(page, tmp_path))
    assert title is not None
    assert json.loads(title[1]) == ["f2", "f1,f3", "", True, False]


def test_tame_text_is_left_alone(tmp_path: Path) -> None:
    assert logs.inert("a::b #1 ## two\nstd::x") == "a::b #1 ## two\nstd::x"
    assert TAME in document("concise", tame(tmp_path))


def test_inert_forms_keep_the_meaning() -> None:
    assert logs.inert("  ::add-mask::x\n##[e] ##vso[x]") == "  \\x3a:add-mask::x\n#\\x23[e] #\\x23vso[x]"
    assert json.loads(logs.inert_json('"##vso[x]"')) == "##vso[x]"
    assert ElementTree.fromstring(logs.inert_markup("<a>\n ::x ##[y]</a>")).text == "\n ::x ##[y]"
