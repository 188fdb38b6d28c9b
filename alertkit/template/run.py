"""Running a template tree for one alert, as Prometheus does.

Source: Go's text/template (execution) and prometheus/rules/alerting.go, which puts `$labels`, `$externalLabels`,
`$externalURL` and `$value` before each text. What is not modelled raises `gofmt.NotModelledError` or what Python raises
on operands that do not fit; `go.expand` makes None of both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from alertkit.template.funcs import PURE
from alertkit.template.gofmt import Html, NotModelledError, Value, display
from alertkit.template.signatures import SIGNATURES
from alertkit.template.tree import Action, Block, Function, Literal, Node, Path, Pipe, Term, Text

Part = str | Callable[[Mapping[str, str], float], str]


class _Root:
    """The data that `.` and `$` are at the top: not printable here."""


ROOT = _Root()
Thing = Value | _Root


def compile_parts(nodes: Sequence[Node]) -> list[Part]:
    """A template as literal text and functions of labels and value; blocks make one part of it all."""
    if any(isinstance(node, Block) or (isinstance(node, Action) and node.pipe.variables) for node in nodes):
        return [lambda labels, value: _Run(labels, value).whole(nodes)]
    parts: list[Part] = []
    for node in nodes:
        if isinstance(node, Text):
            parts.append(node.value)
        elif isinstance(node, Action):
            parts.append(_quick(node.pipe) or _slow(node.pipe))
    return parts


def _slow(pipe: Pipe) -> Part:
    return lambda labels, value: _shown(_Run(labels, value).pipe(pipe))


def _quick(pipe: Pipe) -> Part | None:
    """The two forms that nearly all templates consist of: `$labels.x` and `$value | f`."""
    first = pipe.commands[0]
    if len(first) != 1 or not isinstance(first[0], Path):
        return None
    full = (first[0].base, *first[0].fields)
    if len(pipe.commands) == 1 and len(full) == 2 and full[0] == "$labels":
        name = str(full[1])
        return lambda labels, value: labels.get(name, "")
    if full != ("$value",):
        return None
    if len(pipe.commands) == 1:
        return lambda labels, value: display(value)
    last = pipe.commands[1]
    if len(pipe.commands) == 2 and len(last) == 1 and isinstance(last[0], Function):
        function = PURE.get(last[0].name)
        signature = SIGNATURES.get(last[0].name)
        if function is not None and signature is not None and signature.takes == ("number",):
            # Alerts are proven at few values; the sign tells -0 from 0, which are equal.
            shown = lru_cache(maxsize=4096)(lambda value, sign: str(function(value)))
            return lambda labels, value: shown(value, math.copysign(1.0, value))
    return None


def _shown(value: Thing) -> str:
    if isinstance(value, _Root):
        raise NotModelledError("all data at once")
    return display(value)


def _truth(value: Thing) -> bool:
    return True if isinstance(value, _Root) else bool(value)


class _Run:
    def __init__(self, labels: Mapping[str, str], value: float) -> None:
        self.root: dict[str, Value] = {"Labels": labels, "Value": float(value)}
        self.dot: Thing = ROOT
        self.variables: list[tuple[str, Thing]] = [("$", ROOT), ("$labels", labels), ("$value", float(value))]

    def whole(self, nodes: Sequence[Node]) -> str:
        out: list[str] = []
        self.nodes(nodes, out)
        return "".join(out)

    def nodes(self, nodes: Sequence[Node], out: list[str]) -> None:
        for node in nodes:
            if isinstance(node, Text):
                out.append(node.value)
            elif isinstance(node, Action):
                value = self.pipe(node.pipe)
                if not node.pipe.variables:
                    out.append(_shown(value))
            else:
                self.block(node, out)

    def block(self, block: Block, out: list[str]) -> None:
        if block.kind not in ("if", "with", "range") or block.pipe is None:
            raise NotModelledError("templates inside templates")
        mark, dot = len(self.variables), self.dot
        if block.kind == "range":
            self.loop(block, block.pipe, out)
        else:
            value = self.pipe(block.pipe)
            chosen = block.body if _truth(value) else block.other
            if block.kind == "with" and chosen is block.body:
                self.dot = value
            self.nodes(chosen, out)
        self.dot = dot
        del self.variables[mark:]

    def loop(self, block: Block, pipe: Pipe, out: list[str]) -> None:
        value = self.pipe(Pipe((), False, pipe.commands, pipe.offset, pipe.length))
        if not isinstance(value, Mapping) or pipe.assign:
            raise NotModelledError("ranges over anything but labels")
        mark = len(self.variables)
        for key in sorted(value):
            pair: tuple[Value, ...] = (key, value[key]) if len(pipe.variables) == 2 else (value[key],)
            self.variables.extend(zip(pipe.variables, pair, strict=False))
            self.dot = value[key]
            self.nodes(block.body, out)
            del self.variables[mark:]
        if not value:
            self.nodes(block.other, out)

    def pipe(self, pipe: Pipe) -> Thing:
        result: tuple[Thing, ...] = ()
        for command in pipe.commands:
            result = (self.command(command, result),)
        value = result[0]
        for name in pipe.variables:
            if pipe.assign:
                at = max(i for i, (known, _) in enumerate(self.variables) if known == name)
                self.variables[at] = (name, value)
            else:
                self.variables.append((name, value))
        return value

    def command(self, terms: tuple[Term, ...], piped: tuple[Thing, ...]) -> Thing:
        head = terms[0]
        if not isinstance(head, Function):
            if len(terms) > 1 or piped or (isinstance(head, Literal) and head.nil):
                raise NotModelledError("an error in Prometheus")
            return self.term(head)
        if head.name in ("and", "or"):
            return self.choose(head.name == "or", terms[1:], piped)
        values: list[Value] = []
        for value in (*(self.term(term) for term in terms[1:]), *piped):
            if isinstance(value, _Root):
                raise NotModelledError("all data at once")
            values.append(value)
        return self.call(head.name, values)

    def choose(self, wanted: bool, terms: Sequence[Term], piped: tuple[Thing, ...]) -> Thing:
        value: Thing = ""
        for term in terms:
            value = self.term(term)
            if _truth(value) == wanted:
                return value
        return piped[0] if piped else value

    def call(self, name: str, values: list[Value]) -> Value:
        signature = SIGNATURES[name]
        for i, value in enumerate(values):
            kind = signature.takes[min(i, len(signature.takes) - 1)]
            if kind == "text" and type(value) is not str:
                raise NotModelledError("wrong type: an error in Prometheus")
        if name == "not":
            (operand,) = values
            return not _truth(operand)
        if name in _COMPARE:
            return _compare(name, values)
        if name == "index":
            return _index(values)
        function = PURE.get(name)
        if function is None:
            raise NotModelledError(name)
        return function(*values)

    def term(self, term: Term) -> Thing:
        if isinstance(term, Literal):
            if term.value is None:
                raise NotModelledError("nil and rare constants")
            return term.value
        if isinstance(term, Function):
            return self.command((term,), ())
        value: Thing
        if isinstance(term.base, Pipe):
            value = self.pipe(term.base)
        elif term.base == ".":
            value = self.dot
        else:
            known = [value for name, value in self.variables if name == term.base]
            if not known:
                raise NotModelledError("external labels and URL")
            value = known[-1]
        for field in term.fields:
            if isinstance(value, _Root):
                value = self.root[field]
            elif isinstance(value, Mapping):
                value = _entry(value, field)
            else:
                raise NotModelledError("fields of this")
        return value


def _entry(value: Mapping[str, Value], key: str) -> Value:
    if key in value:
        return value[key]
    if any(not isinstance(other, str) for other in value.values()) or "arg0" in value:
        raise NotModelledError("a missing argument prints <no value>")
    return ""


_COMPARE = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})


def _class(value: Value) -> type:
    kind = str if isinstance(value, Html) else type(value)
    if kind not in (str, float, int, bool):
        raise NotModelledError("cannot be compared")
    return kind


def _compare(name: str, values: list[Value]) -> bool:
    if len({_class(value) for value in values}) != 1 or len(values) < 2 or (name != "eq" and len(values) != 2):
        raise NotModelledError("different types: an error in Prometheus")
    first, second = values[0], values[1]
    if name == "eq":
        return any(first == other for other in values[1:])
    if name == "ne":
        return first != second
    if isinstance(first, bool):
        raise NotModelledError("no order")
    less = first < second  # type: ignore[operator]
    if name == "lt":
        return bool(less)
    if name == "ge":
        return not less  # So NaN is at least anything, as in Go.
    return bool(less or first == second) == (name == "le")


def _index(values: list[Value]) -> Value:
    value = values[0]
    for key in values[1:]:
        if not isinstance(value, Mapping) or type(key) is not str:
            raise NotModelledError("bytes of text")
        value = _entry(value, key)
    return value
