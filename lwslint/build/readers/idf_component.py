"""``idf_component.yml`` of ESP-IDF's component manager: the libwebsockets component that a project needs."""

from __future__ import annotations

from lwslint.build.facts import BuildFile
from lwslint.build.readers import versions, yaml_tree
from lwslint.build.readers.records import Records


def read(path: str, data: bytes) -> BuildFile:
    """``dependencies: espressif/libwebsockets: "^4.3.3"`` as a requirement.

    The component's version is the library's, with a suffix of its own (components.espressif.com).
    """
    return Records(path, "idf-component", data).read(_read)


def _read(records: Records) -> None:
    root, broken = yaml_tree.parse(records.data, records.budget)
    records.problem = yaml_tree.BROKEN if broken else ""
    for name, value in root.get("dependencies").pairs:
        if name.rpartition("/")[2] == "libwebsockets":
            entry = value.get("version") if value.pairs else value
            version, exact = versions.bound(entry.text)
            if version:
                records.requirement(version, "component", entry.span, exact=exact)
