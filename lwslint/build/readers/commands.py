"""What one command of a script, recipe, image or CI job says about the build.

The shell that the command stands in is somebody else's: here it is a list of words.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence

from lwslint.build.readers import versions
from lwslint.build.readers.records import Records, Snippet
from lwslint.build.readers.words import Word, add_flags, holds_flags, library_flags, macro_flags, over, split
from lwslint.facts import Span

# Programs that run the rest of their words as a command.
_WRAPPERS = frozenset(
    {
        "sudo", "env", "time", "exec", "nice", "command", "nohup", "ccache", "sccache", "distcc", "emcmake",
        "emconfigure", "emmake", "builtin", "eval", "scan-build", "bear", "then", "do", "else", "!", "@",
    }
)  # fmt: skip
_WRAPPER_OPTIONS_WITH_VALUE = {"sudo": ("-u", "-g"), "nice": ("-n",), "env": ("-u", "-C")}

_COMPILER = re.compile(
    r"(?:[\w.]+-)*(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|tcc|emcc|em\+\+)(?:-\d[\d.]*)?(?:\.exe)?\Z"
    r"|\$[({]?(?:(?:HOST|TARGET|BUILD|CROSS)_?)?(?:CC|CXX|GCC|GXX|CPP|LINK|LD|CCLD|CXXLD)[)}]?\Z"
    r"|\$[({]\w+[)}](?:gcc|g\+\+|cc|clang)\Z",
    re.ASCII,
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)\Z", re.ASCII | re.DOTALL)
_CACHE_ENTRY = re.compile(r"([A-Za-z_][\w.-]*)(?::([A-Za-z]+))?=(.*)\Z", re.ASCII | re.DOTALL)
_CMAKE_FLAGS = re.compile(r"CMAKE_(?:C|CXX)_FLAGS(?:_[A-Z]+)?\Z", re.ASCII)
_PACKAGE = re.compile(
    r"(?:lib)?websockets[\w.+]*(?:-[A-Za-z_]\w*)*"
    r"(?:(=|~=|>=|>|@|~)(.+)|-(\d[\w.:+~-]*))\Z",
    re.ASCII,
)
_SOURCE = re.compile(r"\.(?:c|cc|cpp|cxx|c\+\+|C)\Z")
_INSTALLERS = frozenset(
    {"apt-get", "apt", "aptitude", "apk", "dnf", "yum", "microdnf", "zypper", "pacman", "brew", "opkg", "pkg"}
)  # fmt: skip


def read(records: Records, words: Sequence[Word]) -> None:
    """Add what one simple command says to ``records``; a program that is not known says nothing.

    ``words`` are the command's words with variables already replaced where their text is known.
    """
    words, environment = _unwrap(words)
    for name, value in environment:
        if holds_flags(name):
            _flags_inside(records, value.text, value.span)
    if not words:
        return
    program = program_name(words[0].text)
    _archives(records, words)
    reader = _READERS.get(program)
    if reader is None and _COMPILER.match(words[0].text if words[0].text.startswith("$") else program):
        reader = _compiler
    if reader is None and program in _INSTALLERS:
        reader = _packages
    if reader is not None:
        reader(records, words)


def is_source(name: str) -> bool:
    """Whether a word of a command or a rule is the name of a C or C++ source file."""
    return bool(_SOURCE.search(name)) and "$" not in name and not name.startswith("-")


def program_name(text: str) -> str:
    """The name of the program that a command's first word calls, without its folder."""
    if text.startswith("$"):  # $(CMAKE), ${HOST_MAKE}
        match = re.fullmatch(r"\$[({]?(\w+)[)}]?", text, re.ASCII)
        name = match[1].lower() if match else text
        return name.removeprefix("host_")
    return posixpath.basename(text).removesuffix(".exe")


def cmake_arguments(records: Records, words: Sequence[Word], scope: str = "cache") -> None:
    """The ``-D`` among the arguments of ``cmake`` as settings, and the macros in ``CMAKE_C_FLAGS``."""
    pending: Span | None = None
    for word in words:
        text, span = word.text, word.span
        if pending is not None:
            span, pending = over(pending, span), None
        elif text == "-D":
            pending = span
            continue
        elif text.startswith("-D"):
            text = text[2:]
        else:
            continue
        match = _CACHE_ENTRY.match(text)
        if match is None:
            continue
        records.setting(match[1], match[3], span, scope)
        if _CMAKE_FLAGS.match(match[1]):
            _flags_inside(records, match[3], span)


def _flags_inside(records: Records, text: str, span: Span) -> None:
    """The macros in a word that is a list of flags itself; all have the word's place."""
    data = text.encode("utf-8", "replace")
    inner = split(Snippet(data, [span.start] * (len(data) + 1)))
    for flag in macro_flags(inner):
        records.define(flag.name, flag.value, span)


def variable(records: Records, name: str, words: Sequence[Word]) -> None:
    """A variable that is set for the commands behind it: the macros, when it holds a compiler's flags."""
    if holds_flags(name):
        add_flags(records, words)


def _unwrap(words: Sequence[Word]) -> tuple[Sequence[Word], list[tuple[str, Word]]]:
    """The command behind ``sudo``, ``env X=1``, ``ccache``, and the variables that are set for it."""
    environment: list[tuple[str, Word]] = []
    index = 0
    wrapper = ""
    while index < len(words):
        text = words[index].text
        if match := _ASSIGNMENT.match(text):
            environment.append((match[1], Word(match[2], words[index].span)))
        elif wrapper and text.startswith("-"):
            if text in _WRAPPER_OPTIONS_WITH_VALUE.get(wrapper, ()):
                index += 1
        else:
            name = program_name(text.lstrip("@-+") if text[:1] in "@-+" else text)
            if name not in _WRAPPERS:
                break
            wrapper = name
        index += 1
    rest = list(words[index:])
    # A make recipe writes "@gcc" and "-gcc".
    if rest and rest[0].text[:1] in ("@", "-", "+") and len(rest[0].text) > 1:
        rest[0] = Word(rest[0].text.lstrip("@-+"), rest[0].span)
    return rest, environment


# ------------------------------------------------------------------------------- one reader a program


def _named(records: Records, program: str, words: Sequence[Word]) -> str:
    return f"{program} on line {records.line(words[0].span.start)}"


def _cmake(records: Records, words: Sequence[Word]) -> None:
    arguments = words[1:]
    if any(word.text in ("--build", "--install", "-E", "-P", "--open") for word in arguments):
        return
    with records.configured(_named(records, "cmake", words)):
        cmake_arguments(records, arguments)


def _debhelper(records: Records, words: Sequence[Word]) -> None:
    """``dh_auto_configure -- -DLWS_IPV6=ON`` of Debian's rules."""
    texts = [word.text for word in words]
    if "--" in texts:
        with records.configured(_named(records, "dh_auto_configure", words)):
            cmake_arguments(records, words[texts.index("--") :])


def _compiler(records: Records, words: Sequence[Word]) -> None:
    arguments = words[1:]
    plain = [word.text for word in arguments]
    output, span = "", words[0].span
    sources: list[str] = []
    skip = False
    for index, word in enumerate(arguments):
        if skip:
            skip = False
            continue
        if word.text == "-o":
            if index + 1 < len(arguments):
                output, span = arguments[index + 1]
            skip = True
        elif word.text in ("-I", "-L", "-include", "-isystem", "-D", "-U", "-x", "-framework", "-MF", "-MT"):
            skip = True
        elif source := word.text if is_source(word.text) else records.source_of(word.text):
            if path := records.here(source):
                sources.append(path)
    sources = [source for source in sources if "%" not in source]  # a pattern rule's
    compiles_only = any(text in ("-c", "-S", "-E", "-M", "-MM") for text in plain)
    name = posixpath.basename(output) or "a.out"
    target = ""
    if sources and compiles_only:
        target = sources[0] if len(sources) == 1 else ""
    elif sources and "$" not in output:
        target = name
        kind = "library" if "-shared" in plain else "program"
        records.target(name, kind, sources, span, library_flags(arguments))
    add_flags(records, arguments, target)


def _archiver(records: Records, words: Sequence[Word]) -> None:
    """``ar rcs libx.a a.o b.o``."""
    library = next((word for word in words[1:] if word.text.endswith((".a", ".lib"))), None)
    if library is None or "$" in library.text:
        return
    sources = [path for word in words if (path := records.here(records.source_of(word.text)))]
    if sources:
        name = posixpath.basename(library.text).removeprefix("lib").rpartition(".")[0]
        records.target(name, "library", sources, library.span)


def _make(records: Records, words: Sequence[Word]) -> None:
    with records.configured(_named(records, program_name(words[0].text), words)):
        for word in words[1:]:
            match = _ASSIGNMENT.match(word.text)
            if match is None:
                continue
            records.setting(match[1], match[2], word.span, "cache")
            if holds_flags(match[1]):
                _flags_inside(records, match[2], word.span)


def _meson(records: Records, words: Sequence[Word]) -> None:
    if len(words) > 1 and words[1].text not in ("setup", "configure") and not words[1].text.startswith("-"):
        if any(word.text in ("compile", "test", "install", "dist") for word in words[1:2]):
            return
    with records.configured(_named(records, "meson", words)):
        pending = ""
        for word in words[1:]:
            if pending:
                records.setting(pending, word.text, word.span, "cache")
                pending = ""
            elif word.text in ("--buildtype", "--default-library", "-D"):
                pending = word.text[2:]
            elif match := re.match(
                r"(?:-D|--(?=buildtype))([\w:.-]+)=(.*)\Z", word.text, re.ASCII | re.DOTALL
            ):
                records.setting(match[1], match[2], word.span, "cache")
                if match[1] in ("c_args", "cpp_args"):
                    _flags_inside(records, match[2], word.span)


def _git(records: Records, words: Sequence[Word]) -> None:
    texts = [word.text for word in words]
    if "clone" not in texts or not any(versions.names_library(text) for text in texts):
        return
    for index, word in enumerate(words):
        tag = ""
        if word.text in ("-b", "--branch") and index + 1 < len(words):
            tag, span = words[index + 1].text, over(word.span, words[index + 1].span)
        elif word.text.startswith("--branch="):
            tag, span = word.text.removeprefix("--branch="), word.span
        if tag and (version := versions.of_tag(tag)):
            records.requirement(version, "tag", span, exact=versions.is_release(version))


def checked_out(words: Sequence[Word]) -> tuple[str, Span] | None:
    """The release that ``git checkout v4.3.2`` (or ``switch``, ``reset --hard``) names, if it is one."""
    words, _ = _unwrap(words)
    texts = [word.text for word in words]
    if not texts or program_name(texts[0]) != "git":
        return None
    if not any(text in ("checkout", "switch", "reset") for text in texts):
        return None
    for word in reversed(words[1:]):
        if version := versions.of_tag(word.text):
            return version, word.span
    return None


def clones_library(words: Sequence[Word]) -> bool:
    """Whether a command is ``git clone …/libwebsockets`` without a branch of its own."""
    words, _ = _unwrap(words)
    texts = [word.text for word in words]
    return (
        "clone" in texts
        and program_name(texts[0]) == "git"
        and any(versions.names_library(text) for text in texts)
        and not any(text == "-b" or text.startswith("--branch") for text in texts)
    )


def _archives(records: Records, words: Sequence[Word]) -> None:
    """Downloads of a release: ``wget …/libwebsockets/archive/v4.3.2.tar.gz``, Docker's ``ADD``."""
    for word in words:
        if "://" in word.text and (version := versions.of_archive(word.text)):
            records.requirement(version, "tag", word.span, exact=versions.is_release(version))


def _packages(records: Records, words: Sequence[Word]) -> None:
    if not any(word.text in ("install", "add", "-S", "in", "-Sy", "-Syu") for word in words[1:]):
        return
    for word in words[1:]:
        match = _PACKAGE.match(word.text)
        if match is None:
            continue
        version = versions.of_package(match[2] or match[3])
        if version:
            records.requirement(version, "package", word.span, exact=match[1] in (None, "=", "@"))


def conan_reference(records: Records, text: str, span: Span) -> None:
    """``libwebsockets/4.3.2``, ``libwebsockets/[>=4.2 <5]@user/channel`` as a requirement."""
    name, _, version = text.partition("/")
    if name.strip() != "libwebsockets" or not version:
        return
    version = version.split("@")[0].split("#")[0].strip()
    if version.startswith("["):
        version, exact = versions.bound(version.strip("[]"))
    else:
        version, exact = versions.of_tag(version), True
    if version:
        records.requirement(version, "conan", span, exact=exact)


def conan_option(records: Records, key: str, value: str, span: Span) -> None:
    """``libwebsockets:with_ssl=openssl``, ``libwebsockets/*:with_ssl=openssl`` as a setting."""
    package, colon, option = key.partition(":")
    if colon and package.split("/")[0] == "libwebsockets":
        records.setting(f"libwebsockets:{option.strip()}", value.strip(), span, "package")


def _conan(records: Records, words: Sequence[Word]) -> None:
    with records.configured(_named(records, "conan", words)):
        option = ""
        for word in words[1:]:
            text = word.text
            if text in ("-o", "-s", "--requires", "--options", "--settings", "-o:h", "-s:h"):
                option = text
                continue
            if text.startswith(("--requires=", "--options=", "--settings=")):
                option, _, text = text.partition("=")
            key, equals, value = text.partition("=")
            if option in ("--requires",) or not option:
                conan_reference(records, text, word.span)
            elif equals and option.startswith(("-o", "--options")):
                conan_option(records, key, value, word.span)
            elif equals and key == "build_type":
                records.setting(key, value, word.span, "cache")
            option = ""


def _docker(records: Records, words: Sequence[Word]) -> None:
    with records.configured(_named(records, program_name(words[0].text), words)):
        pending = False
        for word in words[1:]:
            text = word.text.removeprefix("--build-arg=") if not pending else word.text
            if (pending or text != word.text) and (match := _ASSIGNMENT.match(text)):
                records.setting(match[1], match[2], word.span, "environment")
            pending = word.text == "--build-arg"


def program_arguments(records: Records, words: Sequence[Word]) -> None:
    """What a program is started with: the key is the program's name, the value its arguments."""
    words, _ = _unwrap(words)
    if words:
        span = over(words[0].span, words[-1].span) if len(words) > 1 else words[0].span
        name = program_name(words[0].text)
        records.setting(name, " ".join(word.text for word in words[1:]), span, "configuration")


_READERS: dict[str, Callable[[Records, Sequence[Word]], None]] = {
    "ar": _archiver,
    "cmake": _cmake,
    "cmake3": _cmake,
    "dh_auto_configure": _debhelper,
    "ccmake": _cmake,
    "idf.py": _cmake,
    "make": _make,
    "gmake": _make,
    "mingw32-make": _make,
    "configure": _make,
    "autogen.sh": _make,
    "bootstrap": _make,
    "meson": _meson,
    "git": _git,
    "conan": _conan,
    "docker": _docker,
    "buildah": _docker,
    "podman": _docker,
    "lwsws": program_arguments,
}
