"""Lowers libcst nodes into facts; :mod:`lwslint.frontends.python` says how."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Sequence

import libcst as cst

from lwslint.facts import (
    Alias,
    Arm,
    Assign,
    Binary,
    Block,
    Call,
    Class,
    Conditional,
    Declare,
    Evaluate,
    Field,
    FileFacts,
    Function,
    If,
    Index,
    Initializer,
    Item,
    Jump,
    Keyword,
    Lambda,
    Loop,
    Member,
    Name,
    Null,
    Number,
    Parameter,
    Return,
    Span,
    Statement,
    Switch,
    Text,
    Unary,
    Unknown,
    Value,
)
from lwslint.frontends.python_positions import Positions

MAX_DEPTH = 120  # of expressions inside each other; three stack frames each
MODULE = "<module>"
LAMBDA = "<lambda>"

_BINARY: dict[type[cst.CSTNode], str] = {
    cst.Add: "+",
    cst.Subtract: "-",
    cst.Multiply: "*",
    cst.Divide: "/",
    cst.FloorDivide: "//",
    cst.Modulo: "%",
    cst.Power: "**",
    cst.MatrixMultiply: "@",
    cst.LeftShift: "<<",
    cst.RightShift: ">>",
    cst.BitOr: "|",
    cst.BitAnd: "&",
    cst.BitXor: "^",
    cst.And: "&&",
    cst.Or: "||",
    cst.Equal: "==",
    cst.NotEqual: "!=",
    cst.LessThan: "<",
    cst.LessThanEqual: "<=",
    cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=",
    cst.Is: "is",
    cst.IsNot: "is not",
    cst.In: "in",
    cst.NotIn: "not in",
}
_AUGMENTED: dict[type[cst.CSTNode], str] = {
    cst.AddAssign: "+=",
    cst.SubtractAssign: "-=",
    cst.BitOrAssign: "|=",
    cst.BitAndAssign: "&=",
    cst.BitXorAssign: "^=",
    cst.LeftShiftAssign: "<<=",
    cst.RightShiftAssign: ">>=",
}
_UNARY: dict[type[cst.CSTNode], str] = {cst.Not: "!", cst.Minus: "-", cst.Plus: "+", cst.BitInvert: "~"}
_NAMES = {"True": 1, "False": 0}

Body = tuple[Statement, ...]


class _Scope:
    """What surrounds the code being lowered."""

    def __init__(self, function: int, prefix: str, owner: str = "") -> None:
        self.function = function
        self.prefix = prefix
        self.owner = owner

    def qualify(self, name: str) -> str:
        return f"{self.prefix}.{name}" if self.prefix else name


def lower(path: str, data: bytes, module: cst.Module, positions: Positions) -> FileFacts:
    """The facts of a parsed module."""
    return _Lowering(path, data, positions).module(module)


class _Lowering:
    def __init__(self, path: str, data: bytes, positions: Positions) -> None:
        self._path = path
        self._data = data
        self._span = positions.span
        self._functions: list[Function | None] = []
        self._classes: list[Class] = []
        self._aliases: list[Alias] = []
        self._fields: dict[str, dict[str, Field]] = {}

    def module(self, module: cst.Module) -> FileFacts:
        self._functions.append(None)
        body = self._body(module.body, _Scope(0, ""))
        span = Span(0, len(self._data))
        self._functions[0] = Function(MODULE, MODULE, span, Span(0, 0), (), body)
        return FileFacts(
            path=self._path,
            language="python",
            size=len(self._data),
            functions=tuple(function for function in self._functions if function is not None),
            classes=tuple(self._classes),
            aliases=tuple(self._aliases),
            includes=tuple(dict.fromkeys(alias.type for alias in self._aliases)),
        )

    def _text(self, node: cst.CSTNode) -> str:
        span = self._span(node)
        return " ".join(self._data[span.start : span.end].decode("utf-8", "replace").split())

    # ------------------------------------------------------------------ statements

    def _body(self, nodes: Sequence[cst.CSTNode], scope: _Scope) -> Body:
        found: list[Statement] = []
        for node in nodes:
            found += self._statement(node, scope)
        return tuple(found)

    def _suite(self, node: cst.CSTNode, scope: _Scope) -> Body:
        if isinstance(node, (cst.IndentedBlock, cst.SimpleStatementSuite)):
            return self._body(node.body, scope)
        return ()

    def _statement(self, node: cst.CSTNode, scope: _Scope) -> Iterable[Statement]:
        span = self._span(node)
        match node:
            case cst.SimpleStatementLine():
                return self._body(node.body, scope)
            case cst.Expr():
                return [Evaluate(span, self._value(node.value, scope))]
            case cst.Assign():
                value = self._value(node.value, scope)
                for target in reversed(node.targets):
                    value = Assign(span, self._target(target.target, scope), "=", value)
                self._note_fields(value, scope)
                return [Evaluate(span, value)]
            case cst.AnnAssign():
                return self._annotated(node, span, scope)
            case cst.AugAssign():
                op = _AUGMENTED.get(type(node.operator), "op=")
                target_value = self._target(node.target, scope)
                return [Evaluate(span, Assign(span, target_value, op, self._value(node.value, scope)))]
            case cst.Return():
                return [Return(span, None if node.value is None else self._value(node.value, scope))]
            case cst.Raise():
                raised = Unknown(span) if node.exc is None else self._value(node.exc, scope)
                return [Evaluate(span, Unary(span, "throw", raised))]
            case cst.Del():
                return [Evaluate(span, Unary(span, "delete", self._value(node.target, scope)))]
            case cst.Assert():
                return [Evaluate(span, Unary(span, "assert", self._value(node.test, scope)))]
            case cst.Break():
                return [Jump(span, "break")]
            case cst.Continue():
                return [Jump(span, "continue")]
            case cst.Global() | cst.Nonlocal():
                return [
                    Declare(span, item.name.value, self._span(item.name), "global", None, True)
                    for item in node.names
                ]
            case cst.Import() | cst.ImportFrom():
                self._import(node)
                return []
            case cst.If():
                return [self._if(node, scope)]
            case cst.While():
                inner = self._suite(node.body, scope)
                loop = Loop(span, "while", self._value(node.test, scope), inner)
                return [loop, *self._else(node.orelse, scope)]
            case cst.For():
                return self._for(node, span, scope)
            case cst.Try() | cst.TryStar():
                return self._try(node, span, scope)
            case cst.With():
                entered = [self._with_item(item, scope) for item in node.items]
                return [Block(span, (*entered, *self._suite(node.body, scope)), "with")]
            case cst.Match():
                return [self._match(node, span, scope)]
            case cst.FunctionDef():
                return [self._function(node, scope)]
            case cst.ClassDef():
                return self._class(node, scope)
        return []

    def _annotated(self, node: cst.AnnAssign, span: Span, scope: _Scope) -> Iterable[Statement]:
        type_ = self._text(node.annotation.annotation)
        value = None if node.value is None else self._value(node.value, scope)
        if isinstance(node.target, cst.Name):
            return [Declare(span, node.target.value, self._span(node.target), type_, value)]
        if value is None:
            value = Unknown(span)
        assigned = Assign(span, self._target(node.target, scope), "=", value)
        self._note_fields(assigned, scope, type_)
        return [Evaluate(span, assigned)]

    def _note_fields(self, value: Value, scope: _Scope, type_: str = "") -> None:
        """Remember ``self.x = value`` as a field of the class whose method this is."""
        while isinstance(value, Assign):
            target = value.target
            if scope.owner and isinstance(target, Member) and isinstance(target.object, Name):
                if target.object.id == "self":
                    fields = self._fields.setdefault(scope.owner, {})
                    fields.setdefault(
                        target.field, Field(target.field, type_, target.field_span, value.value)
                    )
            value = value.value

    def _if(self, node: cst.If, scope: _Scope) -> If:
        """An ``elif`` chain becomes nested ``If``s, built from its end: chains of hundreds occur."""
        chain = [node]
        while isinstance(chain[-1].orelse, cst.If):
            chain.append(chain[-1].orelse)
        branches = [(self._span(b), self._value(b.test, scope), self._suite(b.body, scope)) for b in chain]
        last = chain[-1].orelse
        other: Body = self._suite(last.body, scope) if isinstance(last, cst.Else) else ()
        for span, test, then in reversed(branches):
            other = (If(span, test, then, other),)
        found = other[0]
        assert isinstance(found, If)
        return found

    def _else(self, node: cst.Else | None, scope: _Scope) -> Iterable[Statement]:
        return [] if node is None else [Block(self._span(node), self._suite(node.body, scope))]

    def _for(self, node: cst.For, span: Span, scope: _Scope) -> Iterable[Statement]:
        over = self._value(node.iter, scope)
        if node.asynchronous is not None:
            over = Unary(over.span, "await", over)
        source = Unknown(over.span, (over,))
        before: Statement
        if isinstance(node.target, cst.Name):
            place = self._span(node.target)
            before = Declare(place, node.target.value, place, "", source)
        else:
            target = self._target(node.target, scope)
            before = Evaluate(target.span, Assign(target.span, target, "=", source))
        body = self._suite(node.body, scope)
        return [Loop(span, "range", None, body, (before,)), *self._else(node.orelse, scope)]

    def _try(self, node: cst.Try | cst.TryStar, span: Span, scope: _Scope) -> Iterable[Statement]:
        yield Block(self._span(node.body), self._suite(node.body, scope), "try")
        for handler in node.handlers:
            place = self._span(handler)
            name = ""
            if handler.name is not None and isinstance(handler.name.name, cst.Name):
                name = handler.name.name.value
            type_ = "" if handler.type is None else self._text(handler.type)
            caught = Declare(place, name, place, type_)
            yield Block(place, (caught, *self._suite(handler.body, scope)), "catch")
        yield from self._else(node.orelse, scope)
        if node.finalbody is not None:
            yield Block(self._span(node.finalbody), self._suite(node.finalbody.body, scope))

    def _with_item(self, node: cst.WithItem, scope: _Scope) -> Statement:
        value = self._value(node.item, scope)
        entered = Unary(value.span, "with", value)
        if node.asname is None:
            return Evaluate(value.span, entered)
        target = self._target(node.asname.name, scope)
        assigned = Assign(Span(value.span.start, target.span.end), target, "=", entered)
        self._note_fields(assigned, scope)
        return Evaluate(assigned.span, assigned)

    def _match(self, node: cst.Match, span: Span, scope: _Scope) -> Switch:
        arms: list[Arm] = []
        for case in node.cases:
            place = self._span(case)
            pattern = case.pattern
            default = case.guard is None and isinstance(pattern, cst.MatchAs) and pattern.pattern is None
            label: Value = Unknown(self._span(pattern))
            if isinstance(pattern, cst.MatchValue):
                label = self._value(pattern.value, scope)
            body = self._suite(case.body, scope)
            if case.guard is not None:
                body = (If(place, self._value(case.guard, scope), body),)
            arms.append(Arm(place, (label,), default, (*body, Jump(place, "break"))))
        return Switch(span, self._value(node.subject, scope), tuple(arms))

    def _import(self, node: cst.Import | cst.ImportFrom) -> None:
        span = self._span(node)
        if isinstance(node, cst.Import):
            for item in node.names:
                name = _dotted(item.name)
                if item.asname is not None and isinstance(item.asname.name, cst.Name):
                    self._aliases.append(Alias(item.asname.name.value, name, span))
                else:
                    # `import a.b` binds `a`; what is written later is `a.b.c`.
                    self._aliases.append(Alias(name.partition(".")[0], name.partition(".")[0], span))
                    if "." in name:
                        self._aliases.append(Alias("", name, span))
            return
        module = "." * len(node.relative) + ("" if node.module is None else _dotted(node.module))
        if isinstance(node.names, cst.ImportStar):
            self._aliases.append(Alias("*", module, span))
            return
        for item in node.names:
            local = item.evaluated_alias or item.evaluated_name
            dot = "" if module.endswith(".") else "."
            self._aliases.append(Alias(local, f"{module}{dot}{item.evaluated_name}", span))

    # ------------------------------------------------------------------ definitions

    def _function(self, node: cst.FunctionDef, scope: _Scope) -> Statement:
        span = self._span(node)
        name = node.name.value
        qualified = scope.qualify(name)
        index = len(self._functions)
        self._functions.append(None)
        kind = "function"
        if scope.owner and scope.prefix == scope.owner:
            kind = "constructor" if name == "__init__" else "method"
        inner = _Scope(index, qualified, scope.owner)
        decorators = tuple(self._value(d.decorator, scope) for d in node.decorators)
        self._functions[index] = Function(
            name=name,
            qualified=qualified,
            span=span,
            name_span=self._span(node.name),
            parameters=self._parameters(node.params, scope),
            body=self._suite(node.body, inner),
            kind=kind,
            owner=scope.owner if kind != "function" else "",
            returns="" if node.returns is None else self._text(node.returns.annotation),
            parent=scope.function,
            coroutine=node.asynchronous is not None,
            decorators=decorators,
        )
        value = Lambda(self._span(node.name), index)
        return Declare(span, name, self._span(node.name), "def", value)

    def _parameters(self, node: cst.Parameters, scope: _Scope) -> tuple[Parameter, ...]:
        found = [self._parameter(p, "", scope) for p in (*node.posonly_params, *node.params)]
        if isinstance(node.star_arg, cst.Param):
            found.append(self._parameter(node.star_arg, "*", scope))
        found += [self._parameter(p, "", scope) for p in node.kwonly_params]
        if node.star_kwarg is not None:
            found.append(self._parameter(node.star_kwarg, "**", scope))
        return tuple(found)

    def _parameter(self, node: cst.Param, stars: str, scope: _Scope) -> Parameter:
        type_ = "" if node.annotation is None else self._text(node.annotation.annotation)
        default = None if node.default is None else self._value(node.default, scope)
        return Parameter(stars + node.name.value, type_, self._span(node.name), default)

    def _class(self, node: cst.ClassDef, scope: _Scope) -> Iterable[Statement]:
        qualified = scope.qualify(node.name.value)
        inner = _Scope(scope.function, qualified, qualified)
        fields = self._fields.setdefault(qualified, {})
        body: list[Statement] = []
        methods: list[str] = []
        for statement in self._suite(node.body, inner):
            if isinstance(statement, Declare) and statement.type == "def":
                methods.append(statement.name)
            else:
                body += self._class_level(statement, node, fields)
        bases = tuple(self._text(base.value) for base in node.bases if base.star == "")
        self._classes.append(
            Class(
                name=node.name.value,
                qualified=qualified,
                span=self._span(node),
                fields=tuple(fields.values()),
                bases=bases,
                methods=tuple(methods),
                public=tuple(name for name in methods if not name.startswith("_")),
            )
        )
        return body

    def _class_level(
        self, statement: Statement, node: cst.ClassDef, fields: dict[str, Field]
    ) -> Iterable[Statement]:
        """What a class body says, as statements of the function around the class."""
        owner = Name(self._span(node.name), node.name.value)
        if isinstance(statement, Declare):
            field = Field(statement.name, statement.type, statement.name_span, statement.value)
            fields[statement.name] = field
            if statement.value is None:
                return []
            target = Member(statement.name_span, owner, statement.name, statement.name_span)
            return [Evaluate(statement.span, Assign(statement.span, target, "=", statement.value))]
        if isinstance(statement, Evaluate) and isinstance(statement.value, Assign):
            assigned = statement.value
            if isinstance(assigned.target, Name):
                name = assigned.target.id
                fields[name] = Field(name, "", assigned.target.span, assigned.value)
                target = Member(assigned.target.span, owner, name, assigned.target.span)
                return [Evaluate(statement.span, Assign(assigned.span, target, assigned.op, assigned.value))]
        return [statement]

    # ------------------------------------------------------------------ expressions

    def _target(self, node: cst.CSTNode, scope: _Scope) -> Value:
        return self._value(node, scope)

    def _value(self, node: cst.CSTNode, scope: _Scope, depth: int = 0) -> Value:
        span = self._span(node)
        if depth > MAX_DEPTH:
            return Unknown(span)
        inner = depth + 1
        match node:
            case cst.Name():
                if node.value == "None":
                    return Null(span)
                if node.value in _NAMES:
                    return Number(span, _NAMES[node.value])
                return Name(span, node.value)
            case cst.Attribute():
                owner = self._value(node.value, scope, inner)
                return Member(span, owner, node.attr.value, self._span(node.attr))
            case cst.Call():
                return self._call(node, span, scope, inner)
            case cst.SimpleString() | cst.ConcatenatedString() | cst.FormattedString():
                return self._string(node, span, scope, inner)
            case cst.Integer():
                return Number(span, _integer(node.value))
            case cst.Await():
                return Unary(span, "await", self._value(node.expression, scope, inner))
            case cst.UnaryOperation():
                op = _UNARY.get(type(node.operator), "?")
                return Unary(span, op, self._value(node.expression, scope, inner))
            case cst.BinaryOperation() | cst.BooleanOperation():
                op = _BINARY.get(type(node.operator), "?")
                left = self._value(node.left, scope, inner)
                right = self._value(node.right, scope, inner)
                return _joined(span, left, right) if op == "+" else Binary(span, op, left, right)
            case cst.Comparison():
                return self._comparison(node, span, scope, inner)
            case cst.IfExp():
                test = self._value(node.test, scope, inner)
                then = self._value(node.body, scope, inner)
                return Conditional(span, test, then, self._value(node.orelse, scope, inner))
            case cst.NamedExpr():
                target = self._target(node.target, scope)
                return Assign(span, target, "=", self._value(node.value, scope, inner))
            case cst.Lambda():
                return self._lambda(node, span, scope, inner)
            case cst.List() | cst.Tuple() | cst.Set():
                items = tuple(self._item(e, scope, inner) for e in node.elements)
                return Initializer(span, items, type(node).__name__.lower())
            case cst.Dict():
                return Initializer(span, tuple(self._entry(e, scope, inner) for e in node.elements), "dict")
            case cst.Subscript():
                return self._subscript(node, span, scope, inner)
            case cst.Yield():
                yielded = node.value.item if isinstance(node.value, cst.From) else node.value
                parts = () if yielded is None else (self._value(yielded, scope, inner),)
                return Unary(span, "yield", parts[0]) if parts else Unknown(span)
            case cst.StarredElement():
                return Unary(span, "*", self._value(node.value, scope, inner))
            case cst.ListComp() | cst.SetComp() | cst.GeneratorExp():
                return Unknown(span, self._comprehension(node.elt, node.for_in, scope, inner))
            case cst.DictComp():
                key = self._value(node.key, scope, inner)
                return Unknown(span, (key, *self._comprehension(node.value, node.for_in, scope, inner)))
        return Unknown(span)

    def _call(self, node: cst.Call, span: Span, scope: _Scope, depth: int) -> Call:
        function = self._value(node.func, scope, depth)
        arguments: list[Value] = []
        keywords: list[Keyword] = []
        for argument in node.args:
            value = self._value(argument.value, scope, depth)
            if argument.keyword is not None:
                place = Span(self._span(argument.keyword).start, value.span.end)
                keywords.append(Keyword(place, argument.keyword.value, value))
            elif argument.star == "**":
                keywords.append(Keyword(value.span, "**", value))
            else:
                arguments.append(Unary(value.span, "*", value) if argument.star else value)
        return Call(span, function, tuple(arguments), tuple(keywords))

    def _comparison(self, node: cst.Comparison, span: Span, scope: _Scope, depth: int) -> Value:
        left = self._value(node.left, scope, depth)
        found: Value | None = None
        for target in node.comparisons:
            right = self._value(target.comparator, scope, depth)
            op = _BINARY.get(type(target.operator), "?")
            pair = Binary(Span(left.span.start, right.span.end), op, left, right)
            found = pair if found is None else Binary(span, "&&", found, pair)
            left = right
            if depth > MAX_DEPTH:
                break
            depth += 1
        return found if found is not None else left

    def _lambda(self, node: cst.Lambda, span: Span, scope: _Scope, depth: int) -> Lambda:
        index = len(self._functions)
        self._functions.append(None)
        qualified = scope.qualify(LAMBDA)
        value = self._value(node.body, _Scope(index, qualified, scope.owner), depth)
        self._functions[index] = Function(
            name=LAMBDA,
            qualified=qualified,
            span=span,
            name_span=span,
            parameters=self._parameters(node.params, scope),
            body=(Return(value.span, value),),
            kind="lambda",
            parent=scope.function,
        )
        return Lambda(span, index)

    def _item(self, node: cst.BaseElement, scope: _Scope, depth: int) -> Item:
        value = self._value(node.value, scope, depth)
        if isinstance(node, cst.StarredElement):
            value = Unary(value.span, "*", value)
        return Item(value.span, value)

    def _entry(self, node: cst.BaseDictElement, scope: _Scope, depth: int) -> Item:
        value = self._value(node.value, scope, depth)
        if not isinstance(node, cst.DictElement):
            return Item(value.span, Unary(value.span, "**", value))
        key = self._value(node.key, scope, depth)
        span = Span(key.span.start, value.span.end)
        match key:
            case Text() | Number():
                return Item(span, value, key.value)
            case _:
                return Item(span, Unknown(span, (key, value)))

    def _subscript(self, node: cst.Subscript, span: Span, scope: _Scope, depth: int) -> Value:
        owner = self._value(node.value, scope, depth)
        indices: list[Value] = []
        for element in node.slice:
            if isinstance(element.slice, cst.Index):
                indices.append(self._value(element.slice.value, scope, depth))
            elif isinstance(element.slice, cst.Slice):
                bounds = (element.slice.lower, element.slice.upper, element.slice.step)
                parts = tuple(self._value(b, scope, depth) for b in bounds if b is not None)
                indices.append(Unknown(self._span(element), parts))
        if len(indices) == 1:
            return Index(span, owner, indices[0])
        return Index(span, owner, Unknown(span, tuple(indices)))

    def _comprehension(
        self, element: cst.CSTNode, over: cst.CompFor, scope: _Scope, depth: int
    ) -> tuple[Value, ...]:
        found = [self._value(element, scope, depth)]
        inner: cst.CompFor | None = over
        while inner is not None:
            found.append(self._value(inner.iter, scope, depth))
            found += [self._value(condition.test, scope, depth) for condition in inner.ifs]
            inner = inner.inner_for_in
        return tuple(found)

    def _string(self, node: cst.CSTNode, span: Span, scope: _Scope, depth: int) -> Value:
        pieces: list[Value] = []
        rest: cst.CSTNode | None = node
        while rest is not None:
            piece, rest = (
                (rest.left, rest.right) if isinstance(rest, cst.ConcatenatedString) else (rest, None)
            )
            pieces += self._pieces(piece, scope, depth)
        if not pieces:
            return Text(span, "")
        found = pieces[0]
        for piece_value in pieces[1 : MAX_DEPTH // 2]:
            found = _joined(Span(found.span.start, piece_value.span.end), found, piece_value)
        return found if not isinstance(found, Text) else Text(span, found.value)

    def _pieces(self, node: cst.CSTNode, scope: _Scope, depth: int) -> Iterable[Value]:
        span = self._span(node)
        if isinstance(node, cst.SimpleString):
            yield _literal(span, node.value)
        elif isinstance(node, cst.FormattedString):
            raw = "r" in node.prefix.lower()
            for part in node.parts:
                place = self._span(part)
                if isinstance(part, cst.FormattedStringText):
                    text = part.value.replace("{{", "{").replace("}}", "}")
                    yield Text(place, text if raw else _unescape(text))
                elif isinstance(part, cst.FormattedStringExpression):
                    yield Unknown(place, (self._value(part.expression, scope, depth),))
        else:
            yield Unknown(span)


def _joined(span: Span, left: Value, right: Value) -> Value:
    """``left + right``; two texts are one, also where only the end of ``left`` is a text."""
    if isinstance(right, Text):
        if isinstance(left, Text):
            return Text(span, left.value + right.value)
        if isinstance(left, Binary) and left.op == "+" and isinstance(left.right, Text):
            end = left.right
            joined = Text(Span(end.span.start, right.span.end), end.value + right.value)
            return Binary(span, "+", left.left, joined)
    return Binary(span, "+", left, right)


def _dotted(node: cst.CSTNode) -> str:
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if isinstance(node, cst.Name):
        parts.append(node.value)
    return ".".join(reversed(parts))


def _integer(text: str) -> int:
    plain = text.replace("_", "").lower()
    try:
        return int(plain, 0)
    except ValueError:  # more digits than Python converts
        return 0


def _literal(span: Span, source: str) -> Value:
    """A string literal without expressions; bytes are shown as Latin-1."""
    if "\\" not in source and source[-1:] in "\"'":
        quotes = 3 if source.endswith(('"""', "'''")) and len(source) >= 6 else 1
        start = source.index(source[-1]) + quotes
        return Text(span, source[start:-quotes])
    value = _evaluate(source)
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return Text(span, value) if isinstance(value, str) else Unknown(span)


def _unescape(text: str) -> str:
    """The text of an f-string's part; the quotes that it came in do not matter, so it gets its own."""
    if "\\" not in text:
        return text
    quoted = text.replace('"', "\\x22")
    value = _evaluate(f'"""{quoted}"""')
    return value if isinstance(value, str) else text


def _evaluate(source: str) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unknown escape is the linted program's matter
            return ast.literal_eval(source)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
