"""Which build options of libwebsockets the build files of a tree choose, and for which builds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import msgspec

from lwslint.build.facts import BuildFile, Define, Setting, When
from lwslint.build.macros import RELEASE, Chooser, World, is_template
from lwslint.build.trees import Trees
from lwslint.facts import Place
from lwslint.model.project import Project

_CMAKE = "cmake"
_TRUE = frozenset(("1", "on", "yes", "true", "y"))
_FALSE = frozenset(("0", "off", "no", "false", "n", "ignore", "notfound", ""))
_OPEN = re.compile(r"\$[({]|\$<|\$\w|@\w+@|%\w+%|\{\{")
# Words of a condition, of a configuration's name or of a path that tell that nobody ships the build.
_DEVELOPMENT = re.compile(
    r"(?i)(?<![a-z])(?:debug\w*|dbg|devel\w*|dev|test\w*|asan|tsan|ubsan|msan|sanitiz\w*|valgrind|coverage|gcov"
    r"|fuzz\w*|trac(?:e|ing)|diag\w*|bench\w*|examples?|samples?)(?![a-z])"
)
# As many options as this are declared by the library itself only.
_OPTIONS_OF_THE_LIBRARY = 40


class Choice(msgspec.Struct, frozen=True):
    """An option of libwebsockets that a build file gives a value.

    ``development`` says that the build is for development or for tests, ``only`` under which condition the
    value holds that nothing decides ("" where it always does).  ``kind`` is that of the file, ``macro``
    tells a ``-D`` of the compiler.
    """

    key: str
    value: str
    place: Place
    kind: str
    development: bool = False
    only: str = ""
    macro: bool = False

    @property
    def on(self) -> bool:
        text = self.value.strip().strip("\"'").lower()
        return text in _TRUE or (text.isdigit() and int(text[:18]) != 0) or (self.macro and not text)

    @property
    def off(self) -> bool:
        return not self.macro and self.value.strip().strip("\"'").lower() in _FALSE


def choices(project: Project, keys: Collection[str]) -> Iterator[Choice]:
    """What the build files say about the options ``keys``, by file and in its order.

    The library's own build files declare options; that is nobody's choice.
    """
    files = project.build_files
    if not any(s.key in keys for f in files for s in f.settings) and not any(
        d.name in keys for f in files for d in f.defines
    ):
        return
    conditions = _Conditions(files)
    for file in files:
        # A header that is filled in repeats what was chosen elsewhere.
        if _is_the_library(file) or is_template(file.path):
            continue
        for setting in file.settings:
            if setting.key in keys and setting.scope != "computed" and not _OPEN.search(setting.value):
                yield _choice(conditions, file, setting, setting.key, setting.value)
        for define in file.defines:
            if define.name in keys and define.value is not None:
                yield _choice(conditions, file, define, define.name, define.value)


def _choice(
    conditions: _Conditions, file: BuildFile, record: Setting | Define, key: str, value: str
) -> Choice:
    verdict, only = conditions.hold(file, record.when)
    development = (
        verdict is False
        or _build_type(file, record.configuration) == "debug"
        or _DEVELOPMENT.search(record.configuration) is not None
        or _DEVELOPMENT.search(file.path) is not None
    )
    macro = isinstance(record, Define)
    return Choice(key, value, record.place, file.kind, development, only, macro)


class _Conditions:
    """Whether what a build file says under conditions holds in a production build that chooses nothing."""

    def __init__(self, files: tuple[BuildFile, ...]) -> None:
        self._trees = Trees(files)
        self._choosers: dict[str, Chooser] = {}

    def hold(self, file: BuildFile, when: tuple[When, ...]) -> tuple[bool | None, str]:
        """The verdict; where nothing decides (None), the conditions in words."""
        if not when:
            return True, ""
        words = " and ".join(w.text if w.wanted else f"not ({w.text})" for w in when)
        if file.kind == _CMAKE:
            verdict = self._chooser(file.path).holds(when, World(RELEASE))
            return verdict, words if verdict is None else ""
        if any(w.wanted and _DEVELOPMENT.search(w.text.replace("_", " ")) for w in when):
            return False, ""
        return None, words

    def _chooser(self, path: str) -> Chooser:
        if path not in self._choosers:
            chain = reversed(self._trees.chain(path))
            lists = next((name for name in chain if name.lower().endswith("cmakelists.txt")), path)
            self._choosers[path] = Chooser(self._trees.scope(lists))
        return self._choosers[path]


def _build_type(file: BuildFile, configuration: str) -> str:
    """The build type that one configuration of a file chooses, in lower case; "" for none."""
    found = [
        setting.value.lower()
        for setting in file.settings
        if setting.key in ("CMAKE_BUILD_TYPE", "buildtype") and setting.configuration == configuration
        if setting.scope == "cache" or file.kind != _CMAKE
    ]
    return found[-1] if found else ""


def _is_the_library(file: BuildFile) -> bool:
    declared = {s.key for s in file.settings if s.scope == "option" and s.key.startswith("LWS_")}
    return len(declared) >= _OPTIONS_OF_THE_LIBRARY
