"""vcpkg.json: the libwebsockets that a manifest or a port of one's own names.

JSON is YAML, and the nodes of :mod:`lwslint.build.readers.yaml_tree` have places.
"""

from __future__ import annotations

from lwslint.build.facts import BuildFile
from lwslint.build.readers import versions, yaml_tree
from lwslint.build.readers.records import Records
from lwslint.build.readers.yaml_tree import Yaml

_VERSIONS = ("version", "version-semver", "version-string")


def read(path: str, data: bytes) -> BuildFile:
    """``version>=`` of the dependency, ``overrides``, and the features that are asked for."""
    return Records(path, "vcpkg", data).read(_read)


def _read(records: Records) -> None:
    root, broken = yaml_tree.parse(records.data, records.budget)
    records.problem = "does not parse as JSON in full" if broken else ""
    _manifest(records, root)


def _manifest(records: Records, root: Yaml) -> None:
    if root.get("name").text == "libwebsockets":
        _exact(records, root)
    # An override wins over every bound (vcpkg reference, "vcpkg.json", overrides).
    overridden = [entry for entry in root.get("overrides").items if _is_library(entry)]
    for entry in overridden:
        _exact(records, entry)
    features = [value for _, value in root.get("features").pairs]
    for part in [root, *features]:
        for entry in part.get("dependencies").items:
            if _is_library(entry):
                _dependency(records, entry, bound=not overridden)


def _is_library(entry: Yaml) -> bool:
    return entry.get("name").text == "libwebsockets"


def _exact(records: Records, node: Yaml) -> None:
    for key in _VERSIONS:
        found = node.get(key)
        if version := versions.of_package(found.text):
            records.requirement(version, "vcpkg", found.span, exact=versions.is_release(version))


def _dependency(records: Records, entry: Yaml, *, bound: bool) -> None:
    lowest = entry.get("version>=")
    if bound and (version := versions.of_package(lowest.text)):
        records.requirement(version, "vcpkg", lowest.span, exact=False)
    defaults = entry.get("default-features")
    if defaults.text:
        records.setting("libwebsockets:default-features", defaults.text, defaults.span, "package")
    for feature in entry.get("features").items:
        name = feature if feature.snippet is not None else feature.get("name")
        if name.text:
            records.setting(f"libwebsockets:{name.text}", "ON", name.span, "package")
