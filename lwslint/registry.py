"""Finds the rules: every pack named in the entry-point group ``lwslint.rules``.

A pack is an import package with one sub-package per family and one module per rule.  Packs come from
the installed environment only; nothing is ever imported from the linted tree.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import ModuleType

from lwslint.rule import LoadedRule, Rule

GROUP = "lwslint.rules"
FIRST_PARTY = "lwslint_rules"

_CODE = re.compile(r"[A-Z]{2,8}[0-9]{3,5}")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class RegistryError(Exception):
    """A rule pack is broken; the text names the module and what is wrong with it."""


class SelectorError(Exception):
    """A selector that matches no rule; the text names the nearest one."""


def packs() -> tuple[str, ...]:
    """The import names of the installed rule packs, sorted; the first-party one is always there
    (a checkout that is on the import path without being installed has no entry points)."""
    # Imported late: it takes longer than all the rest of this module.
    from importlib.metadata import entry_points

    return tuple(sorted({FIRST_PARTY, *(point.value for point in entry_points(group=GROUP))}))


def load(names: Sequence[str] | None = None) -> tuple[LoadedRule, ...]:
    """All rules of the packs ``names`` (default: the installed ones), sorted by code.

    Raises :class:`RegistryError` for a pack that cannot be imported, a module that is not a
    well-formed rule, and for a code or a name that two rules claim.
    """
    found: list[tuple[str, LoadedRule]] = []
    for name in packs() if names is None else names:
        found += _load_pack(name)
    _check_unique(found)
    return tuple(sorted((loaded for _, loaded in found), key=lambda loaded: loaded.rule.code))


def folders(rules: Iterable[LoadedRule]) -> list[str]:
    """The folders of lwslint's own code and of the packs that ``rules`` come from."""
    names = {"lwslint", *(loaded.check.__module__.partition(".")[0] for loaded in rules)}
    packages = (sys.modules[name] for name in sorted(names) if name in sys.modules)
    return [os.path.abspath(place) for package in packages for place in getattr(package, "__path__", ())]


def _load_pack(name: str) -> Iterator[tuple[str, LoadedRule]]:
    pack = _import(name)
    for family in _children(pack):
        if not family.ispkg:
            continue
        package = _import(f"{name}.{family.name}")
        for module in _children(package):
            path = f"{name}.{family.name}.{module.name}"
            yield path, _load_rule(path, family.name, module.name)


def _children(package: ModuleType) -> list[pkgutil.ModuleInfo]:
    """The modules and sub-packages, by name; a leading underscore marks helpers."""
    modules = pkgutil.iter_modules(package.__path__)
    return sorted((m for m in modules if not m.name.startswith("_")), key=lambda m: m.name)


def _import(path: str) -> ModuleType:
    try:
        return importlib.import_module(path)
    except Exception as error:  # a pack is somebody else's code: anything can happen on import
        raise RegistryError(f"rule pack: cannot import {path}: {type(error).__name__}: {error}") from error


def _load_rule(path: str, family: str, module_name: str) -> LoadedRule:
    module = _import(path)
    rule, check = getattr(module, "rule", None), getattr(module, "check", None)
    complaint = _complaint(rule, check, module.__doc__, family, module_name)
    if complaint or not isinstance(rule, Rule) or check is None:
        raise RegistryError(f"rule module {path}: {complaint}")
    return LoadedRule(rule=rule, documentation=inspect.cleandoc(module.__doc__ or ""), check=check)


def _complaint(rule: object, check: object, doc: str | None, family: str, module_name: str) -> str:
    """What is wrong with a rule module; empty when nothing is."""
    if not isinstance(rule, Rule):
        return "has no `rule: Rule` (a helper module's name begins with an underscore)"
    if not callable(check) or not _takes_one(check):
        return "has no function `check(project)`"
    if not (doc or "").strip():
        return "has no docstring, which is the rule's documentation"
    if not _CODE.fullmatch(rule.code):
        return f"code {rule.code!r} is not capital letters followed by digits"
    if not _NAME.fullmatch(rule.name):
        return f"name {rule.name!r} is not lower-case words joined by hyphens"
    if rule.family != family:
        return f"family {rule.family!r} does not match its folder {family!r}"
    if rule.name.replace("-", "_") != module_name:
        return f"name {rule.name!r} does not match its file {module_name}.py"
    return ""


def _takes_one(check: Callable[..., object]) -> bool:
    try:
        inspect.signature(check).bind(object())
    except (TypeError, ValueError):
        return False
    return True


def _check_unique(found: Iterable[tuple[str, LoadedRule]]) -> None:
    owners: dict[str, str] = {}
    for path, loaded in found:
        for label in (loaded.rule.code, loaded.rule.name):
            other = owners.setdefault(label, path)
            if other != path:
                raise RegistryError(f"rule modules {other} and {path} both claim {label}")


# ------------------------------------------------------------------------------------- selecting


def matches(rule: Rule, selector: str) -> bool:
    """Whether a code, the beginning of a code (``LWS4``), a name or a family stands for ``rule``."""
    upper = selector.upper()
    is_prefix = upper.isalnum() and rule.code.startswith(upper)
    return is_prefix or selector.lower() in (rule.name, rule.family)


def select(
    rules: Sequence[LoadedRule], chosen: Sequence[str], left_out: Sequence[str] = ()
) -> tuple[LoadedRule, ...]:
    """The rules that ``chosen`` names (all when empty) without those that ``left_out`` names.

    Raises :class:`SelectorError` for a selector that stands for no rule.
    """
    for selector in (*chosen, *left_out):
        if not any(matches(loaded.rule, selector) for loaded in rules):
            raise SelectorError(f"no rule, family or code is called {selector!r}{_hint(rules, selector)}")
    return tuple(
        loaded
        for loaded in rules
        if (not chosen or any(matches(loaded.rule, selector) for selector in chosen))
        and not any(matches(loaded.rule, selector) for selector in left_out)
    )


def find(rules: Sequence[LoadedRule], label: str) -> LoadedRule:
    """The one rule with this code or name, or :class:`SelectorError`."""
    for loaded in rules:
        if label.upper() == loaded.rule.code or label.lower() == loaded.rule.name:
            return loaded
    raise SelectorError(f"no rule is called {label!r}{_hint(rules, label, families=False)}")


def _hint(rules: Sequence[LoadedRule], label: str, *, families: bool = True) -> str:
    labels = [name for loaded in rules for name in (loaded.rule.code, loaded.rule.name)]
    if families:
        labels += sorted({loaded.rule.family for loaded in rules})
    return nearest(label, labels)


def nearest(word: str, known: Sequence[str]) -> str:
    """``; did you mean 'x'?`` for the known word that looks most like ``word``, else nothing."""
    by_folded = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word[:100].lower(), by_folded, n=1, cutoff=0.55)
    return f"; did you mean {by_folded[close[0]]!r}?" if close else ""
