"""What can be said of a template without running it: mistakes, labels it reads, and whether the value shows.

One walk over the tree with kinds for values: root, labels, external, float, int, text, bool, nil, unknown. A kind is
`raw` when the alert's value can get to the output through it with all its digits.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from alertkit.template.errors import TemplateError
from alertkit.template.parse import parse_partly
from alertkit.template.signatures import SIGNATURES
from alertkit.template.tree import Action, Block, Function, Literal, Node, Pipe, Term


class LabelReference(NamedTuple):
    """A label that a template reads, and the characters of the text that name it."""

    name: str
    offset: int
    length: int


class Query(NamedTuple):
    """PromQL that a template gives to `query` as a string, and where that string stands with its quotes."""

    text: str
    offset: int
    length: int


class Kind(NamedTuple):
    name: str
    raw: bool = False


@dataclass(slots=True)
class Analysis:
    """All that is known of one template; `nodes` is None when its syntax is wrong."""

    nodes: tuple[Node, ...] | None = None
    errors: list[TemplateError] = field(default_factory=list)
    labels: list[LabelReference] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    uses_value: bool = False
    raw: bool = False


UNKNOWN = Kind("unknown")
FIELDS = {"Labels": Kind("labels"), "ExternalLabels": Kind("external"), "ExternalURL": Kind("text")}
VARIABLES = {
    "$": Kind("root", raw=True),
    "$labels": Kind("labels"),
    "$externalLabels": Kind("external"),
    "$externalURL": Kind("text"),
    "$value": Kind("float", raw=True),
}
_WORDS = {"text": "text", "float": "a number", "int": "a whole number", "bool": "true or false", "labels": "all labels",
          "external": "all external labels", "nil": "nil", "root": "all data"}  # fmt: skip


@lru_cache(maxsize=4096)
def analyse(text: str) -> Analysis:
    """Parse and walk a template. The result is shared: do not change it."""
    nodes, errors = parse_partly(text)
    if nodes is None:
        return Analysis(errors=errors)
    walk = _Walk(nodes)
    walk.nodes(nodes)
    found = walk.found
    if errors:
        found.nodes, found.errors = None, [*errors, *found.errors]
    found.errors = sorted(dict.fromkeys(found.errors), key=lambda e: (e.offset, e.message))
    found.labels = sorted(dict.fromkeys(found.labels), key=lambda r: (r.offset, r.name))
    return found


def _near(word: str, known: Iterable[str]) -> str:
    folded = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), sorted(folded), n=1, cutoff=0.6)
    return f", did you mean `{folded[close[0]]}`?" if close else ""


class _Walk:
    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self.found = Analysis(nodes)
        self.dot = VARIABLES["$"]
        self.variables = dict(VARIABLES)
        self.defined = set(_defined(nodes))

    def error(self, message: str, offset: int, length: int) -> None:
        self.found.errors.append(TemplateError(message, offset, length))

    def nodes(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if isinstance(node, Action):
                kind = self.pipe(node.pipe)
                self.found.raw |= kind.raw and not node.pipe.variables
                if kind.name == "nil":
                    self.error("`nil` cannot be shown", node.pipe.offset, node.pipe.length)
            elif isinstance(node, Block):
                self.block(node)

    def block(self, block: Block) -> None:
        variables, dot = dict(self.variables), self.dot
        kind = UNKNOWN
        if block.kind == "range" and block.pipe is not None:
            kind = self.ranged(block.pipe)
        elif block.pipe is not None:
            kind = self.pipe(block.pipe)
        if block.kind in ("define", "block"):
            self.dot = kind
            self.variables = {"$": kind}
        if block.kind == "template":
            if block.name not in self.defined:
                self.error(f"no template is named {block.name!r}", block.offset, block.length)
            self.found.raw |= kind.raw
        inner = dict(self.variables)
        for _ in range(2 if block.kind == "range" else 1):
            self.dot = kind if block.kind in ("with", "range", "define", "block") else dot
            self.nodes(block.body)
        self.dot = dot
        self.variables = {name: self.variables[name] for name in inner}
        self.nodes(block.other)
        assigned = self.variables
        self.variables = {name: _join(kind, assigned.get(name, kind)) for name, kind in variables.items()}

    def ranged(self, pipe: Pipe) -> Kind:
        over = self.pipe(Pipe((), False, pipe.commands, pipe.offset, pipe.length))
        if over.name in ("text", "float", "bool", "root"):
            self.error(f"`range` cannot run over {_WORDS[over.name]}", pipe.offset, pipe.length)
        kind = Kind("text") if over.name in ("labels", "external") else Kind("unknown", over.raw)
        for name in pipe.variables:
            self.variables[name] = kind
        return kind

    def pipe(self, pipe: Pipe) -> Kind:
        kind: Kind | None = None
        for command in pipe.commands:
            kind = self.command(command, kind)
        result = kind or UNKNOWN
        for name in pipe.variables:
            if pipe.assign and name not in self.variables:
                self.unknown_variable(name, pipe.offset)
            old = self.variables.get(name, result) if pipe.assign else result
            self.variables[name] = _join(old, result)
        return result

    def command(self, terms: tuple[Term, ...], piped: Kind | None) -> Kind:
        head = terms[0]
        if isinstance(head, Function):
            kinds = [self.term(term) for term in terms[1:]]
            return self.call(head, terms[1:], kinds, piped)
        kind = self.term(head)
        takes_none = kind.name != "unknown" or isinstance(head, Literal) or not head.fields
        if takes_none and piped is not None:
            self.error("only a function can follow `|`", head.offset, head.length)
        elif takes_none and len(terms) > 1:
            self.error("only a function takes operands", terms[1].offset, terms[1].length)
        for term in terms[1:]:
            self.term(term)
        return kind

    def call(self, head: Function, terms: Sequence[Term], kinds: list[Kind], piped: Kind | None) -> Kind:
        name = head.name
        signature = SIGNATURES.get(name)
        if signature is None:
            self.error(f"unknown function `{name}`{_near(name, SIGNATURES)}", head.offset, head.length)
            return UNKNOWN
        if name == "query" and terms and isinstance(terms[0], Literal) and isinstance(terms[0].value, str):
            self.found.queries.append(Query(terms[0].value, terms[0].offset, terms[0].length))
        if name == "externalURL":
            self.error("`externalURL` crashes promtool: write `$externalURL`", head.offset, head.length)
        every = [*kinds, piped] if piped is not None else kinds
        least = len(signature.takes) - signature.more
        if len(every) < least or (len(every) > least and not signature.more):
            some = "at least " if signature.more else ""
            plural = "s" if least != 1 else ""
            message = f"`{name}` takes {some}{least} operand{plural}, here are {len(every)}"
            self.error(message, head.offset, head.length)
        for i, kind in enumerate(every):
            wanted = signature.takes[min(i, len(signature.takes) - 1)] if signature.takes else "any"
            place: Term = terms[i] if i < len(terms) else head
            self.operand(name, wanted, kind, place)
        if name == "eq" or signature.takes == ("any", "any"):
            self.comparable(name, every, head)
        if name == "index":
            return self.index(terms, every)
        raw = any(kind.raw for kind in every) and not signature.rounds
        if name == "printf":
            raw = _printf_raw(terms, every)
        if name in ("and", "or") and len({kind.name for kind in every}) == 1:
            return Kind(every[0].name, raw)
        return Kind(signature.gives, raw)

    def operand(self, name: str, wanted: str, kind: Kind, place: Term) -> None:
        fits = wanted == "any" or kind.name in ("unknown", wanted) or (wanted, kind.name) in _READS
        if not fits and wanted != "unknown":
            words = {"text": "text", "number": "a number", "any": "a value"}[wanted]
            got = _WORDS.get(kind.name, kind.name)
            self.error(f"`{name}` wants {words}, this is {got}", place.offset, place.length)

    def comparable(self, name: str, kinds: list[Kind], head: Function) -> None:
        if name not in ("eq", "ne", "lt", "le", "gt", "ge") or len(kinds) < 2:
            return
        names = {kind.name for kind in kinds} & {"text", "float", "int", "bool"}
        if names == {"float", "int"}:
            message = f"`{name}` cannot compare a fraction with a whole number: write the number with a point, like 5.0"
            self.error(message, head.offset, head.length)
        elif len(names) > 1:
            both = " and ".join(_WORDS[n] for n in sorted(names))
            self.error(f"`{name}` cannot compare {both}", head.offset, head.length)

    def index(self, terms: Sequence[Term], kinds: list[Kind]) -> Kind:
        if kinds and kinds[0].name in ("labels", "external") and len(terms) > 1:
            key = terms[1]
            if isinstance(key, Literal) and isinstance(key.value, str) and kinds[0].name == "labels":
                self.found.labels.append(LabelReference(key.value, key.offset, key.length))
            return Kind("text")
        return Kind("unknown", any(kind.raw for kind in kinds))

    def unknown_variable(self, name: str, offset: int) -> None:
        known = [variable for variable in self.variables if variable != "$"]
        hint = _near(name, known) or (f", there are {', '.join(known)}" if known else "")
        self.error(f"unknown variable `{name}`{hint}", offset, len(name))

    def term(self, term: Term) -> Kind:
        if isinstance(term, Literal):
            if term.nil:
                return Kind("nil")
            named = {bool: "bool", str: "text", float: "float", int: "int"}
            return Kind(named.get(type(term.value), "unknown"))
        if isinstance(term, Function):
            return self.call(term, (), [], None)
        if isinstance(term.base, Pipe):
            kind = self.pipe(term.base)
        elif term.base == ".":
            kind = self.dot
        elif term.base in self.variables:
            kind = self.variables[term.base]
        else:
            self.unknown_variable(term.base, term.offset)
            kind = UNKNOWN
        for name, (offset, length) in zip(term.fields, term.places, strict=True):
            kind = self.step(kind, name, offset, length)
        self.found.uses_value |= kind.raw and kind.name in ("float", "root")
        return kind

    def step(self, kind: Kind, name: str, offset: int, length: int) -> Kind:
        if kind.name == "root":
            if name == "Value":
                self.found.uses_value = True
                return VARIABLES["$value"]
            if name not in FIELDS:
                hint = _near(name, [*FIELDS, "Value"]) or ", there are Labels, Value, ExternalLabels and ExternalURL"
                self.error(f"there is no `.{name}`{hint}", offset, length)
            return FIELDS.get(name, UNKNOWN)
        if kind.name == "labels":
            self.found.labels.append(LabelReference(name, offset + 1, length - 1))
            return Kind("text")
        if kind.name == "external":
            return Kind("text")
        if kind.name != "unknown":
            self.error(f"{_WORDS[kind.name]} has no `.{name}`", offset, length)
            return UNKNOWN
        return kind


_READS = {("number", "float"), ("number", "int"), ("number", "text")}


def _join(one: Kind, other: Kind) -> Kind:
    return Kind(one.name if one.name == other.name else "unknown", one.raw or other.raw)


def _defined(nodes: Sequence[Node]) -> Iterable[str]:
    for node in nodes:
        if isinstance(node, Block):
            if node.kind in ("define", "block"):
                yield node.name
            yield from _defined(node.body)
            yield from _defined(node.other)


# Digits after which a float's noise could show; doubles carry 15 to 17.
_PRECISE = 9


def _printf_raw(terms: Sequence[Term], kinds: list[Kind]) -> bool:
    """Whether a raw operand of `printf` is shown with (nearly) all its digits."""
    if not terms or not isinstance(terms[0], Literal) or not isinstance(terms[0].value, str):
        return any(kind.raw for kind in kinds)
    verbs = re.findall(r"%([-+# 0]*)(\*|[0-9]*)(?:\.([0-9]+|\*)?)?(.)", terms[0].value.replace("%%", ""), re.DOTALL)
    if any("*" in (width, precision) for _, width, precision, _ in verbs):
        return any(kind.raw for kind in kinds)
    for i, kind in enumerate(kinds[1:]):
        if kind.raw:
            _, _, precision, verb = verbs[i] if i < len(verbs) else ("", "", "", "v")
            bounded = (verb in "feEF" and not precision) or (precision and int(precision) <= _PRECISE)
            if verb not in "feEFgGv" or not bounded:
                return True
    return False
