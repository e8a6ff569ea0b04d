"""CI files of GitHub, GitLab, Travis and Azure, and the YAML below them."""

from __future__ import annotations

import pytest

from lwslint.build import readers
from lwslint.build.readers import yaml_tree
from lwslint.build.readers.limits import Budget
from tests.build.telling import pointed, tell

GITHUB = {
    "a script": (
        "jobs:\n  b:\n    steps:\n      - run: |\n          mkdir b\n          cmake -DLWS_WITH_SSL=ON \\\n"
        "            -DCMAKE_BUILD_TYPE=Debug ..\n",
        [
            "cache LWS_WITH_SSL=ON @6 [cmake on line 6]",
            "cache CMAKE_BUILD_TYPE=Debug @7 [cmake on line 6]",
        ],
    ),
    "scripts of every style": (
        "jobs:\n b:\n  steps:\n  - run: cmake -DA=1 .\n  - run: 'cmake -DB=''x'' .'\n"
        '  - run: "cmake -DC=\\"a b\\" \\\n      -DD=1 ."\n  - run: >-\n      cmake\n      -DE=1 .\n'
        "  - run: cmake\n      -DF=1 .\n",
        [
            "cache A=1 @4 [cmake on line 4]",
            "cache B=x @5 [cmake on line 5]",
            "cache C=a b @6 [cmake on line 6]",
            "cache D=1 @7 [cmake on line 6]",
            "cache E=1 @10 [cmake on line 9]",
            "cache F=1 @12 [cmake on line 11]",
        ],
    ),
    "variables": (
        "env:\n  TYPE: Release\njobs:\n  b:\n    env: {OPTS: -DA=1 -DB=2}\n    steps:\n"
        "    - run: cmake $OPTS -DX=${{env.TYPE}} -DY=$T -DZ=$TYPE .\n      env:\n        T: Debug\n",
        [
            "environment TYPE=Release @2",
            "environment OPTS=-DA=1 -DB=2 @5",
            "environment T=Debug @9",
            "cache A=1 @5 [cmake on line 7]",
            "cache B=2 @5 [cmake on line 7]",
            "cache X=Release @7 [cmake on line 7]",
            "cache Y=Debug @7 [cmake on line 7]",
            "cache Z=Release @7 [cmake on line 7]",
        ],
    ),
    "flags": (
        "env:\n  CFLAGS: -O2 -DDEV_TLS # lws\n",
        ["environment CFLAGS=-O2 -DDEV_TLS @2", "macro DEV_TLS=1 @2"],
    ),
    "a matrix": (
        "jobs:\n  b:\n    strategy:\n      matrix:\n        type: [Debug, Release]\n    steps:\n"
        "    - run: cmake -DCMAKE_BUILD_TYPE=${{ matrix.type }} .\n    - run: cmake -DA=1 .\n",
        [
            "cache CMAKE_BUILD_TYPE=Debug @7 [cmake on line 7 with type Debug]",
            "cache CMAKE_BUILD_TYPE=Release @7 [cmake on line 7 with type Release]",
            "cache A=1 @8 [cmake on line 8]",
        ],
    ),
    "a matrix of includes, and one of mappings": (
        "jobs:\n  b:\n    strategy:\n      matrix:\n        include:\n        - {o: -DA=1}\n        c:\n"
        "        - {t: Debug}\n    steps:\n    - run: cmake ${{matrix.o}} -DT=${{ matrix.c.t }} .\n",
        ["cache A=1 @10 [cmake on line 10]", "cache T=Debug @10 [cmake on line 10]"],
    ),
    "an expression that nobody knows": (
        "jobs:\n  b:\n    steps:\n    - run: cmake -DK=${{ secrets.KEY }} -DA=1 .\n",
        ["cache K=${secrets_KEY} @4 [cmake on line 4]", "cache A=1 @4 [cmake on line 4]"],
    ),
    "conditions": (
        "jobs:\n  b:\n    if: github.ref == 'x'\n    steps:\n    - if: ${{ matrix.debug }}\n"
        "      run: cmake -DA=1 .\n",
        ["cache A=1 @6 if github.ref == 'x' and matrix.debug [cmake on line 6]"],
    ),
    "an action's inputs": (
        "jobs:\n  b:\n    steps:\n    - uses: lukka/run-cmake@v10\n      with:\n"
        "        configurePresetAdditionalArgs: '-DLWS_TLS_LOG_PLAINTEXT_TX=ON -DA=1'\n        x: -DEV\n",
        [
            "cache LWS_TLS_LOG_PLAINTEXT_TX=ON @6 [cmake options on line 6]",
            "cache A=1 @6 [cmake options on line 6]",
        ],
    ),
    "another language than the shell": (
        "jobs:\n  b:\n    steps:\n    - run: cmake -DA=1 .\n      shell: python\n",
        [],
    ),
}


@pytest.mark.parametrize("case", GITHUB)
def test_github(case: str) -> None:
    text, expected = GITHUB[case]
    assert tell(".github/workflows/build.yml", text) == expected


OTHERS = {
    "GitLab": (
        ".gitlab-ci.yml",
        "variables:\n  T: {value: Debug}\nbefore_script:\n  - apt-get install libwebsockets-dev=4.0.20-2\n"
        "build:\n  variables: {O: -DA=1}\n  script:\n    - cmake $O -DT=$T .\n    - [cmake -DB=1 .]\n"
        "stages: [build]\n",
        [
            "environment T=Debug @2",
            "environment O=-DA=1 @6",
            "cache A=1 @6 [cmake on line 8]",
            "cache T=Debug @8 [cmake on line 8]",
            "cache B=1 @9 [cmake on line 9]",
            "lws == 4.0.20 (package) @4",
        ],
    ),
    "Travis": (
        ".travis.yml",
        "env:\n  global:\n    - A=1 B='x y'\n  jobs:\n    - OPTS=-DC=1\nscript: cmake -DA=$A .\n"
        "matrix:\n  include:\n    - env: T=Debug\n      script: cmake -DT=$T .\n",
        [
            "environment A=1 @3",
            "environment B=x y @3",
            "environment OPTS=-DC=1 @5",
            "cache A=1 @6 [cmake on line 6]",
            "environment T=Debug @9",
            "cache T=Debug @10 [cmake on line 10]",
        ],
    ),
    "Azure": (
        "azure-pipelines.yml",
        "variables:\n- name: T\n  value: Debug\nstages:\n- jobs:\n  - steps:\n    - script: cmake -DA=$T .\n"
        "    - task: CMake@1\n      inputs:\n        cmakeArgs: -DB=1 ..\nsteps:\n- bash: cmake -DC=1 .\n",
        [
            "environment T=Debug @3",
            "cache C=1 @12 [cmake on line 12]",
            "cache A=Debug @7 [cmake on line 7]",
            "cache B=1 @10 [cmake options on line 10]",
        ],
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_services(case: str) -> None:
    path, text, expected = OTHERS[case]
    assert tell(path, text) == expected


def test_names() -> None:
    assert readers.format_of(".github/workflows/a.yaml")
    assert readers.format_of("sub/.github/workflows/a.yml")
    assert readers.format_of("workflows/a.yml") is None


def test_places() -> None:
    text = (
        "é: ü\njobs:\n b:\n  steps:\n  - run: |\n     é\n     cmake -DA=é \\\n       -DB=1 .\n"
        "  - run: \"cmake -DC=\\\"é x\\\" .\"\n  - run: 'cmake -DD=''y'' .'\n"
    )
    assert pointed(".github/workflows/a.yml", text) == [
        "-DA=é",
        "-DB=1",
        '-DC=\\"é x\\"',
        "-DD=''y''",
    ]


SCALARS = {
    "a: plain text # x": "plain text",
    "a: 'it''s'": "it's",
    'a: "x\\ty\\u00e9\\"z\\""': 'x\tyé"z"',
    "a: |\n  one\n    two\n": "one\n  two\n",
    "a: |-\n  one\n\n  two": "one\n\ntwo",
    "a: >\n  one\n  two\n": "one two ",
    "a: one\n  two": "one   two",
    "a:": "",
}


@pytest.mark.parametrize("text", SCALARS)
def test_scalars(text: str) -> None:
    root, broken = yaml_tree.parse(text.encode(), Budget())
    assert not broken
    assert root.get("a").text.rstrip("\n") == SCALARS[text].rstrip("\n")


BAD = {
    "nested blocks": ("".join(" " * i + "a:\n" for i in range(1_200)), "nested"),
    "nested lists": ("- " * 10_000, "nested"),
    "nested brackets": ("a: " + "[" * 10_000 + "]" * 10_000, "nested"),
    "brackets that never close": ("a: " + "[{a: " * 10_000, "nested"),
    "aliases of aliases": ("".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(100)), ""),
    "a matrix of thousands": (
        "jobs:\n b:\n  strategy:\n   matrix:\n"
        + "".join(f"    k{i}: [1, 2, 3]\n" for i in range(30))
        + "  steps:\n  - run: cmake "
        + "".join(f"-DK{i}=${{{{ matrix.k{i} }}}} " for i in range(30))
        + "\n",
        "",
    ),
    "expressions that never close": ("jobs:\n b:\n  steps:\n  - run: " + "${{" * 50_000 + "\n", None),
    "five megabytes": ("a: b\n" * 1_000_000, "larger than"),
    "not text": ("a: \0", "NUL bytes"),
    "nothing": ("", ""),
    "a list": ("- a\n- b\n", ""),
    "everything is of another kind": (
        "jobs: [a]\nenv: x\non: 1\n",
        "",
    ),
    "steps that are no lists": ("jobs: {b: {steps: {run: x}, strategy: y, env: [z]}}\n", ""),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize(
    "path", [".github/workflows/a.yml", ".gitlab-ci.yml", ".travis.yml", "azure-pipelines.yml"]
)
def test_bad_input(path: str, case: str) -> None:
    text, problem = BAD[case]
    file = readers.read(path, text.encode())
    assert "its reader failed" not in file.problem
    if problem is not None:
        assert problem in file.problem
        assert bool(file.problem) == bool(problem)


def test_a_matrix_of_thousands_is_cut_off() -> None:
    file = readers.read(".github/workflows/a.yml", BAD["a matrix of thousands"][0].encode())
    assert len({setting.configuration for setting in file.settings}) == 16
