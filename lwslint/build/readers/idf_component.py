"""``idf_component.yml`` of ESP-IDF's component manager: the libwebsockets component that a project needs."""

from __future__ import annotations

from lwslint.build.facts import BuildFile
from lwslint.build.readers import versions, yaml_tree
from lwslint.build.readers.limits import TooMuch, excess
from lwslint.build.readers.records import Records


def read(path: str, data: bytes) -> BuildFile:
    """``dependencies: espressif/libwebsockets: "^4.3.3"`` as a requirement.

    The component's version is the library's, with a suffix of its own (components.espressif.com).
    """
    records = Records(path, "idf-component", data)
    records.problem = excess(data)
    if records.problem:
        return records.done()
    try:
        root, broken = yaml_tree.parse(data, records.budget)
        records.problem = yaml_tree.BROKEN if broken else ""
        for name, value in root.get("dependencies").pairs:
            if name.rpartition("/")[2] == "libwebsockets":
                entry = value.get("version") if value.pairs else value
                version, exact = versions.bound(entry.text)
                if version:
                    records.requirement(version, "component", entry.span, exact=exact)
    except TooMuch as error:
        records.problem = str(error)
    return records.done()
