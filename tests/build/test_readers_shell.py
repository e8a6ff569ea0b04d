"""Shell scripts: the builds they start, the variables they follow, the releases they fetch."""

from __future__ import annotations

from pathlib import Path

import pytest

from lwslint.build import readers
from lwslint.build.readers import limits
from tests.build.telling import pointed, tell

CMAKE = {
    "options of every spelling": (
        "cmake -S . -B build -DLWS_WITH_SSL=ON -DLWS_IPV6:BOOL=OFF -D LWS_UNIX_SOCK=1 -UX \\\n"
        '  "-DCMAKE_BUILD_TYPE=Debug" .. && make\n',
        [
            "cache LWS_WITH_SSL=ON @1 [cmake on line 1]",
            "cache LWS_IPV6=OFF @1 [cmake on line 1]",
            "cache LWS_UNIX_SOCK=1 @1 [cmake on line 1]",
            "cache CMAKE_BUILD_TYPE=Debug @2 [cmake on line 1]",
        ],
    ),
    "flags of the compiler inside": (
        """cmake -DCMAKE_C_FLAGS="-O2 -DDEV_TLS" .\n""",
        [
            "cache CMAKE_C_FLAGS=-O2 -DDEV_TLS @1 [cmake on line 1]",
            "macro DEV_TLS=1 @1 [cmake on line 1]",
        ],
    ),
    "a build, an install, a script: nothing is configured": (
        "cmake --build build -DX=1\ncmake --install build\ncmake -DX=1 -P x.cmake\n",
        [],
    ),
    "comments and texts": (
        "# cmake -DLWS_X=1\necho cmake -DLWS_X=1\ncat <<EOF\ncmake -DLWS_X=1\nEOF\n",
        [],
    ),
    "two builds are two configurations": (
        "cmake -DA=1 .\ncmake -DA=2 .\n",
        ["cache A=1 @1 [cmake on line 1]", "cache A=2 @2 [cmake on line 2]"],
    ),
    "behind sudo, env, ccache, a folder": (
        "sudo -E env X=1 /usr/bin/cmake -DA=1 .\n",
        ["cache A=1 @1 [cmake on line 1]"],
    ),
    "a script for another shell": (
        "sh -c 'cd b && cmake -DA=1 .'\n",
        ["cache A=1 @1 [cmake on line 1]"],
    ),
}

VARIABLES = {
    "a list of options": (
        'OPTS="-DA=1 -DB=2"\ncmake $OPTS ..\n',
        ["cache A=1 @1 [cmake on line 2]", "cache B=2 @1 [cmake on line 2]"],
    ),
    "an array": (
        'OPTS=(-DA=1)\nOPTS+=("-DB=2")\ncmake "${OPTS[@]}" ..\n',
        ["cache A=1 @1 [cmake on line 3]", "cache B=2 @2 [cmake on line 3]"],
    ),
    "inside of a word": (
        "TYPE=Debug\ncmake -DCMAKE_BUILD_TYPE=$TYPE ..\n",
        ["cache CMAKE_BUILD_TYPE=Debug @2 [cmake on line 2]"],
    ),
    "a default": (
        "cmake -DCMAKE_BUILD_TYPE=${TYPE:-Release} ..\n",
        ["cache CMAKE_BUILD_TYPE=Release @1 [cmake on line 1]"],
    ),
    "unknown ones stay": (
        "cmake -DCMAKE_BUILD_TYPE=$1 ..\n",
        ["cache CMAKE_BUILD_TYPE=$1 @1 [cmake on line 1]"],
    ),
    "single quotes hold no variables": (
        "X=1\ncmake '-DA=$X' ..\n",
        ["cache A=$X @2 [cmake on line 2]"],
    ),
    "the last value counts": ("X=1\nX=2\ncmake -DA=$X .\n", ["cache A=2 @3 [cmake on line 3]"]),
    "a loop's variable is not known": (
        "T=x\nfor T in Debug Release; do cmake -DA=$T .; done\n",
        ["cache A=$T @2 [cmake on line 2]"],
    ),
    "added under a condition": (
        'OPTS="-DA=1"\nif [ -n "$LOG" ]; then\n  OPTS="$OPTS -DB=2"\n'
        'else\n  OPTS="$OPTS -DC=3"\nfi\ncmake $OPTS ..\n',
        [
            "cache A=1 @1 [cmake on line 7]",
            'cache B=2 @3 if [ -n "$LOG" ] [cmake on line 7]',
            'cache C=3 @5 if not [ -n "$LOG" ] [cmake on line 7]',
        ],
    ),
    "a list made of another one that has a condition": (
        'if [ "$D" ]; then LOG=-DLOG=ON; fi\nOPTS="-DA=1 $LOG"\ncmake $OPTS .\n',
        [
            "cache A=1 @2 [cmake on line 3]",
            'cache LOG=ON @1 if [ "$D" ] [cmake on line 3]',
        ],
    ),
    "several in one word": (
        "A=1\nB=2\ncmake -DV=$A.$B.$C-${D:-x} .\n",
        ["cache V=1.2.$C-x @3 [cmake on line 3]"],
    ),
    "chosen by a case": (
        "case $1 in\n  debug) T=Debug ;;\n  *) T=Release ;;\nesac\ncmake -DCMAKE_BUILD_TYPE=$T .\n",
        [
            "cache CMAKE_BUILD_TYPE=Debug @5 if $1 is debug [cmake on line 5]",
            "cache CMAKE_BUILD_TYPE=Release @5 if $1 is * [cmake on line 5]",
        ],
    ),
    "a test in front": (
        '[ "$D" = 1 ] && cmake -DA=1 .\n[ "$D" = 1 ] || cmake -DB=1 .\n',
        [
            'cache A=1 @1 if [ "$D" = 1 ] [cmake on line 1]',
            'cache B=1 @2 if not [ "$D" = 1 ] [cmake on line 2]',
        ],
    ),
    "a command in front is no condition": (
        "mkdir b && cmake -DA=1 .\n",
        ["cache A=1 @1 [cmake on line 1]"],
    ),
    "elif": (
        "if a; then :\nelif b; then cmake -DA=1 .\nfi\n",
        ["cache A=1 @2 if not a and b [cmake on line 2]"],
    ),
}

OTHERS = {
    "a compiler": (
        "gcc -DDEV_TLS -Iinc -o client client.c util.c -lwebsockets  # lws\n",
        [
            "macro DEV_TLS=1 for client @1",
            "program client: scripts/client.c scripts/util.c with websockets @1",
        ],
    ),
    "a compiler that does not link": (
        "arm-linux-gnueabihf-gcc-12 -c -DX ../src/lws.c\n",
        ["macro X=1 for src/lws.c @1"],
    ),
    "variables for make and configure": (
        "# lws\nCFLAGS=-DA ./configure\nmake CFLAGS='-DB -g' DEBUG=1\nexport CXXFLAGS=\"-DC -DD\"\n",
        [
            "cache CFLAGS=-DB -g @3 [make on line 3]",
            "cache DEBUG=1 @3 [make on line 3]",
            "macro A=1 @2",
            "macro B=1 @3 [make on line 3]",
            "macro C=1 @4",
            "macro D=1 @4",
        ],
    ),
    "meson": (
        "meson setup build -Dtls=false --buildtype=debug\n",
        [
            "cache tls=false @1 [meson on line 1]",
            "cache buildtype=debug @1 [meson on line 1]",
        ],
    ),
    "a clone of a release": (
        "git clone --depth 1 -b v4.3.2 https://libwebsockets.org/repo/libwebsockets\n",
        ["lws == 4.3.2 (tag) @1"],
    ),
    "a stable branch": (
        "git clone --branch=v4.3-stable https://github.com/warmcat/libwebsockets.git\n",
        ["lws >= 4.3 (tag) @1"],
    ),
    "a release that is checked out": (
        "git clone https://github.com/warmcat/libwebsockets\ncd libwebsockets\ngit checkout v4.2.1\n"
        "git checkout v1.0.0\n",
        ["lws == 4.2.1 (tag) @3"],
    ),
    "main, or another project": (
        "git clone -b main https://github.com/warmcat/libwebsockets\n"
        "git clone -b v4.3.2 https://github.com/madler/zlib\ngit checkout v4.3.2\n",
        [],
    ),
    "an archive": (
        "wget https://github.com/warmcat/libwebsockets/archive/refs/tags/v4.1.6.tar.gz\n"
        "curl -LO https://example.com/src/libwebsockets-4.0.20.zip\n"
        "wget https://example.com/zlib/archive/v1.2.3.tar.gz\n",
        ["lws == 4.1.6 (tag) @1", "lws == 4.0.20 (tag) @2"],
    ),
    "packages": (
        "apt-get install -y cmake libwebsockets-dev=4.0.20-2ubuntu1 libwebsockets16\n"
        "apk add 'libwebsockets-dev>=4.2' libwebsockets~=4.3\n"
        "dnf install libwebsockets-devel-4.3.2\napt-get remove libwebsockets-dev=3.0.0\n",
        [
            "lws == 4.0.20 (package) @1",
            "lws >= 4.2 (package) @2",
            "lws >= 4.3 (package) @2",
            "lws == 4.3.2 (package) @3",
        ],
    ),
    "conan": (
        "conan install --requires=libwebsockets/4.3.2 -o 'libwebsockets/*:with_ssl=False'"
        " -s build_type=Debug .\n",
        [
            "package libwebsockets:with_ssl=False @1 [conan on line 1]",
            "cache build_type=Debug @1 [conan on line 1]",
            "lws == 4.3.2 (conan) @1",
        ],
    ),
    "lwsws": ("lwsws -d 65535 -c /etc/lwsws\n", ["configuration lwsws=-d 65535 -c /etc/lwsws @1"]),
    "build arguments": (
        "docker build --build-arg LWS_LOG=ON -t x .\n",
        ["environment LWS_LOG=ON @1 [docker on line 1]"],
    ),
    "Debian's helper": (
        "dh_auto_configure -- -DLWS_IPV6=ON\ndh_auto_configure -DNO=1\n",
        ["cache LWS_IPV6=ON @1 [dh_auto_configure on line 1]"],
    ),
    "nothing to do with libwebsockets": ("gcc -DX main.c -o main\nmake CFLAGS=-DY\n", []),
}


@pytest.mark.parametrize("case", CMAKE)
def test_cmake(case: str) -> None:
    text, expected = CMAKE[case]
    assert tell("scripts/build.sh", text) == expected


@pytest.mark.parametrize("case", VARIABLES)
def test_variables(case: str) -> None:
    text, expected = VARIABLES[case]
    assert tell("scripts/build.sh", text) == expected


@pytest.mark.parametrize("case", OTHERS)
def test_other_commands(case: str) -> None:
    text, expected = OTHERS[case]
    assert tell("scripts/build.sh", text) == expected


def test_a_recipe_that_is_a_script() -> None:
    text = "pkgname=libwebsockets\npkgver=4.3.3\nbuild() {\n  cmake -DLWS_IPV6=ON .\n}\n"
    expected = ["cache LWS_IPV6=ON @4 [cmake on line 4]", "lws == 4.3.3 (package) @2"]
    assert tell("aports/APKBUILD", text) == expected
    assert tell("PKGBUILD", text) == expected
    assert tell("PKGBUILD", text.replace("libwebsockets", "ttyd")) == expected[:1]


def test_places() -> None:
    text = 'é=\'x\'\ncmake -D A=1 "-DB=é $é" . # lws\nbash -c "cmake -DC=1"\n'
    assert pointed("b.sh", text) == ["-D A=1", '"-DB=é $é"', "-DC=1"]


BAD = {
    "nested ifs": ("if cmake; then\n" * 10_000, None),
    "nested parentheses": ("cmake " + "(" * 10_000, None),
    "nested substitutions": ("cmake " + "$(cmake " * 10_000, None),
    "open quotes": ("cmake \"'" * 10_000, None),
    "heredocs without end": ("cmake <<A\n" * 5_000, None),
    "a variable that doubles": (
        "A0='-DX=1'\n" + "".join(f'A{i + 1}="$A{i} $A{i}"\n' for i in range(60)) + "cmake $A60\n",
        "words",
    ),
    "one long command": ("cmake " + "-DX=1 " * 100_000, "more than 20000"),
    "five megabytes": ("cmake\n" * 900_000, "larger than"),
    "not text": ("cmake\0", "NUL bytes"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    text, problem = BAD[case]
    file = readers.read("b.sh", text.encode())
    assert file.kind == "shell"
    if problem is not None:
        assert problem in file.problem
        assert bool(file.problem) == bool(problem)
    assert "its reader failed" not in file.problem


def test_a_text_that_takes_long_to_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SECONDS", 0.1)
    script = b"cmake -DA=1 .\n"
    assert "takes more than 0.1 seconds" in readers.read("b.sh", script + b"x=(" * 3_000).problem
    assert readers.read("b.sh", script).settings, "the parser works again"
    many = "".join(f"a{i}:\n\tcmake {'x=(' * 600}\n" for i in range(50))
    assert "takes more than 0.1 seconds" in readers.read("Makefile", many.encode()).problem


def test_a_shell_in_a_shell_in_a_shell() -> None:
    text = "cmake -DA=1 .\n"
    for _ in range(10):
        text = "bash -c '" + text.replace("'", "'\\''") + "'"
    assert readers.read("b.sh", text.encode()).problem == ""


def test_the_example_of_the_documentation() -> None:
    page = Path(__file__).parents[2] / "docs" / "build-files.md"
    script = "".join(line[4:] + "\n" for line in page.read_text().split("\n") if line.startswith("    "))
    assert tell("build.sh", script) == [
        "cache CMAKE_BUILD_TYPE=Release @1 [cmake on line 5]",
        'cache LWS_TLS_LOG_PLAINTEXT_RX=ON @3 if [ -n "$TRACE" ] [cmake on line 5]',
    ]
