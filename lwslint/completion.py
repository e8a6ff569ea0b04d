"""Completion for the shells that people use, made from the options themselves.

A script names every option with what may follow it, so that pressing Tab starts no Python.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lwslint.reporters import FORMATS

_FILES = ("FILE", "PATH", "FOLDER", "SHARD")
_RULES = ("RULES", "NAME|CODE")
_COMMANDS = {
    "rule": "explain a rule",
    "rules": "list all rules",
    "init": "write a commented lwslint.toml from what the tree says",
    "baseline": "write the findings to a file that --baseline then hides",
    "new-rule": "write the files of a new rule",
    "completion": "print the completion for a shell",
    "clean": "remove what runs have kept in the cache",
    "facts": "write what files say to a shard",
    "link": "lint what shards hold",
}


class _Option(NamedTuple):
    """``values``: the words that may follow, None where the option takes none.  ``files``: a path may."""

    names: tuple[str, ...]
    help: str
    values: tuple[str, ...] | None
    files: bool


def script(
    shell: str,
    main: argparse.ArgumentParser,
    commands: Mapping[str, argparse.ArgumentParser],
    rules: Sequence[str],
) -> Iterator[str]:
    """The lines of the script for ``shell``.  ``commands`` are those with options of their own, ``rules``
    the words that name rules."""
    options = {"": _options(main, rules), **{name: _options(p, rules) for name, p in commands.items()}}
    return SHELLS[shell](options, tuple(rules))


def _options(parser: argparse.ArgumentParser, rules: Sequence[str]) -> list[_Option]:
    found = []
    for action in parser._actions:
        if not action.option_strings:
            continue
        metavar = str(action.metavar or "").partition("[")[0]
        values = tuple(map(str, action.choices)) if action.choices else ()
        values = tuple(rules) if metavar in _RULES else values
        values = tuple(FORMATS) if metavar == "FORMAT" else values
        takes = None if action.nargs == 0 else values
        text = (action.help or "").split("\n")[0]
        found.append(_Option(tuple(action.option_strings), text, takes, metavar in _FILES))
    return found


def _bash(options: Mapping[str, Sequence[_Option]], rules: Sequence[str]) -> Iterator[str]:
    yield "# Completion of lwslint for bash:  source <(lwslint completion bash)"
    yield "_lwslint() {"
    yield '    local word="${COMP_WORDS[COMP_CWORD]}" last="${COMP_WORDS[COMP_CWORD-1]}" words="" files=""'
    yield '    case "${COMP_WORDS[1]}:$last" in'
    yield f"        rule:*) words='{' '.join(rules)}' ;;"
    yield f"        completion:*) words='{' '.join(SHELLS)}' ;;"
    for command, some in options.items():
        for option in some:
            if option.values is not None:
                labels = "|".join(f"{command or '*'}:{name}" for name in option.names)
                yield f"        {labels}) words='{' '.join(option.values)}' files={'1' * option.files} ;;"
    for command, some in sorted(options.items(), reverse=True):
        flags = " ".join(name for option in some for name in option.names)
        yield f"        {command}{':' * bool(command)}*) words='{flags}' files=1 ;;"
    yield "    esac"
    yield f'    [ "$COMP_CWORD" = 1 ] && words="$words {" ".join(_COMMANDS)}"'
    yield '    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"'
    yield '        [ -z "$files" ] || compgen -f -- "$word")'
    yield "}"
    yield "complete -o filenames -F _lwslint lwslint"


def _zsh(options: Mapping[str, Sequence[_Option]], rules: Sequence[str]) -> Iterator[str]:
    yield "#compdef lwslint"
    yield "# Completion of lwslint for zsh:  lwslint completion zsh > ~/.zfunc/_lwslint"
    yield "_lwslint() {"
    yield "    case ${words[2]} in"
    yield f"        rule) _values 'rule' {' '.join(rules)}; return ;;"
    yield f"        completion) _values 'shell' {' '.join(SHELLS)}; return ;;"
    for command, some in options.items():
        if command:
            yield f"        {command}) words=(lwslint ${{words[3,-1]}}); (( CURRENT -= 1 ))"
            yield "            _arguments -S \\"
            yield from (f"                {line} \\" for line in _zsh_options(some))
            yield "                '*:path:_files'; return ;;"
    yield "    esac"
    yield "    if (( CURRENT == 2 )); then"
    described = " ".join(f"'{name}:{_zsh_text(text)}'" for name, text in _COMMANDS.items())
    yield f"        local -a commands=({described})"
    yield "        _describe command commands"
    yield "    fi"
    yield "    _arguments -S \\"
    main = options[""]
    yield from (f"        {line} \\" for line in _zsh_options(main))
    yield "        '*:path:_files'"
    yield "}"
    yield 'if [ "$funcstack[1]" = _lwslint ]; then _lwslint "$@"; else compdef _lwslint lwslint; fi'


def _zsh_options(options: Sequence[_Option]) -> Iterator[str]:
    for option in options:
        for name in option.names:
            after = ""
            if option.values is not None:
                choice = f"({' '.join(option.values)})" if option.values else ""
                after = f":value:{choice or ('_files' if option.files else ' ')}"
            yield f"'*{name}[{_zsh_text(option.help)}]{after}'"


def _zsh_text(text: str) -> str:
    for character in "[]:":
        text = text.replace(character, f"\\{character}")
    return text.replace("'", "'\\''")


def _fish(options: Mapping[str, Sequence[_Option]], rules: Sequence[str]) -> Iterator[str]:
    yield "# Completion of lwslint for fish:  lwslint completion fish | source"
    for name, text in _COMMANDS.items():
        yield f"complete -c lwslint -n __fish_is_first_token -a {name} -d {_fish_text(text)}"
    yield f"complete -c lwslint -n '__fish_seen_subcommand_from rule' -f -a '{' '.join(rules)}'"
    yield f"complete -c lwslint -n '__fish_seen_subcommand_from completion' -f -a '{' '.join(SHELLS)}'"
    others = " ".join(_COMMANDS)
    for command, some in options.items():
        where = f"'{'' if command else 'not '}__fish_seen_subcommand_from {command or others}'"
        for option in some:
            names = " ".join(_fish_name(name) for name in option.names)
            after = ""
            if option.values is not None:
                after = " -r" if option.files else f" -x -a '{' '.join(option.values)}'"
            yield f"complete -c lwslint -n {where} {names}{after} -d {_fish_text(option.help)}"


def _fish_name(name: str) -> str:
    return f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"


def _fish_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


_Writer = Callable[[Mapping[str, Sequence[_Option]], Sequence[str]], Iterator[str]]
SHELLS: dict[str, _Writer] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
