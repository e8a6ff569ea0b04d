"""Makes the JSON files of this folder from an extracted API model and the corrections beside it.

Run once per libwebsockets release, or after ``threads.toml`` changed, never by the linter::

    python -m lwslint.knowledge.convert [api.json]

``api.json`` is the model extracted from the headers of all release tags (one object per function,
enumerator, macro and struct member, each with the first and last release that has it).  What a
person decided on top (thread classes, categories, today's names, what a flag gives away) stands in
``corrections.toml``.  Both files name their source for every fact.

``threads.toml`` is written by hand; ``threads.json`` is the same table in a form that loads several times
faster.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

Json = dict[str, Any]

HERE = Path(__file__).parent

# Extracted class -> ours, where the corrections say nothing.
CLASSES = {"any-thread": "any", "utility": "pure", "service-thread": "service", "setup": "setup"}

# Parameters that rules ask for, by declared type.  Double pointers receive a value and are no match.
ROLES = {
    "context": r"\bstruct (?:lws_context|libwebsocket_context) ?\*(?!\*)",
    "wsi": r"\bstruct (?:lws|libwebsocket) ?\*(?!\*)",
    "vhost": r"\bstruct lws_vhost ?\*(?!\*)",
    "stream": r"\bstruct (?:lws_ss_handle|lws_sspc_handle) ?\*(?!\*)",
    "info": r"\b(?:lws_client_connect_info|lws_context_creation_info|lws_ss_info_t|lws_ss_info) ?\*(?!\*)",
    "protocol": r"\bstruct (?:lws_protocols|libwebsocket_protocols) ?\*(?!\*)",
    "timer": r"\blws_sorted_usec_list_t ?\*(?!\*)",
    "callback": r"\(\*|_cb_t\b|\blws_cb_t\b",
}

# Constants that programs write; the rest of the headers' enumerators belong to parsers and drivers.
CONSTANTS = re.compile(
    r"(?:CONTEXT_PORT_|LLL_|LWS_WRITE_|LWS_CLOSE_STATUS_|PENDING_TIMEOUT_|HTTP_STATUS_|LWSMPRO_|LWSAUTHM_"
    r"|LWS_TO_|LWS_SET_TIMER|LWS_PRE$|LWS_SEND_BUFFER|LWS_POLL|LWS_TLS_CERT_|LWSSSSRET_|LWSSSCS_|LWS_SSRET"
    r"|LWS_TP_|LWS_RXFLOW_|LWS_EXT_|WSI_TOKEN_|LWS_ADOPT_|LWS_CAUDP_|LWS_SMD|LWSSMD|LWS_RETRY_|LWS_SYSTATE_"
    r"|LWS_ILLEGAL|LWS_CB_REASON|LWSAHH_|LWS_US_PER|LWS_USEC|LWS_MS_PER|LWS_NS_PER|LWSTXCR_|LWS_FEATURE_"
    r"|LWSSULLI_|LWS_SOCK_INVALID|LWS_ITOSA|LCCSCF_|LWS_SERVER_OPTION_)"
)


def release(tag: str | None) -> str | None:
    """``v4.1.0`` as ``4.1.0``."""
    return None if tag is None else tag.removeprefix("v")


def parameters(signature: str) -> list[str]:
    """The parameters of a C prototype, as declared; nothing for ``(void)``."""
    inside = signature[signature.index("(") + 1 : signature.rindex(")")]
    depth, start, found = 0, 0, []
    for position, character in enumerate(inside):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            found.append(inside[start:position].strip())
            start = position + 1
    found.append(inside[start:].strip())
    return [] if found in ([""], ["void"]) else found


def roles(declared: Sequence[str]) -> dict[str, int]:
    """Which parameter is the context, the wsi … : the first of each type."""
    return {
        role: index
        for role, pattern in ROLES.items()
        for index in [next((i for i, text in enumerate(declared) if re.search(pattern, text)), None)]
        if index is not None
    }


def chosen(name: str, groups: Mapping[str, Iterable[str]]) -> str | None:
    """The group that lists ``name``: written out first, else by the first pattern that matches."""
    for group, members in groups.items():
        if name in members:
            return group
    return next((g for g, members in groups.items() for m in members if fnmatchcase(name, m)), None)


def modern(name: str, known: Mapping[str, Any], renames: Mapping[str, str]) -> str | None:
    """Today's name of ``name``, or None when it is today's name or has no successor."""
    current = name
    for _ in range(5):
        prefix = next((p for p in ("libwebsockets_", "libwebsocket_") if current.startswith(p)), None)
        follow = renames.get(current)
        if follow is None and prefix:
            candidate = "lws_" + current.removeprefix(prefix)
            follow = candidate if candidate in known else None
        if follow is None:
            break
        current = follow
    return None if current == name else current


def trimmed(row: list[Any]) -> list[Any]:
    """``row`` without the empty fields at its end, which the loader fills in."""
    end = len(row)
    while row[end - 1] in (None, "", {}):
        end -= 1
    return row[:end]


def function_rows(model: Json, corrections: Json) -> Json:
    """Every function and function-like macro as one short row (see api._FunctionRow)."""
    known: Json = model["functions"]
    threads, categories, renames = corrections["thread"], corrections["category"], corrections["modern"]
    rows: Json = {}

    def extracted(heir: str, name: str) -> str:
        return CLASSES[known[heir if heir in known else name]["thread"]]

    for name, entry in known.items():
        successor = modern(name, known, renames)
        heir = successor if name.startswith("libwebsocket") and successor else name
        thread = chosen(name, threads) or chosen(heir, threads) or extracted(heir, name)
        declared = parameters(entry["signature"])
        rows[name] = trimmed(
            [
                release(entry["since"]),
                release(entry["removed"]),
                thread,
                chosen(name, categories) or chosen(heir, categories) or "",
                entry["cite"],
                "hand" if chosen(heir, threads) else entry["confidence"],
                len(declared),
                roles(declared),
                successor,
                corrections["deprecated"].get(name),
            ]
        )
    for name, entry in model["macros"].items():
        if entry["kind"] != "function-macro" or name in rows:
            continue
        thread = corrections["macro"].get(name) or chosen(name, threads) or "pure"
        rows[name] = trimmed(
            [
                release(entry["since"]),
                release(entry["removed"]),
                thread,
                chosen(name, categories) or "",
                entry["cite"],
                "hand" if chosen(name, threads) or name in corrections["macro"] else "pattern",
                -1,
                {},
                modern(name, known, renames),
                None,
            ]
        )
    return dict(sorted(rows.items()))


def constant_rows(model: Json, corrections: Json) -> Json:
    """Enumerators and object-like macros that programs write, callback reasons aside."""
    both = {**model["macros"], **model["enumerators"]}
    values = {name: entry.get("value") for name, entry in both.items()} | corrections["constants"]
    return {
        name: [values[name], release(entry["since"]), release(entry["removed"]), entry["cite"]]
        for name, entry in sorted(both.items())
        if isinstance(values[name], int) and CONSTANTS.match(name)
    }


def line_of(cite: str) -> int:
    return int(cite.rsplit(":", 1)[1].split("@")[0])


def member_rows(model: Json, corrections: Json) -> Json:
    """Struct members in declaration order; those that the newest release lacks come last."""
    structs: dict[str, list[tuple[str, Json]]] = {}
    for key, entry in model["members"].items():
        struct, field = key.split(".", 1)
        structs.setdefault(struct, []).append((field, entry))
    rows: Json = {
        struct: [
            [field, release(entry["since"]), release(entry["removed"]), entry["type"], entry["cite"]]
            for field, entry in sorted(
                fields, key=lambda pair: (pair[1]["removed"] is not None, line_of(pair[1]["cite"]))
            )
        ]
        for struct, fields in sorted(structs.items())
    }
    for struct, entry in corrections["structs"].items():
        rows[struct] = [[field, "", None, "", entry["cite"]] for field in entry["fields"]]
    return {"structs": rows, "types": corrections["types"]}


def reason_rows(model: Json, corrections: Json) -> Json:
    """Callback reasons with number and facts, and what the dummy handles in each release series."""
    facts: Json = model["callback_facts"]
    groups: dict[str, Iterable[str]] = {
        "protocols0": facts["protocols0_only"]["reasons"],
        "every-protocol": facts["every_protocol_of_every_vhost"],
        "client": facts["client_only"],
        "user-null": facts["user_always_null"],
        "user-may-be-null": facts["user_may_be_null"],
        "user-other": facts["user_is_not_pss"],
        "wsi-fake": facts["wsi_is_fake"],
        "nonzero-accepts": facts["nonzero_return_means_accept"],
        "zero-accepts": facts["zero_return_means_accept_security"],
        **{name.replace("_", "-"): members for name, members in corrections["reasons"].items()},
    }
    reasons = {
        name: [
            entry["value"],
            release(entry["since"]),
            release(entry["removed"]),
            entry["cite"],
            [group for group, members in groups.items() if name in members],
        ]
        for name, entry in sorted(model["enumerators"].items(), key=lambda item: item[1].get("value") or 0)
        if name.startswith("LWS_CALLBACK_") and isinstance(entry.get("value"), int)
    }
    dummy = [
        [
            release(tag),
            entry["file"],
            {name: [found["line"], found["guards"]] for name, found in sorted(entry["handles"].items())},
        ]
        for tag, entry in model["http_dummy"].items()
    ]
    return {"reasons": reasons, "dummy": dummy, "lost": corrections["lost"]}


def flag_rows(model: Json, corrections: Json) -> Json:
    """``ssl_connection`` flags and context options, with what the weakening ones give away."""
    both = {**model["macros"], **model["enumerators"]}
    flags, options = [], []
    for name, entry in sorted(both.items(), key=lambda item: (item[1].get("value") or 0, item[0])):
        row: Json = {
            "name": name,
            "value": entry.get("value"),
            "since": release(entry["since"]),
            "cite": entry["cite"],
        }
        if name.startswith("LCCSCF_"):
            effect = dict(corrections["effects"].get(name, {}))
            if effect:
                row |= {"gives_away": effect.pop("gives_away"), "sources": effect.pop("cite")}
                row["effects"] = effect
            flags.append(row)
        elif name.startswith("LWS_SERVER_OPTION_"):
            options.append(row | {"tls": corrections["option_effects"].get(name, "")})
    return {"flags": flags, "options": options}


def functions_document(model: Json, corrections: Json) -> Json:
    return {"functions": function_rows(model, corrections), "window": corrections["window"]}


def pretty(document: Json) -> str:
    """Compact JSON with one row per line, so that a later conversion shows as a readable diff."""

    def compact(value: object) -> str:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    def table(value: object) -> str:
        if isinstance(value, dict):
            rows = [f"{compact(key)}:{compact(row)}" for key, row in value.items()]
            return "{" + ",\n".join(rows) + "}"
        if isinstance(value, list):
            return "[" + ",\n".join(map(compact, value)) + "]"
        return compact(value)

    return "{" + ",\n".join(f"{compact(key)}:{table(value)}" for key, value in document.items()) + "}\n"


def write(folder: Path, name: str, document: Json) -> None:
    (folder / name).write_text(pretty(document), encoding="utf-8")


def read_toml(name: str) -> Json:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def main(arguments: Sequence[str]) -> int:
    if len(arguments) > 1:
        sys.stderr.write("usage: python -m lwslint.knowledge.convert [api.json]\n")
        return 2
    write(HERE, "threads.json", read_toml("threads.toml"))
    for path in arguments:
        model: Json = json.loads(Path(path).read_text(encoding="utf-8"))
        corrections = read_toml("corrections.toml")
        write(HERE, "functions.json", functions_document(model, corrections))
        write(HERE, "constants.json", {"constants": constant_rows(model, corrections)})
        write(HERE, "members.json", member_rows(model, corrections))
        write(HERE, "reasons.json", reason_rows(model, corrections))
        write(HERE, "flags.json", flag_rows(model, corrections))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
