"""What constants may a value be, where do they come from, and under which conditions?

A demand-driven evaluator over the linked facts.  :meth:`Values.possible` answers with alternatives:
numbers, texts, null, or *unknown*, each with the places of its pieces (``LCCSCF_USE_SSL`` and
``LCCSCF_ALLOW_SELFSIGNED`` are two pieces of one number), the steps they came through (assignment,
argument, returned value, macro) and the circumstances on the way (run-time conditions and
preprocessor conditions).

It follows names, fields, parameters, out-parameters, returned values, macros, initialisers and the
usual copying functions.  Pointers are followed where they point to one object that can be named
(:meth:`Values.objects`); array elements are told apart by constant index only.  What is not understood
is an explicit unknown alternative.  Depth, width and effort are capped, so the answer to a hostile
file is "unknown", never a hang.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from lwslint.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Evaluate,
    Index,
    Initializer,
    Member,
    Name,
    Null,
    Number,
    Place,
    Return,
    Span,
    Text,
    Unary,
    Unknown,
    Value,
)
from lwslint.knowledge import api
from lwslint.model.alternatives import (
    MAX_PIECES,
    Alternative,
    Circumstance,
    Frame,
    Object,
    Piece,
    Pointee,
    Possible,
    Scope,
    Via,
    Write,
    as_number,
    as_partial,
    bounded,
    compute,
    conflict,
    covers,
    dict_of,
    distinct,
    join,
    passed,
    rooted,
    under,
)
from lwslint.model.bodies import Guard, Site
from lwslint.model.names import callee_name, last_component, uncast
from lwslint.model.nearby import FEW
from lwslint.model.symbols import Definition, class_name
from lwslint.model.writes import SAME_TEXT, Writes, index_of, target_of

if TYPE_CHECKING:
    from lwslint.model.project import Project
MAX_DEPTH = 32
MAX_OBJECT_DEPTH = 16
MAX_OUT_NESTING = 3
OUT_EFFORT = 60
MAX_CALLERS = 24
MAX_LOOSE = 16
MAX_EFFORT = 6000
MAX_BASE_EFFORT = 300

# Methods that hand out the text they are called on.
# Methods of lists that give one element, with its index where the name says it.
_ELEMENTS: dict[str, Value | None] = {
    **dict.fromkeys(("front", "first", "constFirst", "top"), Number(Span(0, 0), 0)),
    **dict.fromkeys(("back", "last", "at"), None),
}
_VIEWS = frozenset(
    [
        *(
            "c_str",
            "data",
            "str",
            "get",
            "value",
            "value_or",
            "toStdString",
            "toUtf8",
            "constData",
            "get_data",
        ),
        *("utf8", "ascii", "toLatin1", "toLocal8Bit", "string", "native", "c_string", "GetData", "lock"),
    ]
)
_ALLOCATES = frozenset(
    [
        *(
            "malloc",
            "calloc",
            "realloc",
            "g_malloc",
            "g_malloc0",
            "g_new",
            "g_new0",
            "lws_malloc",
            "lws_zalloc",
        ),
        *("xmalloc", "xcalloc", "zalloc", "kzalloc", "memalloc", "pkg_malloc", "shm_malloc", "alloca"),
        *("lwsac_use", "lwsac_use_zero", "lws_calloc", "MEMCALLOC", "MEMALLOC", "g_try_malloc", "mallocz"),
        *(
            "callocz",
            "pvPortMalloc",
            "heap_caps_malloc",
            "heap_caps_calloc",
            "memnew_arr",
            "memnew",
            "js_mallocz",
        ),
    ]
)


def by_value(type: str) -> bool:
    """Whether an object of a type as written is the thing itself, not a pointer or reference to it."""
    text = type.strip()
    if not text or "auto" in text.split():
        return False
    plain = text.split("<", 1)[0]
    return not ("*" in text or "&" in text or "_ptr" in plain)


# --------------------------------------------------------------------------- the evaluator


class Values:
    """The evaluator of one project; answers are remembered."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.symbols = project.symbols
        self.writes = Writes(project)
        self._effort = 0
        self._cut = False
        self._asked: dict[tuple[object, ...], tuple[object, Possible]] = {}
        self._active: set[tuple[object, ...]] = set()
        self._memory: dict[tuple[int, int, int, int], tuple[Value, object, list[Alternative]]] = {}
        self._bases: dict[int, list[Pointee]] = {}
        self._object_index: dict[str, dict[Object, list[tuple[int, int, Write, Pointee]]] | None] = {}
        self._pointees: dict[tuple[int, int, int, int], tuple[Value, object, list[Pointee]]] = {}

    # ------------------------------------------------------------------ asking

    def possible(self, value: Value, definition: Definition, order: int | None = None) -> Possible:
        """What ``value``, evaluated in ``definition`` after its first ``order`` sites, may be."""
        return self.possible_in(value, Scope(definition, None, order))

    def possible_in(self, value: Value, scope: Scope) -> Possible:
        """As :meth:`possible`, with the guards around the place, so that opposite branches don't count."""
        order = -1 if scope.order is None else scope.order
        key = (
            id(value),
            scope.definition.id,
            scope.definition.path,
            order,
            id(scope.frame),
            id(scope.guards),
        )
        known = self._asked.get(key)
        if known is not None:
            return known[1]
        self._effort = MAX_EFFORT
        found = self._eval(value, scope, 0)
        root = Place(scope.definition.path, value.span)
        answer = Possible(tuple(rooted(a, root) for a in bounded(found)))
        # A question from outside always starts with full effort, so even an answer that was cut short
        # is the same each time.  What the key identifies is kept, so that identities stay theirs.
        self._asked[key] = ((value, scope), answer)
        return answer

    def written(
        self,
        writes: Sequence[Write],
        scope: Scope,
        initial: Sequence[Alternative] = (),
        pointees: dict[int, Pointee] | None = None,
    ) -> Possible:
        """What a thing may hold at ``scope`` when ``writes`` are all that write it."""
        self._effort = MAX_EFFORT
        return Possible(tuple(bounded(self._fold(list(writes), scope, list(initial), 0, pointees))))

    def objects(self, value: Value, definition: Definition, order: int | None = None) -> tuple[Pointee, ...]:
        """The objects that ``value`` is or points to."""
        self._effort = MAX_EFFORT
        return tuple(self._objects(value, Scope(definition, None, order), 0))

    def fold(self, value: Value, definition: Definition) -> int | None:
        """The number that ``value`` surely is, else None."""
        possible = self.possible(value, definition)
        numbers = {a.number for a in possible.numbers if not a.partial}
        if len(numbers) == 1 and len(possible.numbers) == len(possible.alternatives):
            return numbers.pop()
        return None

    def circumstances(
        self, definition: Definition, guards: Iterable[Guard], span: Span
    ) -> tuple[Circumstance, ...]:
        """The run-time and preprocessor conditions around a place, outermost first."""
        build = [
            Circumstance(definition.path, None, None, condition)
            for condition in self.project.conditions_at(definition.path, span)
        ]
        run = [
            Circumstance(definition.path, definition, guard)
            for guard in guards
            if guard.kind not in ("loop", "catch")
        ]
        return (*build, *run)

    def around(self, write: Write) -> tuple[Circumstance, ...]:
        """The conditions around a write."""
        return self.circumstances(write.definition, write.guards, write.span)

    # ------------------------------------------------------------------ expressions

    def _eval(self, value: Value, scope: Scope, depth: int) -> list[Alternative]:
        self._effort -= 1
        if depth > MAX_DEPTH or self._effort < 0:
            self._cut = True
            return [self._unknown(value, scope, "too deep to follow")]
        key = (id(value), scope.definition.id, id(scope.frame), -1 if scope.order is None else scope.order)
        known = self._memory.get(key)
        if known is not None:
            return known[2]
        mark = ("value", *key)
        if mark in self._active:
            self._cut = True
            return []
        self._active.add(mark)
        before, self._cut = self._cut, False
        try:
            found = bounded(self._evaluate(value, scope, depth))
        finally:
            self._active.discard(mark)
        if not self._cut:
            # The node and the frame are kept so that their identities stay theirs.
            self._memory[key] = (value, scope.frame, found)
        self._cut = self._cut or before
        return found

    def _evaluate(self, value: Value, scope: Scope, depth: int) -> list[Alternative]:
        place = Place(scope.definition.path, value.span)
        match value:
            case Number():
                piece = Piece(str(value.value), place, place, scope.definition, value.value)
                return [Alternative("number", value.value, pieces=(piece,))]
            case Text():
                piece = Piece(value.value, place, place, scope.definition)
                return [Alternative("text", text=value.value, pieces=(piece,))]
            case Null():
                piece = Piece("NULL", place, place, scope.definition)
                return [Alternative("null", pieces=(piece,))]
            case Name():
                return self._name(value, scope, depth)
            case Member():
                return self._member(value, scope, depth)
            case Index():
                number = self.writes.index_number(value.index, scope.definition.path)
                return self._element_of(value.object, number, scope, depth)
            case Cast():
                return self._eval(value.operand, scope, depth + 1)
            case Assign(op="="):
                return self._eval(value.value, scope, depth + 1)
            case Unary():
                return self._unary(value, scope, depth)
            case Binary():
                return self._binary(value, scope, depth)
            case Conditional():
                return self._conditional(value, scope, depth)
            case Call():
                return self._call(value, scope, depth)
            case Initializer() if len(value.items) == 1:
                return self._eval(value.items[0].value, scope, depth + 1)
            case Initializer() if not value.items:
                return [Alternative("number", 0)]
            case Unknown() if len(value.parts) == 1:
                return [as_partial(a) for a in self._eval(value.parts[0], scope, depth + 1)]
            case _:
                return [self._unknown(value, scope, "not understood")]

    def _element_of(self, array: Value, index: int | None, scope: Scope, depth: int) -> list[Alternative]:
        """What an element of an array or a list holds; any of them where the index is not known."""
        array = uncast(array)
        if isinstance(array, Name):
            return self._name(array, scope, depth, index)
        return self._eval(array, scope, depth + 1)

    def _unknown(self, value: Value, scope: Scope, why: str) -> Alternative:
        place = Place(scope.definition.path, value.span)
        return Alternative("unknown", pieces=(Piece(why, place, place, scope.definition),))

    def _conditional(self, value: Conditional, scope: Scope, depth: int) -> list[Alternative]:
        found: list[Alternative] = []
        for side, holds in ((value.then, True), (value.other, False)):
            guard = Guard("?", value.test, holds)
            inner = msgspec.structs.replace(scope, guards=(*scope.guards, guard))
            when = (Circumstance(scope.definition.path, scope.definition, guard),)
            found.extend(under(a, when) for a in self._eval(side, inner, depth + 1))
        return found

    def _unary(self, value: Unary, scope: Scope, depth: int) -> list[Alternative]:
        if value.op in ("*", "&"):
            return self._eval(value.operand, scope, depth + 1)
        if value.op == "sizeof":
            return [self._unknown(value, scope, "a size")]
        found = []
        for a in self._eval(value.operand, scope, depth + 1):
            if a.kind == "null":
                a = msgspec.structs.replace(a, kind="number", number=0)
            if a.kind == "text" and value.op == "!":
                a = msgspec.structs.replace(a, kind="number", number=1)
            if a.kind != "number" or a.partial or value.op not in ("-", "~", "!", "+"):
                found.append(self._unknown(value, scope, "computed"))
                continue
            number = {"-": -a.number, "~": ~a.number, "!": int(not a.number), "+": a.number}[value.op]
            pieces = a.pieces
            if len(pieces) == 1:
                pieces = (msgspec.structs.replace(pieces[0], number=number),)
            found.append(msgspec.structs.replace(a, number=number, pieces=pieces))
        return found

    def _binary(self, value: Binary, scope: Scope, depth: int) -> list[Alternative]:
        # Chains of the same operator lean left; they are unrolled so that length costs no depth.
        operands: list[Value] = []
        node: Value = value
        while isinstance(node, Binary) and node.op == value.op and len(operands) < 200:
            operands.append(node.right)
            node = node.left
        operands.append(node)
        operands.reverse()
        if value.op == ",":
            return self._eval(operands[-1], scope, depth + 1)
        found = self._eval(operands[0], scope, depth + 1)
        for operand in operands[1:]:
            right = self._eval(operand, scope, depth + 1)
            found = bounded(
                [
                    combined
                    for a in found
                    for b in right
                    if not conflict(a.when, b.when)
                    for combined in (self._combine(value.op, a, b, value, scope),)
                ]
            )
        return found

    def _combine(self, op: str, a: Alternative, b: Alternative, value: Value, scope: Scope) -> Alternative:
        when = join(a.when, b.when)
        mine = {(p.place, p.text) for p in a.pieces}
        pieces = (*a.pieces, *(p for p in b.pieces if (p.place, p.text) not in mine))[:MAX_PIECES]
        if op == "+" and "text" in (a.kind, b.kind):
            if a.kind == "text" and b.kind == "number":
                return msgspec.structs.replace(a, partial=True)
            text = (a.text if a.kind == "text" else "") + (b.text if b.kind == "text" else "")
            whole = a.kind == b.kind == "text" and not (a.partial or b.partial)
            return Alternative("text", text=text, partial=not whole, pieces=pieces, when=when)
        left, right = as_number(a), as_number(b)
        if op == "|" and (left is None) != (right is None):
            known = left if left is not None else right
            return Alternative("number", known or 0, partial=True, pieces=pieces, when=when)
        if left is None or right is None:
            return Alternative("unknown", pieces=pieces[:8], when=when)
        number = compute(op, left, right)
        if number is None:
            return self._unknown(value, scope, "computed")
        partial = a.partial or b.partial
        if op == "&":
            pieces = tuple(
                msgspec.structs.replace(p, number=p.number & number)
                for p in a.pieces
                if p.number is not None and p.number & number
            )
        elif op not in ("|", "+", "^"):
            place = Place(scope.definition.path, value.span)
            pieces = (Piece(str(number), place, place, scope.definition, number),)
        return Alternative("number", number, partial=partial, pieces=pieces, when=when)

    # ------------------------------------------------------------------ names

    def _name(self, value: Name, scope: Scope, depth: int, index: int | None = None) -> list[Alternative]:
        definition = scope.definition
        place = Place(definition.path, value.span)
        declaring = self.declaring(definition, value.id)
        if declaring is not None:
            return self._local(value, declaring, scope, depth, index)
        owner = self.field_owner(definition, value.id)
        if owner:
            return self._field(owner, value.id, None, value, scope, depth)
        macro = self.symbols.macro(value.id, definition.path)
        if macro is not None:
            return self._macro(value, scope, depth)
        number = self.project.enumerators.get(last_component(value.id))
        if number is None:
            number = api.constant_value(value.id)
        if number is not None:
            piece = Piece(value.id, place, place, definition, number)
            return [Alternative("number", number, pieces=(piece,))]
        variable = self.symbols.variable(value.id, definition.path)
        if variable is not None:
            writes = [w for w in self.writes.named(value.id) if self._writes_global(w, variable.place)]
            initial = [] if any(w.definition.id < 0 for w in writes) else [Alternative("number", 0)]
            if "extern" in variable.declare.type and not writes:
                initial = [self._unknown(value, scope, f"{value.id}, set elsewhere")]
            found = self._elements(writes, index, scope, initial, depth)
            step = Via(variable.place, f"{value.id} is declared here")
            return [passed(a, step) for a in found]
        if "::" in value.id:
            class_ = last_component(value.id.rsplit("::", 1)[0])
            if class_ in self.symbols.classes:
                return self._field(class_, last_component(value.id), None, value, scope, depth)
        return [self._unknown(value, scope, value.id)]

    def _macro(self, value: Name, scope: Scope, depth: int) -> list[Alternative]:
        """What a macro stands for; it has several texts when different ``#if`` arms define it."""
        entries = self.symbols.macros[value.id]
        here = [entry for entry in entries if entry[0] == scope.definition.path]
        nearest = self.symbols.macro(value.id, scope.definition.path)
        chosen = here or [entry for entry in entries if entry[1] is nearest]
        found: list[Alternative] = []
        for path, macro in chosen[:8]:
            if isinstance(macro.value, Name) and macro.value.id == value.id:
                continue
            at = self.project.flow.file_scope(path)
            when = self.circumstances(at, (), macro.span)
            root = Place(path, macro.value.span)
            step = Via(Place(scope.definition.path, value.span), f"{value.id} is a macro")
            for a in self._eval(macro.value, Scope(at), depth + 1):
                found.append(passed(under(rooted(a, root), when), step))
        return found or [self._unknown(value, scope, value.id)]

    def declaring(self, definition: Definition, name: str) -> Definition | None:
        """The function whose local or parameter ``name`` is, seen from ``definition`` outwards."""
        current: Definition | None = definition
        while current is not None:
            if name in current.names:
                return current
            current = self.symbols.parent(current)
        return None

    def field_owner(self, definition: Definition, name: str) -> str:
        """The class whose field the bare name is, for code inside a method; else ""."""
        owner = self.symbols.owner(definition)
        if not owner or "::" in name:
            return ""
        for class_ in self.symbols.lineage(owner, definition.path):
            declared = self.symbols.class_named(class_, definition.path)
            if declared is not None and any(f.name == name for f in declared.fields):
                return declared.name
        return ""

    def _local(
        self, value: Name, declaring: Definition, scope: Scope, depth: int, index: int | None
    ) -> list[Alternative]:
        writes = [
            w
            for w in self.writes.named(value.id)
            if isinstance(w.target, Name) and self._same_local(w, declaring, value.id)
        ]
        initial = self._parameter(value, declaring, scope, depth)
        here = scope if scope.definition is declaring else Scope(scope.definition, scope.frame)
        found = self._elements(writes, index, here, initial, depth)
        return found or [self._unknown(value, scope, f"{value.id}, which gets no value here")]

    def _same_local(self, write: Write, declaring: Definition, name: str) -> bool:
        if write.definition is declaring:
            return True
        return write.definition.id >= 0 and self.declaring(write.definition, name) is declaring

    def _parameter(self, value: Name, declaring: Definition, scope: Scope, depth: int) -> list[Alternative]:
        """What the parameter of that name may be on entry; nothing for other locals."""
        position = _position(declaring, value.id)
        if position is None:
            return []
        found: list[Alternative] = []
        for caller, frame, site, argument, _ in self._arguments(declaring, position, scope.frame):
            inner = Scope(caller, frame, site.order, site.guards, site.node.span)
            when = self.circumstances(caller, site.guards, site.node.span)
            step = Via(
                Place(caller.path, site.node.span), f"passed as {value.id} to {declaring.function.name}()"
            )
            root = Place(caller.path, argument.span)
            for a in self._eval(argument, inner, depth + 1):
                found.append(passed(under(rooted(a, root), when), step))
        return found or [self._unknown(value, scope, f"parameter {value.id} of {declaring.function.name}()")]

    def _arguments(
        self, callee: Definition, position: int, frame: Frame | None
    ) -> list[tuple[Definition, Frame | None, Site, Value, bool]]:
        """The arguments that a parameter gets: of the call in ``frame``, else of all calls."""
        while frame is not None:
            if frame.callee is callee:
                call = frame.site.node
                if isinstance(call, Call) and position < len(call.arguments):
                    return [(frame.caller, frame.parent, frame.site, call.arguments[position], False)]
                return []
            frame = frame.parent
        found: list[tuple[Definition, Frame | None, Site, Value, bool]] = []
        for edge in self.project.flow.callers.get(callee.id, ())[:MAX_CALLERS]:
            call = edge.site.node
            if edge.kind != "argument" and isinstance(call, Call) and position < len(call.arguments):
                found.append((edge.caller, None, edge.site, call.arguments[position], edge.ambiguous))
        return found

    def _writes_global(self, write: Write, place: Place) -> bool:
        if not isinstance(write.target, Name) or write.owner:
            return False
        if write.definition.id >= 0:
            if self.declaring(write.definition, write.target.id) is not None:
                return False
            if self.field_owner(write.definition, write.target.id):
                return False
        elif write.target.span == place.span and write.definition.path == place.path:
            return True
        variable = self.symbols.variable(write.target.id, write.definition.path)
        return variable is not None and variable.place == place

    # ------------------------------------------------------------------ fields

    def _member(self, value: Member, scope: Scope, depth: int) -> list[Alternative]:
        owner = self.writes.class_of(value.object, scope.definition)
        return self._field(owner, value.field, value.object, value, scope, depth)

    def _field(
        self, owner: str, field: str, object: Value | None, value: Value, scope: Scope, depth: int
    ) -> list[Alternative]:
        """What a field of a class, or of the object where it can be named, may hold."""
        pointees = self._objects(object, scope, depth + 1) if object is not None else []
        named = [p for p in pointees if p.object[0] != "class"]
        wanted = [p.object for p in pointees] or [self.writes.instance(owner, scope.definition.path)]
        index = index_of(object)
        number = self.writes.index_number(index, scope.definition.path)
        path = scope.definition.path
        writes = self.writes_to_field(field, wanted, number, depth)
        found: list[Alternative] = []
        if not named and len({w.place for w, _ in writes}) > MAX_LOOSE:
            return [self._unknown(value, scope, f"{field}, which is set in many places")]
        if writes:
            found = self._elements([w for w, _ in writes], number, scope, [], depth, dict_of(writes))
        if object is not None and not writes:
            found = self._from_whole(field, object, scope, depth)
        if not found and named and owner:
            # An object of its own that nothing was written to: zeroed, as far as we see.
            writes = self.writes_to_field(field, [self.writes.instance(owner, path)], number, depth)
            if not writes or named[0].object[0] in ("local", "global"):
                return [Alternative("number", 0)]
            found = self._fold([w for w, _ in writes], scope, [], depth, dict_of(writes))
        return found or [self._unknown(value, scope, f"{field}, which is set elsewhere")]

    def _elements(
        self,
        writes: Sequence[Write],
        index: int | None,
        scope: Scope,
        initial: list[Alternative],
        depth: int,
        pointees: dict[int, Pointee] | None = None,
    ) -> list[Alternative]:
        """What an element of an array holds: that at ``index``, or any when it is None.  Writes to one
        element don't replace another."""
        elements = {id(w): self.writes.element(w) for w in writes}
        known = sorted({e for e in elements.values() if e is not None})
        if index is not None or len(known) < 2:
            chosen = [w for w in writes if index is None or elements[id(w)] in (None, index)]
            return self._fold(chosen, scope, initial, depth, pointees)
        found: list[Alternative] = []
        for element in known[:MAX_CALLERS]:
            group = [w for w in writes if elements[id(w)] in (None, element)]
            found.extend(self._fold(group, scope, [], depth, pointees))
        return found

    def writes_to_field(
        self, field: str, objects: Sequence[Object], index: int | None = None, depth: int = 0
    ) -> list[tuple[Write, Pointee]]:
        """The writes to a field of ``objects``: to exactly those where there are any, else to any
        object of their classes.  ``index`` narrows an array down to one element."""
        exact: list[tuple[Write, Pointee]] = []
        loose: list[tuple[Write, Pointee]] = []
        wanted = set(objects)
        owners = [(o[1], o[2]) for o in objects if o[0] == "class"]
        by_object = None if owners else self._by_object(field)
        if by_object is not None:
            entries = sorted(
                (entry for object in wanted for entry in by_object.get(object, ())),
                key=lambda entry: entry[:2],
                reverse=True,
            )
            # Of several objects that a write may be to, the first counts.
            first = {rank: (write, pointee) for rank, _, write, pointee in entries}
            return [
                pair for pair in reversed(first.values()) if index is None or self._element(pair[0], index)
            ]
        for write in self.writes.named(field):
            if index is not None and not self._element(write, index):
                continue
            for pointee in self.bases(write):
                if pointee.object in wanted:
                    exact.append((write, pointee))
                    break
                if not owners:
                    continue
                if pointee.object[0] == "class":
                    class_, home = pointee.object[1], pointee.object[2]
                else:
                    class_ = self._written_class(write)
                    home = self.writes.home(class_, write.definition.path)
                if (class_, home) in owners or self._related(class_, owners, write):
                    loose.append((write, pointee))
                    break
        # A class stands for all its instances, so what is written to one of them counts too.
        return [*exact, *loose] if owners else exact

    def _by_object(self, field: str) -> dict[Object, list[tuple[int, int, Write, Pointee]]] | None:
        """The writes to a field of that name by the object whose field it is, each with its rank and the
        object's among those that it may be to; None while the index is being made, which asks for values
        itself.

        A tree of many programs has as many writes of each of lws' fields as it has programs.
        """
        if field not in self._object_index:
            writes = self.writes.named(field)
            if len(writes) <= FEW:
                return None
            self._object_index[field] = None
            found: dict[Object, list[tuple[int, int, Write, Pointee]]] = defaultdict(list)
            for rank, write in enumerate(writes):
                for position, pointee in enumerate(self.bases(write)):
                    found[pointee.object].append((rank, position, write, pointee))
            self._object_index[field] = found
        return self._object_index[field]

    def _related(self, class_: str, owners: Sequence[tuple[str, str]], write: Write) -> bool:
        """Whether a class derives from one of ``owners`` or the other way round."""
        if not class_ or class_ not in self.symbols.classes:
            return False
        path = write.definition.path
        lineage = self.symbols.lineage(class_, path)
        return any(
            owner in lineage or class_ in self.symbols.lineage(owner, path)
            for owner, _ in owners
            if owner and owner != class_
        )

    def _element(self, write: Write, index: int) -> bool:
        """Whether a write may be to element ``index`` of its array."""
        number = self.writes.element(write)
        return number is None or number == index

    def _written_class(self, write: Write) -> str:
        if write.owner:
            return write.owner
        if isinstance(write.target, Member):
            return self.writes.class_of(write.target.object, write.definition)
        return self.field_owner(write.definition, write.target.id)

    def bases(self, write: Write) -> list[Pointee]:
        """The objects whose field a write goes to; none when it writes a plain variable.

        Asked once for each write, whoever asks: the answer must not depend on the way there.
        """
        known = self._bases.get(id(write))
        if known is None:
            self._bases[id(write)] = []
            effort, cut = self._effort, self._cut
            self._effort = MAX_BASE_EFFORT
            known = self._write_bases(write)
            self._effort, self._cut = effort, cut
            self._bases[id(write)] = known
        return known

    def _write_bases(self, write: Write) -> list[Pointee]:
        if write.owner:
            return [Pointee(self.writes.instance(write.owner, write.definition.path))]
        if isinstance(write.target, Member):
            return self._objects(write.target.object, Scope(write.definition, None, write.order), 0)
        if write.definition.id < 0:
            class_ = last_component(write.target.id.rsplit("::", 1)[0]) if "::" in write.target.id else ""
            return [Pointee(self.writes.instance(class_, write.definition.path))] if class_ else []
        if self.declaring(write.definition, write.target.id) is not None:
            return []
        owner = self.field_owner(write.definition, write.target.id)
        return [Pointee(self.writes.instance(owner, write.definition.path))] if owner else []

    def _from_whole(self, field: str, object: Value, scope: Scope, depth: int) -> list[Alternative]:
        """What a field holds because the whole object was copied from another."""
        target, _ = target_of(object)
        if not isinstance(target, Name):
            return []
        found: list[Alternative] = []
        declaring = self.declaring(scope.definition, target.id)
        variable = self.symbols.variable(target.id, scope.definition.path) if declaring is None else None
        for write in self.writes.named(target.id):
            if not isinstance(write.target, Name) or write.op != "=":
                continue
            if declaring is not None:
                if not self._same_local(write, declaring, target.id):
                    continue
            elif variable is None or not self._writes_global(write, variable.place):
                continue
            inner = uncast(write.value)
            when = self.around(write)
            if isinstance(inner, Call) and not self.symbols.call_target(inner, write.definition).definitions:
                # A macro we don't see that makes a counted string of a literal.
                texts = [a for a in inner.arguments if isinstance(a, Text)]
                if len(texts) == 1 and len(inner.arguments) == 1:
                    found.extend(under(a, when) for a in self._eval(texts[0], write.scope, depth + 1))
                continue
            if isinstance(inner, Name | Member | Unary | Index):
                part = Member(write.span, inner, field, write.span)
                found.extend(under(a, when) for a in self._eval(part, write.scope, depth + 1))
        if declaring is not None and not found:
            position = _position(declaring, target.id)
            if position is not None:
                for caller, frame, site, argument, _ in self._arguments(declaring, position, scope.frame):
                    part = Member(argument.span, argument, field, argument.span)
                    inner_scope = Scope(caller, frame, site.order, site.guards, site.node.span)
                    when = self.circumstances(caller, site.guards, site.node.span)
                    found.extend(under(a, when) for a in self._eval(part, inner_scope, depth + 1))
        return found

    # ------------------------------------------------------------------ objects

    def _objects(self, value: Value, scope: Scope, depth: int) -> list[Pointee]:
        self._effort -= 1
        if depth > MAX_OBJECT_DEPTH or self._effort < 0:
            self._cut = True
            return []
        key = (id(value), scope.definition.id, id(scope.frame), -1 if scope.order is None else scope.order)
        known = self._pointees.get(key)
        if known is not None:
            return known[2]
        mark = ("object", *key)
        if mark in self._active:
            self._cut = True
            return []
        self._active.add(mark)
        before, self._cut = self._cut, False
        try:
            found = distinct(self._object(value, scope, depth))
        finally:
            self._active.discard(mark)
        if not self._cut:
            self._pointees[key] = (value, scope.frame, found)
        self._cut = self._cut or before
        return found

    def _object(self, value: Value, scope: Scope, depth: int) -> list[Pointee]:
        definition = scope.definition
        match value:
            case Name(id="this"):
                return [Pointee(self.writes.instance(self.symbols.owner(definition), definition.path))]
            case Name():
                return self._named_object(value, scope, depth)
            case Member():
                owner = self.writes.class_of(value.object, definition)
                return self._member_object(owner, value.field, value, scope, depth)
            case Index():
                return self._objects(value.object, scope, depth + 1)
            case Unary(op="*" | "&"):
                return self._objects(value.operand, scope, depth + 1)
            case Cast():
                inner = self._objects(value.operand, scope, depth + 1)
                named = [p for p in inner if p.object[0] != "class"]
                if named:
                    return named
                class_ = self.writes.type_name(value.type, definition.path)
                return (
                    [Pointee(self.writes.instance(class_, definition.path))]
                    if class_ and class_ != "void"
                    else inner
                )
            case Conditional():
                return [
                    *self._objects(value.then, scope, depth + 1),
                    *self._objects(value.other, scope, depth + 1),
                ]
            case Assign(op="="):
                return self._objects(value.value, scope, depth + 1)
            case Binary(op="+" | "-"):
                return self._objects(value.left, scope, depth + 1)
            case Call():
                return self._called_object(value, scope, depth)
            case _:
                return self._some(value, definition)

    def _some(self, value: Value, definition: Definition) -> list[Pointee]:
        class_ = self.writes.class_of(value, definition)
        return [Pointee(self.writes.instance(class_, definition.path))] if class_ else []

    def _named_object(self, value: Name, scope: Scope, depth: int) -> list[Pointee]:
        definition = scope.definition
        declaring = self.declaring(definition, value.id)
        if declaring is None:
            owner = self.field_owner(definition, value.id)
            if owner:
                return self._member_object(owner, value.id, value, scope, depth)
            variable = self.symbols.variable(value.id, definition.path)
            if variable is None:
                return self._some(value, definition)
            me: Object = ("global", variable.path, variable.declare.name)
            type = variable.declare.type
            if by_value(type) or type.endswith("]"):
                return [Pointee(me)]
            writes = [w for w in self.writes.named(value.id) if self._writes_global(w, variable.place)]
            return self._pointed(writes, me, type, definition, depth)
        type = self.symbols.local_type(declaring, value.id) or ""
        me = ("local", declaring.path, str(declaring.id), value.id)
        position = _position(declaring, value.id)
        if position is None and (by_value(type) or type.endswith("]")):
            return [Pointee(me)]
        class_ = self.writes.type_name(type, declaring.path)
        if class_ in self.symbols.classes and class_ not in _IDENTIFIED:
            # Which instance a pointer to a class of the project means is seldom worth the search.
            return [Pointee(self.writes.instance(class_, declaring.path))]
        writes = [
            w
            for w in self.writes.named(value.id)
            if isinstance(w.target, Name) and w.op == "=" and self._same_local(w, declaring, value.id)
        ]
        found: list[Pointee] = []
        if position is not None:
            for caller, frame, site, argument, _ in self._arguments(declaring, position, scope.frame):
                when = self.circumstances(caller, site.guards, site.node.span)
                step = Via(
                    Place(caller.path, site.node.span),
                    f"passed as {value.id} to {declaring.function.name}()",
                )
                inner = Scope(caller, frame, site.order)
                for p in self._objects(argument, inner, depth + 1):
                    found.append(Pointee(p.object, (*p.via, step), join(when, p.when)))
            if not found and not writes:
                if class_ in _IDENTIFIED:
                    # A struct that the caller hands in: an object of its own within this function.
                    return [Pointee(me)]
                return [Pointee(self.writes.instance(class_, definition.path))] if class_ else []
        if writes:
            found.extend(self._pointed(writes, me, type, definition, depth))
        return found or self._some(value, definition)

    def _pointed(
        self, writes: Sequence[Write], me: Object, type: str, definition: Definition, depth: int
    ) -> list[Pointee]:
        """What a pointer points to, given the writes to it; ``me`` names what it alone knows."""
        found: list[Pointee] = []
        for write in writes[:MAX_CALLERS]:
            inner = uncast(write.value)
            if isinstance(inner, Null) or (isinstance(inner, Number) and not inner.value):
                continue
            if write.op not in ("=",):
                continue
            if isinstance(inner, Initializer) or _allocates(inner):
                found.append(Pointee(me))
                continue
            found.extend(self._objects(write.value, write.scope, depth + 1))
        named = [p for p in found if p.object[0] != "class"]
        if named:
            return named
        class_ = self.writes.type_name(type, definition.path)
        if class_ in _IDENTIFIED and not found:
            return [Pointee(me)]
        return found or ([Pointee(self.writes.instance(class_, definition.path))] if class_ else [])

    def _member_object(self, owner: str, field: str, value: Value, scope: Scope, depth: int) -> list[Pointee]:
        type = self.symbols.type_of(value, scope.definition)
        me: Object = ("member", owner, field, self.writes.home(owner, scope.definition.path))
        pointers = self._hides_pointer(type)
        if not pointers and (by_value(type) or type.endswith("]")):
            return [Pointee(me)]
        class_ = self.writes.type_name(type, scope.definition.path)
        if class_ and class_ not in _IDENTIFIED and class_ != "void" and class_ not in _VOIDS:
            return [Pointee(self.writes.instance(class_, scope.definition.path))]
        writes = [
            w
            for w, _ in self.writes_to_field(
                field, [self.writes.instance(owner, scope.definition.path)], None, depth
            )
            if w.op == "="
        ]
        return self._pointed(writes, me, type, scope.definition, depth)

    def _hides_pointer(self, type: str) -> bool:
        """Whether a type as written is (an array of) a typedef that stands for a pointer."""
        word = last_component(class_name(type))
        return word in _VOIDS or any("*" in alias.type for _, alias in self.symbols.aliases.get(word, ()))

    def _called_object(self, call: Call, scope: Scope, depth: int) -> list[Pointee]:
        definition = scope.definition
        if isinstance(call.function, Member) and call.function.field in (
            "get",
            "data",
            "at",
            "lock",
            "value",
        ):
            if not self.symbols.call_target(call, definition).definitions:
                return self._objects(call.function.object, scope, depth + 1)
        found: list[Pointee] = []
        site = _site_of(definition, call)
        for callee in self.symbols.call_target(call, definition).definitions[:4]:
            for returned in callee.body.returns:
                node = returned.node
                if isinstance(node, Return) and node.value is not None and site is not None:
                    frame = Frame(callee, definition, site, scope.frame)
                    inner = Scope(callee, frame, returned.order, returned.guards, node.span)
                    found.extend(self._objects(node.value, inner, depth + 1))
        named = [p for p in found if p.object[0] != "class"]
        return named or self._some(call, definition)

    # ------------------------------------------------------------------ calls

    def _call(self, call: Call, scope: Scope, depth: int) -> list[Alternative]:
        name = callee_name(call)
        plain = name.split("<", 1)[0]
        arguments = call.arguments
        if plain in ("std::make_unique", "std::make_shared") or _allocates(call):
            return [self._unknown(call, scope, "newly allocated")]
        binding = self.symbols.call_target(call, scope.definition)
        if binding.definitions:
            return self._returned(call, binding.definitions, scope, depth)
        if isinstance(call.function, Member) and call.function.field in _VIEWS:
            return self._eval(call.function.object, scope, depth + 1)
        if isinstance(call.function, Member) and call.function.field in _ELEMENTS:
            position = arguments[0] if arguments else _ELEMENTS[call.function.field]
            number = self.writes.index_number(position, scope.definition.path)
            return self._element_of(call.function.object, number, scope, depth)
        if isinstance(call.function, Member) and call.function.field in (
            "empty",
            "isEmpty",
            "size",
            "length",
        ):
            return [self._unknown(call, scope, f"{name}()")]
        which = SAME_TEXT.get(plain)
        if which is None and call.kind == "construct" and "string" in plain.lower():
            which = 0
        if which is not None:
            if which < len(arguments):
                return self._eval(arguments[which], scope, depth + 1)
            return [Alternative("text", text="")] if not arguments else [self._unknown(call, scope, name)]
        if call.kind == "construct" and len(arguments) == 1:
            return self._eval(arguments[0], scope, depth + 1)
        if plain in ("std::getenv", "getenv", "g_getenv", "secure_getenv") and arguments:
            variable = arguments[0]
            text = variable.value if isinstance(variable, Text) else "…"
            return [self._unknown(call, scope, f"environment variable {text}")]
        return [self._unknown(call, scope, f"{name or 'a call'}()")]

    def _returned(
        self, call: Call, callees: Sequence[Definition], scope: Scope, depth: int
    ) -> list[Alternative]:
        site = _site_of(scope.definition, call)
        if site is None:
            return [self._unknown(call, scope, f"{callee_name(call)}()")]
        found: list[Alternative] = []
        for callee in callees[:4]:
            frame = Frame(callee, scope.definition, site, scope.frame)
            step = Via(Place(scope.definition.path, call.span), f"returned by {callee.function.name}()")
            for statement in callee.function.body if callee.function.kind == "macro" else ():
                if isinstance(statement, Evaluate):
                    inner = Scope(callee, frame, None)
                    for a in self._eval(statement.value, inner, depth + 1):
                        found.append(passed(a, step))
            for returned in callee.body.returns:
                node = returned.node
                if not isinstance(node, Return) or node.value is None:
                    continue
                inner = Scope(callee, frame, returned.order, returned.guards, node.span)
                when = self.circumstances(callee, returned.guards, node.span)
                root = Place(callee.path, node.value.span)
                for a in self._eval(node.value, inner, depth + 1):
                    found.append(passed(under(rooted(a, root), when), step))
        return found or [self._unknown(call, scope, f"{callee_name(call)}()")]

    # ------------------------------------------------------------------ reaching writes

    def _fold(
        self,
        writes: Sequence[Write],
        scope: Scope,
        initial: list[Alternative],
        depth: int,
        pointees: dict[int, Pointee] | None = None,
    ) -> list[Alternative]:
        """What a thing holds at ``scope`` after ``writes``.

        Writes in the reading function count in their order up to the reading place; those of other
        functions count in any order, each as a possibility.
        """
        here = [w for w in writes if w.definition is scope.definition]
        others = [w for w in writes if w.definition is not scope.definition]
        if scope.order is not None and here:
            order = scope.order
            here = [w for w in here if w.order < order or _same_loop(w.guards, scope.guards)]
            here = [w for w in here if w.order < order] or here
        here = sorted((w for w in here if not self._excluded(w, scope)), key=lambda w: w.order)
        for position in range(len(here) - 1, -1, -1):
            # What was there before an assignment that always happens does not matter.
            pointee = pointees.get(id(here[position])) if pointees is not None else None
            when = join(pointee.when if pointee else (), self.around(here[position]))
            if here[position].op == "=" and not self._chosen(when, scope):
                here, others = here[position:], []
                break
        state = list(initial)
        adders: list[Write] = []
        for group in _grouped(others):
            # What a function adds without setting it first is added to whatever came from elsewhere.
            setting = False
            held: list[Alternative] = []
            for write in group:
                setting = setting or write.op in ("=", "item")
                if setting:
                    held = self._apply(held, write, scope, depth, pointees)
                else:
                    adders.append(write)
            state.extend(held)
        for write in adders:
            state = self._apply(state, write, scope, depth, pointees, optional=True)
        seen: list[Write] = []
        for write in here:
            state = self._apply(state, write, scope, depth, pointees)
            if write.op == "=":
                state = self._without_stale(state, write, seen, scope)
                seen.append(write)
        return bounded(state)

    def _chosen(self, when: tuple[Circumstance, ...], scope: Scope) -> list[Circumstance]:
        """The conditions that do not hold at ``scope`` anyway."""
        if not when:
            return []
        shared = self.circumstances(scope.definition, scope.guards, scope.at or Span(0, 1 << 62))
        return [c for c in when if not any(c.same(s) for s in shared)]

    def _excluded(self, write: Write, scope: Scope) -> bool:
        """Whether a write stands in a branch that the reading place is not in."""
        for a in write.guards:
            for b in scope.guards:
                if a.test is not None and a.test is b.test and a.kind in ("if", "?", "switch"):
                    if a.holds != b.holds:
                        return True
        return False

    def _without_stale(
        self, state: list[Alternative], write: Write, seen: Sequence[Write], scope: Scope
    ) -> list[Alternative]:
        """Drop what was there before when both branches of one condition set the thing anew."""
        mine = self.around(write)
        if not mine:
            return state
        for earlier in seen:
            theirs = self.around(earlier)
            if len(theirs) == len(mine) and mine[-1].opposes(theirs[-1]):
                if all(a.same(b) for a, b in zip(mine[:-1], theirs[:-1], strict=True)):
                    ends = (mine[-1], theirs[-1])
                    return [a for a in state if any(c.same(e) for c in a.when for e in ends)]
        return state

    def _apply(
        self,
        state: list[Alternative],
        write: Write,
        scope: Scope,
        depth: int,
        pointees: dict[int, Pointee] | None,
        *,
        optional: bool = False,
    ) -> list[Alternative]:
        """The alternatives after one more write."""
        pointee = pointees.get(id(write)) if pointees is not None else None
        when = self.around(write)
        if pointee is not None:
            when = join(pointee.when, when)
        chosen = self._chosen(when, scope)
        frame = scope.frame if write.definition is scope.definition else None
        inner = Scope(write.definition, frame, write.order, write.guards, write.span)
        if write.op == "out":
            return self._out(state, write, inner, when, chosen, depth)
        root = Place(write.definition.path, write.value.span)
        steps = [] if write.definition is scope.definition else [Via(write.place, "set here")]
        if pointee is not None:
            steps.extend(pointee.via)
        values = []
        for a in self._eval(write.value, inner, depth + 1):
            a = under(rooted(a, root), when)
            for step in steps:
                a = passed(a, step)
            values.append(a)
        if write.op == "item":
            return [*state, *(as_partial(v) for v in values)]
        if write.op == "=":
            if not chosen:
                return values
            spared = _negated(chosen)
            kept = [a for a in state if not covers(a.when, chosen)]
            return [*(_also(a, spared) for a in kept), *values]
        op = write.op[:-1]
        if not state:
            state = [
                Alternative("text" if any(v.kind == "text" for v in values) else "number", partial=False)
            ]
        looped = op == "+" and any(v.kind == "text" for v in values)
        found: list[Alternative] = []
        for old in state:
            if conflict(old.when, tuple(chosen)):
                found.append(old)
                continue
            if optional or (chosen and not covers(old.when, chosen)):
                found.append(_also(old, _negated(chosen)))
            if looped and any(g.kind == "loop" for g in write.guards):
                # Built up piece by piece: the pieces are all we tell.
                found.extend(as_partial(v) for v in values)
                continue
            found.extend(
                self._combine(op, old, v, write.value, inner)
                for v in values
                if not conflict(old.when, v.when)
            )
        return bounded(found)

    def _out(
        self,
        state: list[Alternative],
        write: Write,
        inner: Scope,
        when: tuple[Circumstance, ...],
        chosen: list[Circumstance],
        depth: int,
    ) -> list[Alternative]:
        """The alternatives after a call that gets the thing's address."""
        call = write.value
        if not isinstance(call, Call) or write.site is None:
            return state
        callees = self.symbols.call_target(call, write.definition).definitions
        known = [c for c in callees if write.argument < len(c.function.parameters)]
        if not known:
            name = callee_name(call)
            if api.function(name) is not None and not name.startswith("lws_parse_uri"):
                return state
            unknown = self._unknown(call, inner, f"set by {name or 'a call'}()")
            return [*state, under(unknown, when)]
        self._effort -= OUT_EFFORT
        nested = sum(1 for mark in self._active if mark[0] == "out")
        if depth > MAX_DEPTH or nested >= MAX_OUT_NESTING or self._effort < 0:
            self._cut = True
            return [*state, self._unknown(call, inner, "too deep to follow")]
        for callee in known[:4]:
            parameter = callee.function.parameters[write.argument].name
            mark = ("out", callee.id, write.argument)
            if mark in self._active:
                self._cut = True
                continue
            frame = Frame(callee, write.definition, write.site, inner.frame)
            writes = [
                w
                for w in self.writes.named(parameter)
                if w.definition is callee and isinstance(w.target, Name) and w.target.id == parameter
            ]
            step = Via(Place(write.definition.path, call.span), f"{callee.function.name}() sets it")
            at = Scope(callee, frame)
            before = state
            after = state
            # What a way out of the callee leaves behind: no later write there takes it back.
            final: list[Alternative] = []
            self._active.add(mark)
            try:
                for w in sorted(writes, key=lambda w: w.order):
                    if w.op == "=" and w.index is None and not _dereferences(w):
                        continue
                    after = self._apply(after, w, at, depth + 1, None)
                    if _returns_after(w):
                        met = self._chosen(self.around(w), at)
                        final += [a for a in after if covers(a.when, met) and a not in final]
            finally:
                self._active.discard(mark)
            after = [*(a for a in final if a not in after), *after]
            after = [a if a in before else passed(under(a, when), step) for a in after]
            state = [*before, *(a for a in after if a not in before)] if chosen else after
        return bounded(state)


# --------------------------------------------------------------------------- small helpers

_IDENTIFIED = frozenset(["lws_client_connect_info", "lws_context_creation_info", "lws_protocols"])
_VOIDS = frozenset(["PVOID", "LPVOID", "gpointer", "UINT64", "uintptr_t", "intptr_t"])


def _position(definition: Definition, name: str) -> int | None:
    for position, parameter in enumerate(definition.function.parameters):
        if parameter.name == name:
            return position
    return None


def _site_of(definition: Definition, call: Call) -> Site | None:
    for site in definition.body.calls:
        if site.node is call:
            return site
    if definition.id < 0:
        return Site(call, 0, ())
    return None


def _allocates(value: Value) -> bool:
    if not isinstance(value, Call):
        return False
    return value.kind == "new" or last_component(callee_name(value)) in _ALLOCATES


def _dereferences(write: Write) -> bool:
    """Whether a write to a pointer or reference parameter goes to what it refers to."""
    parameters = write.definition.function.parameters
    target = write.target
    if not isinstance(target, Name):
        return True
    type = next((p.type for p in parameters if p.name == target.id), "")
    if "&" in type:
        return True
    node = write.site.node if write.site is not None else None
    return isinstance(node, Assign) and not isinstance(uncast(node.target), Name)


def _returns_after(write: Write) -> bool:
    """Whether the function returns behind a write, on the same side of the same condition."""
    site = write.site
    if site is None or not site.guards:
        return False
    return any(r.order > site.order and r.guards == site.guards for r in write.definition.body.returns)


def _negated(chosen: Sequence[Circumstance]) -> tuple[Circumstance, ...]:
    """What holds where a write under ``chosen`` did not happen, when that is one condition."""
    if len(chosen) != 1 or chosen[0].guard is None or chosen[0].guard.kind not in ("if", "?"):
        return ()
    guard = chosen[0].guard
    opposite = msgspec.structs.replace(guard, holds=not guard.holds)
    return (Circumstance(chosen[0].path, chosen[0].definition, opposite),)


def _also(a: Alternative, when: tuple[Circumstance, ...]) -> Alternative:
    """The alternative under one more condition, which is not on the way of its pieces."""
    return msgspec.structs.replace(a, when=join(a.when, when)) if when else a


def _same_loop(a: Sequence[Guard], b: Sequence[Guard]) -> bool:
    return any(g.kind == "loop" and any(g is h for h in b) for g in a)


def _grouped(writes: Sequence[Write]) -> list[list[Write]]:
    """The writes by function, in the order of the functions, each group in order of evaluation."""
    groups: dict[tuple[str, int], list[Write]] = {}
    for write in writes:
        groups.setdefault((write.definition.path, write.definition.id), []).append(write)
    # File-scope initialisers (rank -1) are what the others build on.
    ordered = sorted(groups.items(), key=lambda entry: (entry[0][1] >= 0, entry[0]))
    return [sorted(group, key=lambda w: w.order) for _, group in ordered]
