"""Dockerfiles: what their stages build and start."""

from __future__ import annotations

import pytest

from lwslint.build import readers
from tests.build.telling import pointed, tell

CASES = {
    "a build": (
        "FROM debian:12\nRUN cmake -DLWS_TLS_LOG_PLAINTEXT_RX=ON -DCMAKE_BUILD_TYPE=Release . && make\n",
        [
            "cache LWS_TLS_LOG_PLAINTEXT_RX=ON @2 [cmake on line 2]",
            "cache CMAKE_BUILD_TYPE=Release @2 [cmake on line 2]",
        ],
    ),
    "continued lines, with comments and empty ones between": (
        "FROM debian\nrun cmake \\\n  # -DNO=1\n  -DA=1 \\\n\n  -DB=2 .\nRUN cmake -DC=3 .\n",
        [
            "cache A=1 @4 [cmake on line 2]",
            "cache B=2 @6 [cmake on line 2]",
            "cache C=3 @7 [cmake on line 7]",
        ],
    ),
    "CRLF": (
        "FROM debian\r\nRUN cmake \\\r\n -DA=1 .\r\n",
        ["cache A=1 @3 [cmake on line 2]"],
    ),
    "another escape mark": (
        "# escape=`\nFROM x\nRUN cmake `\n -DA=1 .\n",
        ["cache A=1 @4 [cmake on line 3]"],
    ),
    "arguments and their defaults": (
        "ARG TAG=v4.3.2\nFROM debian\nARG TAG\nARG TYPE=Debug\n"
        "RUN git clone -b ${TAG} https://libwebsockets.org/repo/libwebsockets\n"
        "RUN cmake -DCMAKE_BUILD_TYPE=$TYPE .\n",
        [
            "option TAG=v4.3.2 @1",
            "option TYPE=Debug @4",
            "cache CMAKE_BUILD_TYPE=Debug @6 [cmake on line 6]",
            "lws == 4.3.2 (tag) @5",
        ],
    ),
    "an argument from before FROM that the stage does not take": (
        "ARG TYPE=Debug\nFROM debian\nRUN cmake -DCMAKE_BUILD_TYPE=$TYPE .\n",
        ["option TYPE=Debug @1", "cache CMAKE_BUILD_TYPE=$TYPE @3 [cmake on line 3]"],
    ),
    "variables": (
        'FROM debian\nENV CFLAGS="-O2 -DDEV_TLS" LWS=1\nENV OPTS -DA=1 -DB=2\nRUN cmake $OPTS .\n',
        [
            "environment CFLAGS=-O2 -DDEV_TLS @2",
            "environment LWS=1 @2",
            "environment OPTS=-DA=1 -DB=2 @3",
            "cache A=1 @3 [cmake on line 4]",
            "cache B=2 @3 [cmake on line 4]",
            "macro DEV_TLS=1 @2",
        ],
    ),
    "variables of the base stage": (
        "FROM debian AS base\nENV T=Debug\nFROM base\nRUN cmake -DX=$T .\n",
        ["environment T=Debug @2", "cache X=Debug @4 [cmake on line 4]"],
    ),
    "stages that only --target builds": (
        "FROM debian AS build\nRUN cmake -DA=1 .\nFROM build AS debug\nRUN cmake -DB=1 .\n"
        "FROM alpine AS tool\nRUN cmake -DC=1 .\n"
        "FROM debian\nCOPY --from=build /a /a\nRUN --mount=type=bind,from=tool,target=/t cmake -DD=1 .\n",
        [
            "cache A=1 @2 [cmake on line 2]",
            "cache B=1 @4 if docker build --target debug [cmake on line 4]",
            "cache C=1 @6 [cmake on line 6]",
            "cache D=1 @9 [cmake on line 9]",
        ],
    ),
    "a heredoc": (
        "FROM debian\nRUN <<EOF\ncmake -DA=1 .\nEOF\n"
        "COPY <<EOF /x\nRUN cmake -DNO=1 .\nEOF\nRUN cmake -DB=1 .\n",
        ["cache A=1 @3 [cmake on line 3]", "cache B=1 @8 [cmake on line 8]"],
    ),
    "the exec form": (
        'FROM debian\nRUN ["cmake", "-DA=1", "."]\n',
        ["cache A=1 @2 [cmake on line 2]"],
    ),
    "an archive": (
        "FROM debian\nADD https://github.com/warmcat/libwebsockets/archive/v4.2.0.tar.gz /src/\n",
        ["lws == 4.2.0 (tag) @2"],
    ),
    "what it starts": (
        'FROM debian\nENTRYPOINT ["/app/client", "--insecure"]\nCMD lwsws -D\n',
        ["configuration client=--insecure @2", "configuration lwsws=-D @3"],
    ),
    "a package": (
        "FROM debian\nRUN apt-get update && apt-get install -y libwebsockets-dev=4.1.6-3\n",
        ["lws == 4.1.6 (package) @2"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_dockerfiles(case: str) -> None:
    text, expected = CASES[case]
    assert tell("docker/Dockerfile", text) == expected


def test_names() -> None:
    for name in ("Dockerfile", "Dockerfile.dev", "lws.dockerfile", "Containerfile"):
        assert tell(name, "FROM x\nENV LWS=1\n") == ["environment LWS=1 @2"]


def test_places() -> None:
    text = (
        'FROM é\nARG T=Debug\nRUN cmake \\\n # é\n "-DA=é" -DT=$T . && git clone -b v4.3.2 x/libwebsockets\n'
        'CMD ["/app/x", "-k"]\n'
    )
    assert pointed("Dockerfile", text) == [
        "T=Debug",
        '"-DA=é"',
        "-DT=$T",
        '"/app/x", "-k"',
        "-b v4.3.2",
    ]


BAD = {
    "one word": ("RUN", ""),
    "continued without end": ("FROM x\n" + "RUN cmake \\\n" * 50_000, "a command of more than"),
    "comments without end": ("FROM x\nRUN cmake \\\n" + "# x\n" * 100_000, ""),
    "nested parentheses": ("FROM x\nRUN cmake " + "(" * 10_000, None),
    "stages that use each other": (
        "".join(f"FROM s{i + 1} AS s{i}\nCOPY --from=s{i + 1} a b\n" for i in range(3_000)),
        "",
    ),
    "a heredoc without end": ("FROM x\nRUN <<EOF\ncmake -DA=1 .\n", ""),
    "five megabytes": ("RUN x\n" * 900_000, "larger than"),
    "not text": ("FROM \0", "NUL bytes"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    text, problem = BAD[case]
    file = readers.read("Dockerfile", text.encode())
    assert "its reader failed" not in file.problem
    if problem is not None:
        assert problem in file.problem
        assert bool(file.problem) == bool(problem)
