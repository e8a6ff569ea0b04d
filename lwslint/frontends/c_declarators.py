"""Declarators and type names of C and C++: what is declared, and as what.

Nothing here lowers a value or a statement.
"""

from __future__ import annotations

from typing import Final

import msgspec
from tree_sitter import Node

from lwslint.frontends.c_unit import Unit, fold

RECORDS: Final = {"struct_specifier": "struct", "class_specifier": "class", "union_specifier": "union"}


# --------------------------------------------------------------------------- declarators


_PLAIN: Final = frozenset(("identifier", "field_identifier", "type_identifier", "qualified_identifier"))
"""What most declarators end at: a name."""


class Declarator(msgspec.Struct, frozen=True):
    """What a declarator declares: ``name`` (None when abstract), what its derivations append to the
    type, and, for a function, the node with its parameters."""

    name: Node | None
    suffix: str
    function: Node | None


def declarator(unit: Unit, node: Node | None) -> Declarator:
    """Unwrap a declarator from the outside in (C17 6.7.6); any number of wrappings, no recursion."""
    names, declared = unit.names, unit.fields.declarator
    suffix = ""
    function: Node | None = None
    while node is not None and (kind := names[node.kind_id]) not in _PLAIN:
        match kind:
            case "pointer_declarator" | "abstract_pointer_declarator" | "pointer_type_declarator":
                if function is not None:  # a pointer to a function, not a function
                    suffix += "(*)" + parameter_text(unit, function)
                    function = None
                else:
                    suffix += "*"
                node = node.child_by_field_id(declared)
            case "reference_declarator" | "abstract_reference_declarator":
                suffix += "&&" if node.children[0].type == "&&" else "&"
                inner = node.named_children
                node = inner[-1] if inner else None
            case "array_declarator" | "abstract_array_declarator":
                suffix += "[]"
                node = node.child_by_field_id(declared)
            case "function_declarator" | "abstract_function_declarator":
                function = node
                node = node.child_by_field_id(declared)
            case "init_declarator":
                node = node.child_by_field_id(declared)
            case (
                "parenthesized_declarator"
                | "abstract_parenthesized_declarator"
                | "attributed_declarator"
                | "variadic_declarator"
            ):
                inner = [c for c in node.named_children if c.type not in _DECORATIONS]
                node = inner[0] if inner else None
            case _:
                break
    return Declarator(node, suffix, function)


_DECORATIONS: Final = frozenset(
    ("comment", "attribute_declaration", "attribute_specifier", "ms_call_modifier", "ERROR")
)


def parameter_text(unit: Unit, function: Node) -> str:
    listed = function.child_by_field_id(unit.fields.parameters)
    return "()" if listed is None else fold(unit.text(listed))


def name_parts(unit: Unit, node: Node) -> list[str]:
    """``ns::Class<T>::name`` as ``["ns", "Class", "name"]``."""
    if unit.names[node.kind_id] in _UNQUALIFIED:
        return [unit.text(node)]
    parts = []
    while node.type == "qualified_identifier":
        around = node.child_by_field_id(unit.fields.scope)
        if around is not None:
            parts.append(plain_name(unit, around))
        inner = node.child_by_field_id(unit.fields.name)
        if inner is None:
            break
        node = inner
    if node.type == "nested_namespace_specifier":
        parts.extend(part.strip() for part in unit.text(node).split("::"))
    else:
        parts.append(plain_name(unit, node))
    return parts


_UNQUALIFIED: Final = frozenset(("identifier", "field_identifier"))


def plain_name(unit: Unit, node: Node) -> str:
    """One part of a qualified name, without template arguments."""
    match unit.names[node.kind_id]:
        case "template_type" | "template_function" | "template_method":
            inner = node.child_by_field_id(unit.fields.name)
            return unit.text(inner if inner is not None else node)
        case "dependent_name":
            return plain_name(unit, node.named_children[-1])
        case "operator_cast":
            return f"operator {type_text(unit, node.child_by_field_id(unit.fields.type))}"
        case "operator_name" | "destructor_name":
            return fold(unit.text(node))
    return unit.text(node)


def last_name(unit: Unit, node: Node) -> Node:
    """The node of the unqualified name, to point at."""
    while unit.names[node.kind_id] == "qualified_identifier":
        inner = node.child_by_field_id(unit.fields.name)
        if inner is None:
            break
        node = inner
    return node


# --------------------------------------------------------------------------- types


def type_text(unit: Unit, node: Node | None) -> str:
    """A type as written; of a struct, class, union or enum only what it is called."""
    if node is None:
        return ""
    kind = unit.names[node.kind_id]
    if kind == "primitive_type" or kind == "type_identifier":
        return unit.text(node)
    keyword = RECORDS.get(kind) or ("enum" if kind == "enum_specifier" else "")
    if not keyword:
        return fold(unit.text(node))
    named = node.child_by_field_id(unit.fields.name)
    return f"{keyword} {anonymous(node) if named is None else fold(unit.text(named))}"


def anonymous(node: Node) -> str:
    """What a nameless class is called: no identifier, and unique in its file."""
    return f"anonymous@{node.start_byte}"


def has_storage(unit: Unit, node: Node, word: bytes) -> bool:
    data, names = unit.data, unit.names
    for child in node.children:
        kind = names[child.kind_id]
        if kind == "storage_class_specifier" and data[child.start_byte : child.end_byte] == word:
            return True
        if kind == "compound_statement" or kind == "init_declarator":
            break
    return False
