"""Lowering of C and C++ declarations: functions, variables, classes, enums, typedefs, lambdas.

Two grammars share the node kinds here; what only C++ has is simply never met in C.
"""

from __future__ import annotations

from typing import Final

from tree_sitter import Node

from lwslint.facts import (
    Alias,
    Assign,
    Call,
    Cast,
    Class,
    Declare,
    Enumerator,
    Evaluate,
    Field,
    Function,
    Index,
    Initializer,
    Item,
    Lambda,
    Name,
    Parameter,
    Prototype,
    Span,
    Statement,
    Unknown,
    Value,
    walk,
)
from lwslint.frontends.c_declarators import (
    RECORDS,
    Declarator,
    anonymous,
    declarator,
    has_storage,
    last_name,
    name_parts,
    parameter_text,
    type_text,
)
from lwslint.frontends.c_expressions import VALUES, arguments, initializer_items, unknown, value, values
from lwslint.frontends.c_statements import CONDITIONALS, STATEMENTS, WHOLE, bare_value, body
from lwslint.frontends.c_unit import (
    MAX_DEPTH,
    DefinitionHandler,
    Dialect,
    Scope,
    StatementHandler,
    Tables,
    Unit,
    ValueHandler,
    children_of,
    flattened,
    fold,
    span_of,
)

_CLASS_FUNCTIONS: Final = frozenset(("function_definition", "declaration", "field_declaration"))


# --------------------------------------------------------------------------- types


def declared_type(unit: Unit, node: Node, depth: int, scope: Scope, called: str = "") -> str:
    """The type in a declaration; a class or an enum that is defined there is lowered on the way."""
    inner = node.child_by_field_id(unit.fields.type)
    if inner is None:
        return ""
    kind = unit.names[inner.kind_id]
    if kind == "primitive_type":
        return unit.text(inner)
    if (kind in RECORDS or kind == "enum_specifier") and inner.child_by_field_id(
        unit.fields.body
    ) is not None:
        if kind == "enum_specifier":
            enumeration(unit, inner, depth, scope)
        else:
            record(unit, inner, depth, scope, called)
            if called and inner.child_by_field_id(unit.fields.name) is None:
                return called
    return type_text(unit, inner)


# --------------------------------------------------------------------------- variables


def local_declaration(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """A declaration in a block."""
    typed = node.child_by_field_id(unit.fields.type)
    if typed is not None:
        if typed.type == "macro_type_specifier":
            _macro_then_call(unit, node, typed, depth, out)
            return
        if unit.cpp and typed.type in _CALLABLE:
            declarators = children_of(node, unit.fields.declarator)
            if declarators and _subscripts(unit, declarators[0]):
                _indexed_call(unit, typed, declarators, depth, out)
                return
    out.extend(declaration(unit, node, depth, Scope(unit.outer, "", True), local=True))


def _macro_then_call(unit: Unit, node: Node, typed: Node, depth: int, out: list[Statement]) -> None:
    """``LOCK(x) work();`` parses like a declaration; it is two calls."""
    found = values(unit, typed.named_children, depth)
    out.append(Evaluate(span_of(typed), Call(span_of(typed), found[0], found[1:])))
    for child in children_of(node, unit.fields.declarator):
        called = declarator(unit, child)
        if called.function is not None and called.name is not None:
            passed = _passed(unit, called.function, depth) or ()
            function = value(unit, called.name, depth)
            out.append(Evaluate(span_of(child), Call(span_of(child), function, passed)))


_CALLABLE: Final = frozenset(("type_identifier", "qualified_identifier", "template_type"))


def _subscripts(unit: Unit, node: Node) -> list[Node]:
    """The indices in ``[i][j](a)``, which the C++ grammar takes for the declarator of a structured binding;
    empty when ``node`` is none (a real one has no parameters)."""
    if node.type != "function_declarator":
        return []
    inner = node.child_by_field_id(unit.fields.declarator)
    found: list[Node] = []
    while inner is not None and inner.type == "array_declarator":
        size = inner.named_children[1:]
        found.extend(size)
        inner = inner.child_by_field_id(unit.fields.declarator)
    if inner is None or inner.type != "structured_binding_declarator":
        return []
    return [*inner.named_children, *reversed(found)]


def _indexed_call(unit: Unit, typed: Node, nodes: list[Node], depth: int, out: list[Statement]) -> None:
    """``handlers[reason](a, b);`` parses like a declaration of ``[reason]``; it is a call."""
    for child in nodes:
        function: Value = value(unit, typed, depth)
        start = typed.start_byte
        subscripts = _subscripts(unit, child)
        if not subscripts or child.id != nodes[0].id:
            # `, g(b)` behind it: the operand of a comma.
            start = child.start_byte
            inner = child.child_by_field_id(unit.fields.declarator)
            function = Unknown(span_of(child)) if inner is None else value(unit, inner, depth)
        else:
            for at in subscripts:
                closing = unit.data.find(b"]", at.end_byte) + 1
                function = Index(Span(start, max(closing, at.end_byte)), function, value(unit, at, depth))
        listed = child.child_by_field_id(unit.fields.parameters)
        passed = () if listed is None else _read_arguments(unit, listed, depth)
        span = Span(start, child.end_byte)
        out.append(Evaluate(span, Call(span, function, passed)))


def _read_arguments(unit: Unit, listed: Node, depth: int) -> tuple[Value, ...]:
    """What stands in a parameter list that is known to be a list of arguments."""
    passed: list[Value] = []
    for child in listed.named_children:
        if child.type == "comment":
            continue
        read = _argument(unit, child, depth)
        if read is None:
            inside = value(unit, child, depth)
            typed = child.child_by_field_id(unit.fields.type)
            found = [part for part in walk(inside) if isinstance(part, Name)]
            if typed is not None and typed.type == "primitive_type" and len(found) == 2:
                inside = Cast(span_of(child), found[0].id, found[1])  # int(a)
            read = inside
        passed.append(read)
    return tuple(passed)


def declaration(unit: Unit, node: Node, depth: int, scope: Scope, *, local: bool) -> list[Declare]:
    """The variables of one declaration; prototypes, classes and enums in it go to the sink."""
    fields = unit.fields
    declarators = children_of(node, fields.declarator)
    base = declared_type(unit, node, depth, scope)
    if not declarators:
        return []
    static = has_storage(unit, node, b"static")
    declared: list[Declare] = []
    for child in declarators:
        found = declarator(unit, child)
        if found.name is None:
            continue
        # The whole statement when it declares one variable, else each declarator, the first with the type.
        span = Span(
            node.start_byte if child.id == declarators[0].id else child.start_byte,
            node.end_byte if len(declarators) == 1 else child.end_byte,
        )
        if found.function is not None and child.type != "init_declarator":
            passed = _constructor_arguments(unit, base, found.function, depth, local)
            if passed is None:
                # A prototype in a block declares a function of the file, not of the block (C17 6.2.2 p5).
                prototype(
                    unit, node, found, Scope() if local else scope, static or (scope.static and not local)
                )
                continue
            built: Value = Call(span, _type_name(unit, node, base), passed, kind="construct")
            declared.append(_declare(unit, span, found, base, built, static))
            continue
        if child.type == "init_declarator":
            given = child.child_by_field_id(fields.value)
            assigned = unit.cpp and any(c.type == "=" for c in child.children)
        else:
            given = node.child_by_field_id(fields.value)  # if (auto x = f())
            assigned = True
        written = base + found.suffix
        initial = None
        if given is not None:
            initial = initial_value(unit, node, written, given, child, depth, assigned)
        if found.name.type == "structured_binding_declarator":
            declared.extend(_bindings(unit, node, found.name, base, initial, static))
        else:
            linkage = static or (scope.static and not local)
            declared.append(_declare(unit, span, found, base, initial, linkage))
    return declared


def _declare(
    unit: Unit, span: Span, found: Declarator, base: str, initial: Value | None, static: bool
) -> Declare:
    assert found.name is not None
    return Declare(span, unit.text(found.name), span_of(found.name), base + found.suffix, initial, static)


def _bindings(
    unit: Unit, node: Node, listed: Node, base: str, initial: Value | None, static: bool
) -> list[Declare]:
    """``auto [a, b] = f();``: what is bound is a part of the value, which the first of them carries."""
    carried = None if initial is None else Unknown(initial.span, (initial,))
    declared = []
    for child in listed.named_children:
        if child.type == "identifier":
            declared.append(Declare(span_of(node), unit.text(child), span_of(child), base, carried, static))
            carried = None
    return declared


def _type_name(unit: Unit, node: Node, written: str) -> Name:
    typed = node.child_by_field_id(unit.fields.type)
    return Name(span_of(typed if typed is not None else node), written)


def initial_value(
    unit: Unit, node: Node, written: str, given: Node, child: Node, depth: int, assigned: bool
) -> Value:
    """The value a variable starts with: ``= x``, ``= { … }`` (``assigned``), ``(a, b)`` or ``{ a, b }``."""
    if given.type == "argument_list":
        passed = arguments(unit, given, depth)
        return Call(
            Span(child.start_byte, given.end_byte), _type_name(unit, node, written), passed, kind="construct"
        )
    if given.type != "initializer_list" or not unit.cpp:
        return value(unit, given, depth)
    if assigned or written.endswith("[]"):
        return value(unit, given, depth)
    items = initializer_items(unit, given, depth)
    if any(item.designator is not None for item in items):
        return Initializer(span_of(given), items, written)
    if len(items) == 1 and (written.endswith(("*", "&")) or written.split(" ")[0] in _SCALARS):
        return items[0].value
    passed = tuple(item.value for item in items)
    return Call(
        Span(child.start_byte, given.end_byte), _type_name(unit, node, written), passed, kind="construct"
    )


_SCALARS: Final = frozenset(
    (
        *("auto", "bool", "char", "double", "float", "int", "long", "short", "signed", "unsigned"),
        *("size_t", "ssize_t"),
        *(f"{sign}{bits}_t" for sign in ("int", "uint") for bits in (8, 16, 32, 64)),
    )
)


def _constructor_arguments(
    unit: Unit, base: str, function: Node, depth: int, local: bool
) -> tuple[Value, ...] | None:
    """The arguments in ``std::thread t(run, arg);``, which the grammar takes for a prototype.

    None when it is one.  In a block a prototype is rare; at file scope the arguments must be names that
    the file has already defined (a type would have made it a prototype).
    """
    if not unit.cpp or base in _SCALARS or base in ("void", ""):
        return None
    passed = _passed(unit, function, depth)
    if not passed:
        return None
    if not local and not all(
        isinstance(argument, Call) or (isinstance(argument, Name) and argument.id in unit.sink.names)
        for argument in passed
    ):
        return None
    return passed


def _passed(unit: Unit, function: Node, depth: int) -> tuple[Value, ...] | None:
    """A list of unnamed parameters read as arguments; None when one of them can only be a parameter."""
    listed = function.child_by_field_id(unit.fields.parameters)
    passed: list[Value] = []
    for child in () if listed is None else listed.named_children:
        if child.type == "comment":
            continue
        argument = _argument(unit, child, depth)
        if argument is None:
            return None
        passed.append(argument)
    return tuple(passed)


def _argument(unit: Unit, node: Node, depth: int) -> Value | None:
    """``x``, ``std::ref(x)`` or ``make()``, as the grammar shows them when it expects parameters."""
    typed = node.child_by_field_id(unit.fields.type)
    if node.type != "parameter_declaration" or typed is None or depth > MAX_DEPTH:
        return None
    if typed.type not in ("type_identifier", "qualified_identifier", "template_type"):
        return None
    if any(child.type == "type_qualifier" for child in node.named_children):
        return None
    called = Name(span_of(typed), fold(unit.text(typed)))
    derived = node.child_by_field_id(unit.fields.declarator)
    if derived is None:
        return called
    if derived.type != "abstract_function_declarator" or derived.child_by_field_id(unit.fields.declarator):
        return None
    passed = _passed(unit, derived, depth + 1)
    return None if passed is None else Call(span_of(node), called, passed)


# --------------------------------------------------------------------------- functions


def prototype(unit: Unit, node: Node, found: Declarator, scope: Scope, static: bool) -> None:
    assert found.name is not None
    parts = name_parts(unit, found.name)
    name = parts[-1]
    unit.sink.names.add(name)
    unit.sink.prototypes.append(
        Prototype(
            name, scope.qualify("::".join(parts)), span_of(node), parameters(unit, found.function, 0), static
        )
    )


def parameters(unit: Unit, function: Node | None, depth: int) -> tuple[Parameter, ...]:
    """The parameters of a function; ``(void)`` has none, ``...`` is one of that name.

    Default arguments are lowered for the lambdas in them.
    """
    listed = None if function is None else function.child_by_field_id(unit.fields.parameters)
    if listed is None:
        return ()
    found = []
    fields, names = unit.fields, unit.names
    for child in listed.named_children:
        match names[child.kind_id]:
            case (
                "parameter_declaration" | "optional_parameter_declaration" | "variadic_parameter_declaration"
            ) as kind:
                derived = declarator(unit, child.child_by_field_id(fields.declarator))
                written = type_text(unit, child.child_by_field_id(fields.type)) + derived.suffix
                if derived.function is not None:  # a parameter of function type is a pointer
                    written += "(*)" + parameter_text(unit, derived.function)
                name = "" if derived.name is None else unit.text(derived.name)
                if written != "void" or name:
                    found.append(Parameter(name, written, span_of(child)))
                if kind == "optional_parameter_declaration" and depth:
                    default = child.child_by_field_id(fields.default_value)
                    if default is not None:
                        value(unit, default, depth)
            case "variadic_parameter":
                found.append(Parameter("...", "...", span_of(child)))
            case "identifier":
                found.append(Parameter(unit.text(child), "", span_of(child)))
    # In C what stands for further arguments has a kind of its own.
    if unit.cpp and any(names[child.kind_id] == "..." for child in listed.children):
        found.append(Parameter("...", "...", span_of(listed)))
    return tuple(found)


def function_definition(unit: Unit, node: Node, depth: int, scope: Scope) -> str:
    """A function with its body; returns its name.  ``= default`` and ``= delete`` are prototypes."""
    fields = unit.fields
    base = declared_type(unit, node, depth, scope)
    found = declarator(unit, node.child_by_field_id(fields.declarator))
    if found.name is None:
        return ""
    inner = node.child_by_field_id(fields.body)
    if inner is None:
        inner = next(
            (c for c in node.named_children if c.type in ("try_statement", "compound_statement")), None
        )
    if inner is None:
        static = scope.static or has_storage(unit, node, b"static")
        prototype(unit, node, found, scope, static)
        return name_parts(unit, found.name)[-1]
    return define(unit, node, found, base, [inner], depth, scope)


def define(
    unit: Unit,
    node: Node,
    found: Declarator,
    base: str,
    bodies: list[Node],
    depth: int,
    scope: Scope,
    listed: tuple[Parameter, ...] = (),
) -> str:
    """Add the function that ``found`` names, whose statements are those of ``bodies``; ``listed`` are the
    parameters where the declarator does not have them."""
    assert found.name is not None
    parts = name_parts(unit, found.name)
    name = parts[-1]
    around = "::".join(parts[:-1]) if len(parts) > 1 else ""
    owner, kind = scope.owner, "method" if scope.owner else "function"
    if around and around not in unit.sink.namespaces:
        owner, kind = scope.qualify(around), "method"
    if name.startswith("~"):
        kind = "destructor"
    elif owner and name == owner.rpartition("::")[2]:
        kind = "constructor"
    static = scope.static or (not owner and has_storage(unit, node, b"static"))
    sink = unit.sink
    sink.names.add(name)
    qualified = scope.qualify(f"{around}::{name}" if around else name)
    at = sink.reserve()
    saved = unit.function, unit.outer, unit.owner
    unit.function, unit.outer, unit.owner = at, qualified, owner

    function = found.function
    if function is None and found.name.type == "qualified_identifier":
        function = last_name(unit, found.name)
    if function is None:
        function = found.name
    if unit.cpp and function.type == "operator_cast":
        function = function.child_by_field_id(unit.fields.declarator) or function
    passed = parameters(unit, function, depth) or listed
    if passed and not passed[0].type and not listed and all(not p.type for p in passed):
        passed = _old_style(unit, node.named_children, passed)
    statements: list[Statement] = []
    for child in node.named_children if unit.cpp else ():
        if child.type == "field_initializer_list":
            _member_initializers(unit, child, depth, statements)
    for inner in bodies:
        statements.extend(body(unit, inner, depth))

    unit.function, unit.outer, unit.owner = saved
    sink.functions[at] = Function(
        name=name,
        qualified=qualified,
        span=Span(min(node.start_byte, found.name.start_byte), max(node.end_byte, bodies[-1].end_byte)),
        name_span=span_of(last_name(unit, found.name)),
        parameters=passed,
        body=tuple(statements),
        kind=kind,
        owner=owner,
        static=static,
        returns=(unit.cpp and _trailing_type(unit, function)) or base + found.suffix,
        variant=unit.variant,
        virtual=unit.cpp and _is_virtual(node, function),
    )
    return name


def _old_style(unit: Unit, between: list[Node], listed: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """Parameters whose types stand between the list and the body (K&R)."""
    types = {}
    for child in between:
        if child.type == "declaration":
            base = type_text(unit, child.child_by_field_id(unit.fields.type))
            for inner in children_of(child, unit.fields.declarator):
                found = declarator(unit, inner)
                if found.name is not None:
                    types[unit.text(found.name)] = base + found.suffix
    return tuple(Parameter(p.name, types.get(p.name, ""), p.span) for p in listed)


def _trailing_type(unit: Unit, function: Node) -> str:
    for child in function.named_children:
        if unit.names[child.kind_id] == "trailing_return_type":
            return fold(unit.text(child).removeprefix("->"))
    return ""


def _is_virtual(node: Node, function: Node) -> bool:
    return any(child.type in ("virtual", "virtual_function_specifier") for child in node.children[:4]) or any(
        child.type == "virtual_specifier" for child in function.named_children
    )


def _member_initializers(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """``: member(args), Base{args}`` as statements that run before the body's."""
    for child in node.named_children:
        inner = [c for c in child.named_children if c.kind_id != unit.comment]
        if child.type != "field_initializer" or len(inner) < 2:
            continue
        target = Name(span_of(inner[0]), fold(unit.text(inner[0])))
        passed = inner[1]
        items = (
            initializer_items(unit, passed, depth)
            if passed.type == "initializer_list"
            else tuple(Item(v.span, v) for v in arguments(unit, passed, depth))
        )
        given = Initializer(span_of(passed), items)
        out.append(Evaluate(span_of(child), Assign(span_of(child), target, "(", given)))


def lambda_expression(unit: Unit, node: Node, depth: int) -> Value:
    """A lambda: a function of its own, and a value that names it."""
    fields = unit.fields
    sink = unit.sink
    at = sink.reserve()
    saved = unit.function, unit.outer
    qualified = f"{unit.outer}::<lambda>" if unit.outer else "<lambda>"
    statements: list[Statement] = []
    captured = node.child_by_field_id(fields.captures)
    if captured is not None:
        for child in captured.named_children:
            if child.type == "lambda_capture_initializer":
                left = child.child_by_field_id(fields.left)
                right = child.child_by_field_id(fields.right)
                if left is not None and right is not None:
                    initial = value(unit, right, depth)
                    statements.append(
                        Declare(span_of(child), unit.text(left), span_of(left), "auto", initial)
                    )
    unit.function, unit.outer = at, qualified
    header = node.child_by_field_id(fields.declarator)
    passed = parameters(unit, header, depth)
    statements.extend(body(unit, node.child_by_field_id(fields.body), depth))
    unit.function, unit.outer = saved
    sink.functions[at] = Function(
        name="<lambda>",
        qualified=qualified,
        span=span_of(node),
        name_span=span_of(captured if captured is not None else node),
        parameters=passed,
        body=tuple(statements),
        kind="lambda",
        owner=unit.owner,
        returns="" if header is None else _trailing_type(unit, header),
        parent=unit.function,
        variant=unit.variant,
    )
    return Lambda(span_of(node), at)


# --------------------------------------------------------------------------- classes, enums, aliases


class _Members:
    """What a class body declares, while it is read."""

    def __init__(self, public: bool) -> None:
        self.fields: list[Field] = []
        self.methods: list[str] = []
        self.public: list[str] = []
        self.open = public

    def method(self, name: str) -> None:
        if name and name not in self.methods:
            self.methods.append(name)
        if name and self.open and name not in self.public:
            self.public.append(name)


def record(unit: Unit, node: Node, depth: int, scope: Scope, called: str = "") -> None:
    """A struct, class or union with a body.  ``called`` is the typedef's name of a nameless one."""
    fields = unit.fields
    inner = node.child_by_field_id(fields.body)
    if inner is None:
        return
    if depth > MAX_DEPTH:
        unit.note(f"nesting too deep at byte {node.start_byte}")
        return
    named = node.child_by_field_id(fields.name)
    parts = name_parts(unit, named) if named is not None else [called or anonymous(node)]
    if not unit.cpp:
        scope = Scope(static=scope.static)  # a C struct's tag belongs to the file, wherever it is declared
    qualified = scope.qualify("::".join(parts))
    members = _Members(node.type != "class_specifier")
    saved = unit.outer, unit.owner
    unit.outer, unit.owner = qualified, qualified
    _members(unit, inner, depth + 1, Scope(qualified, qualified, scope.static), members)
    unit.outer, unit.owner = saved
    unit.sink.classes.append(
        Class(
            name=parts[-1],
            qualified=qualified,
            span=span_of(node),
            fields=tuple(members.fields),
            bases=_bases(unit, node),
            methods=tuple(members.methods),
            public=tuple(members.public),
        )
    )


def _bases(unit: Unit, node: Node) -> tuple[str, ...]:
    for child in node.named_children:
        if child.type == "base_class_clause":
            listed = child.named_children
            return tuple(
                fold(unit.text(base))
                for base in listed
                if base.type in ("type_identifier", "qualified_identifier", "template_type")
            )
    return ()


def _members(unit: Unit, node: Node, depth: int, scope: Scope, members: _Members) -> None:
    for child in flattened(unit, node.children, CONDITIONALS):
        match unit.names[child.kind_id]:
            case "access_specifier":
                members.open = unit.text(child).startswith("public")
            case "field_declaration" | "declaration":
                _member(unit, child, depth, scope, members)
            case "function_definition":
                if unit.overlaps(child):
                    members.method(function_definition(unit, child, depth, scope))
            case "template_declaration":
                for inner in child.named_children:
                    if inner.type == "function_definition" and unit.overlaps(inner):
                        members.method(function_definition(unit, inner, depth, scope))
                    elif inner.type in ("field_declaration", "declaration"):
                        _member(unit, inner, depth, scope, members)
                    elif inner.type in DEFINITIONS and inner.type not in _CLASS_FUNCTIONS:
                        definition(unit, inner, depth, scope)
            case "friend_declaration":
                for inner in child.named_children:
                    if inner.type == "function_definition" and unit.overlaps(inner):
                        function_definition(unit, inner, depth, Scope("", "", scope.static))
            case kind if kind in DEFINITIONS:
                definition(unit, child, depth, scope)


def _member(unit: Unit, node: Node, depth: int, scope: Scope, members: _Members) -> None:
    """One declaration in a class: data members, methods without a body, nested types."""
    fields = unit.fields
    declarators = children_of(node, fields.declarator)
    typed = node.child_by_field_id(fields.type)
    if not declarators and typed is not None and typed.type in RECORDS and typed.type != "class_specifier":
        inner = typed.child_by_field_id(fields.body)
        if inner is not None and typed.child_by_field_id(fields.name) is None:
            if depth > MAX_DEPTH:
                unit.note(f"nesting too deep at byte {node.start_byte}")
            else:
                # C11 6.7.2.1 p13: the members of an anonymous struct are members of the one around it.
                _members(unit, inner, depth + 1, scope, members)
            return
    base = declared_type(unit, node, depth, scope)
    defaults = _member_defaults(node, declarators, children_of(node, fields.default_value))
    for child in declarators:
        found = declarator(unit, child)
        if found.name is None:
            continue
        if found.function is not None:
            prototype(unit, node, found, scope, False)
            members.method(name_parts(unit, found.name)[-1])
            continue
        written = base + found.suffix
        given, assigned = defaults.get(child.id, (None, False))
        initial = None
        if given is not None:
            initial = initial_value(unit, node, written, given, child, depth, assigned)
        members.fields.append(Field(unit.text(found.name), written, span_of(child), initial))


def _member_defaults(
    node: Node, declarators: list[Node], given: list[Node]
) -> dict[int, tuple[Node | None, bool]]:
    """Which default belongs to which declarator, by its id, and whether ``=`` stands before it."""
    found: dict[int, tuple[Node | None, bool]] = {}
    if not given:
        return found
    names, defaults = {d.id for d in declarators}, {d.id for d in given}
    current, assigned = 0, False
    for child in node.children:
        if child.id in names:
            current, assigned = child.id, False
        elif child.id in defaults:
            found[current] = (child, assigned)
        else:
            assigned = child.type == "="
    return found


def enumeration(unit: Unit, node: Node, depth: int, scope: Scope) -> None:
    inner = node.child_by_field_id(unit.fields.body)
    previous = ""
    for child in () if inner is None else flattened(unit, inner.children, CONDITIONALS):
        enumerator = unit.names[child.kind_id] == "enumerator"
        named = child.child_by_field_id(unit.fields.name) if enumerator else None
        if named is None:
            continue
        given = child.child_by_field_id(unit.fields.value)
        found = None if given is None else value(unit, given, depth)
        name = unit.text(named)
        unit.sink.enumerators.append(Enumerator(name, span_of(named), found, previous))
        previous = name


def type_definition(unit: Unit, node: Node, depth: int, scope: Scope) -> None:
    declared = [declarator(unit, child) for child in children_of(node, unit.fields.declarator)]
    called = next((unit.text(d.name) for d in declared if d.name is not None and not d.suffix), "")
    base = declared_type(unit, node, depth, scope, called)
    for found in declared:
        if found.name is None:
            continue
        name = unit.text(found.name)
        written = base + found.suffix
        if found.function is not None:
            written += parameter_text(unit, found.function)
        if name != written:
            unit.sink.aliases.append(Alias(name, written, span_of(node)))


def alias(unit: Unit, node: Node, depth: int, scope: Scope) -> None:
    named = node.child_by_field_id(unit.fields.name)
    typed = node.child_by_field_id(unit.fields.type)
    if named is not None and typed is not None:
        declared_type(unit, typed, depth, scope)
        unit.sink.aliases.append(Alias(unit.text(named), fold(unit.text(typed)), span_of(node)))


# --------------------------------------------------------------------------- file scope


def definition(unit: Unit, node: Node, depth: int, scope: Scope) -> None:
    """One item of a file, a namespace or a class body."""
    if depth > MAX_DEPTH:
        unit.note(f"nesting too deep at byte {node.start_byte}")
    elif unit.wanted is None or unit.overlaps(node):
        DEFINITIONS[unit.names[node.kind_id]](unit, node, depth + 1, scope)


def definitions(unit: Unit, node: Node, depth: int, scope: Scope) -> None:
    """All items of a file or a namespace.

    Where the text did not parse, the grammar leaves a function's header and its statements side by
    side; they are put together again, so that the function does not vanish.
    """
    torn = _Torn(unit, depth, scope)
    names = unit.names
    for child in flattened(unit, node.children, CONDITIONALS):
        kind = names[child.kind_id]
        if (torn.header is not None or kind in _HEADERS) and torn.take(child, kind):
            continue
        if kind in DEFINITIONS:
            definition(unit, child, depth, scope)
    torn.close()


class _Torn:
    """A function whose header and body ended up as neighbours."""

    def __init__(self, unit: Unit, depth: int, scope: Scope) -> None:
        self.unit, self.depth, self.scope = unit, depth, scope
        self.header: Node | None = None
        self.found = Declarator(None, "", None)
        self.bodies: list[Node] = []
        self.open = 0
        # Of `run(arg) void *arg; { … }`: the parameters, and the declarations of their types.
        self.listed: tuple[Parameter, ...] = ()
        self.types: list[Node] = []

    def take(self, node: Node, kind: str) -> bool:
        """True when ``node`` belongs to such a function."""
        if kind in _HEADERS:
            found = self._header(node, kind)
            if found is not None:
                self.close()
                self.header, self.found = node, found
                self.listed = () if kind != "expression_statement" else _listed(self.unit, node)
                return True
        if self.header is None:
            return False
        if kind == "{":
            self.open += 1
        elif kind == "}":
            self.open -= 1
            if self.open <= 0:
                self.close()
        elif kind == "function_definition" or (kind == ";" and not self.open):
            self.close()
            return False
        elif kind == "compound_statement" and not self.open:
            self.bodies.append(node)
            self.close()
        elif kind == "declaration" and not self.open and _declares_only(self.unit, node, self.listed):
            self.types.append(node)
        elif self.open and node.kind_id in self.unit.dialect.standing:
            self.bodies.append(node)
        else:
            if not self.open and kind in DEFINITIONS:
                self.close()
            return False
        return True

    def _header(self, node: Node, kind: str) -> Declarator | None:
        """What ``node`` would be as the header of a function."""
        if kind != "expression_statement":
            found = declarator(self.unit, node)
            return found if found.function is not None and found.name is not None else None
        # main() { … }, as C had it once, and MACRO(x) { … }, parse as a call without its semicolon.
        inner = node.named_children
        if self.open or not inner or inner[0].type != "call_expression" or inner[0].end_byte != node.end_byte:
            return None
        called = inner[0].child_by_field_id(self.unit.fields.function)
        return None if called is None or called.type != "identifier" else Declarator(called, "", None)

    def close(self) -> None:
        header, found, bodies, types = self.header, self.found, self.bodies, self.types
        self.header, self.bodies, self.open, self.types = None, [], 0, []
        if header is None or not bodies:
            for node in types:  # it was no function
                definition(self.unit, node, self.depth, self.scope)
            return
        if self.unit.overlaps(header) or any(map(self.unit.overlaps, bodies)):
            listed = _old_style(self.unit, types, self.listed) if types else ()
            define(self.unit, header, found, "", bodies, self.depth, self.scope, listed)


def _listed(unit: Unit, node: Node) -> tuple[Parameter, ...]:
    """The names in ``f(a, b)``, read as the parameters of a function; none if anything else is among them."""
    passed = node.named_children[0].child_by_field_id(unit.fields.arguments)
    inner = [] if passed is None else [c for c in passed.named_children if c.kind_id != unit.comment]
    if any(child.type != "identifier" for child in inner):
        return ()
    return tuple(Parameter(unit.text(child), "", span_of(child)) for child in inner)


def _declares_only(unit: Unit, node: Node, listed: tuple[Parameter, ...]) -> bool:
    """Whether a declaration says nothing but the types of some of the parameters."""
    names = [declarator(unit, child).name for child in children_of(node, unit.fields.declarator)]
    known = {parameter.name for parameter in listed}
    return bool(names) and all(name is not None and unit.text(name) in known for name in names)


_HEADERS: Final = frozenset(
    ("function_declarator", "pointer_declarator", "reference_declarator", "expression_statement")
)


def _variables(unit: Unit, node: Node, depth: int, scope: Scope) -> None:
    for found in declaration(unit, node, depth, scope, local=False):
        unit.sink.names.add(found.name)
        unit.sink.variables.append(found)


def _function(unit: Unit, node: Node, depth: int, scope: Scope) -> None:
    function_definition(unit, node, depth, scope)


def _namespace(unit: Unit, node: Node, depth: int, scope: Scope) -> None:
    named = node.child_by_field_id(unit.fields.name)
    inner = node.child_by_field_id(unit.fields.body)
    if inner is None:
        return
    if named is None:
        definitions(unit, inner, depth, Scope(scope.prefix, "", True))
        return
    prefix = scope.qualify("::".join(name_parts(unit, named)))
    unit.sink.namespaces.add(prefix)
    definitions(unit, inner, depth, Scope(prefix, "", scope.static))


def _linkage(unit: Unit, node: Node, depth: int, scope: Scope) -> None:
    inner = node.child_by_field_id(unit.fields.body)
    if inner is not None and inner.type == "declaration_list":
        definitions(unit, inner, depth, scope)
    elif inner is not None and inner.type in DEFINITIONS:
        definition(unit, inner, depth, scope)


def _template(unit: Unit, node: Node, depth: int, scope: Scope) -> None:
    for child in node.named_children:
        if child.type in DEFINITIONS:
            definition(unit, child, depth, scope)


DEFINITIONS: Final[dict[str, DefinitionHandler]] = {
    "alias_declaration": alias,
    "class_specifier": record,
    "declaration": _variables,
    "enum_specifier": enumeration,
    "function_definition": _function,
    "linkage_specification": _linkage,
    "namespace_definition": _namespace,
    "struct_specifier": record,
    "template_declaration": _template,
    "type_definition": type_definition,
    "union_specifier": record,
}


# --------------------------------------------------------------------------- in blocks


def _local(handler: DefinitionHandler) -> StatementHandler:
    """A definition in a block: it goes to the sink, and leaves no statement."""

    def lower(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
        handler(unit, node, depth, Scope(unit.outer, "", True) if unit.cpp else Scope(static=True))

    return lower


def _nested_function(unit: Unit, node: Node, depth: int, out: list[Statement]) -> None:
    """A function in a function: a missing brace, as a rule, so it counts as one of the file's own."""
    function_definition(unit, node, depth, Scope())


_LOCAL: Final[dict[str, StatementHandler]] = {
    "declaration": local_declaration,
    "field_declaration": local_declaration,
    "function_definition": _nested_function,
    "alias_declaration": _local(alias),
    "class_specifier": _local(record),
    "enum_specifier": _local(enumeration),
    "namespace_definition": _local(_namespace),
    "struct_specifier": _local(record),
    "template_declaration": _local(_template),
    "type_definition": _local(type_definition),
    "union_specifier": _local(record),
}

_VALUES: Final[dict[str, ValueHandler]] = {**VALUES, "lambda_expression": lambda_expression}

TABLES: Final = Tables(_VALUES, unknown, {**STATEMENTS, **_LOCAL}, bare_value, WHOLE)


def dialect(language: str) -> Dialect:
    """The grammar of ``c`` or ``cpp`` with everything above."""
    return Dialect(language, TABLES)
