"""Alertmanager's notification templates: mistakes that can be seen without running them.

All files are one set: a template may be defined in one and used in another, and what is defined last holds. Each
definition is walked with the data that its users hand to it; what nobody uses is checked for syntax and functions.
Source: Alertmanager, template/template.go (Data, Alert, KV, Pairs and the functions); which version has which was
asked of amtool 0.25, 0.28 and 0.33.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alertkit.template.parse import parse_partly
from alertkit.template.signatures import SIGNATURES
from alertkit.template.tree import Action, Block, Function, Literal, Node, Pipe, Term, definitions

Version = tuple[int, int]

# What Go's text/template has itself, and function -> the Alertmanager from which on it is there.
_GO = ("and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "call", "html", "js",
       "urlquery", "print", "printf", "println")  # fmt: skip
FUNCTIONS: dict[str, Version] = {
    **dict.fromkeys((*_GO, "toUpper", "toLower", "title", "join", "match", "safeHtml", "reReplaceAll", "stringSlice"),
                    (0, 25)),
    **dict.fromkeys(("trimSpace", "date", "tz", "since", "humanizeDuration"), (0, 28)),
    **dict.fromkeys(("safeUrl", "urlUnescape", "toJson", "list", "append", "dict", "now"), (0, 33)),
}  # fmt: skip
# Kind of a value -> its fields and methods with their kinds. What is not here is not known, and not checked.
FIELDS: dict[str, dict[str, str]] = {
    "data": {
        "Receiver": "text", "Status": "text", "Alerts": "alerts", "GroupLabels": "labels", "CommonLabels": "labels",
        "CommonAnnotations": "labels", "ExternalURL": "text",
    },
    "alerts": {"Firing": "list", "Resolved": "list"},
    "list": {},
    "alert": {
        "Status": "text", "Labels": "labels", "Annotations": "labels", "StartsAt": "unknown", "EndsAt": "unknown",
        "GeneratorURL": "text", "Fingerprint": "text",
    },
    "pairs": {"Names": "words", "Values": "words", "String": "text"},
    "pair": {"Name": "text", "Value": "text"},
    "text": {},
}  # fmt: skip
SINCE: dict[tuple[str, str], Version] = {("data", "NotificationReason"): (0, 33)}
_METHODS = {"SortedPairs": "pairs", "Remove": "labels", "Names": "words", "Values": "words"}
_ELEMENTS = {"alerts": "alert", "list": "alert", "pairs": "pair", "words": "text", "labels": "text"}
_WORDS = {"data": "the group", "alerts": "a list of alerts", "list": "a list of alerts", "alert": "an alert",
          "pairs": "a list of pairs", "pair": "a pair of name and value", "text": "text"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in the template file `name`; `offset` and `length` are characters of its text."""

    name: str
    message: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class _Definition:
    file: str
    body: Sequence[Node]


def check(files: Mapping[str, str], texts: Mapping[str, str], version: Version) -> list[Mistake]:
    """The mistakes of template files and of `texts`, the fields of notifications, which begin with a group's data.

    Both by name; a name must not be in both.
    """
    walk = _Walk(version)
    for name, text in files.items():
        nodes = walk.parsed(name, text)
        if nodes is None:
            walk.whole = False
            continue
        walk.outer.append((name, nodes))
        walk.defined.update({block.name: _Definition(name, block.body) for block in definitions(nodes)})
    fields = [(name, nodes) for name, text in texts.items() if (nodes := walk.parsed(name, text)) is not None]
    for name, body in fields:
        walk.file = name
        walk.nodes(body, "data")
    walk.rest()
    known = {(m.name, m.offset): m for m in reversed(walk.found)}
    order = [*files, *texts]
    return sorted(known.values(), key=lambda m: (order.index(m.name), m.offset))


def _near(word: str, known: Iterable[str]) -> str:
    folded = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), sorted(folded), n=1, cutoff=0.6)
    return f", did you mean `{folded[close[0]]}`?" if close else ""


class _Walk:
    def __init__(self, version: Version) -> None:
        self.version = version
        self.found: list[Mistake] = []
        self.outer: list[tuple[str, Sequence[Node]]] = []
        self.defined: dict[str, _Definition] = {}
        self.walked: set[tuple[str, str]] = set()
        self.file = ""
        self.dot = "data"
        self.variables: dict[str, str] = {}
        self.whole = True  # all that is defined is known

    def parsed(self, name: str, text: str) -> Sequence[Node] | None:
        """The nodes of a template as far as they could be parsed; mistakes of syntax are added."""
        nodes, errors = parse_partly(text)
        self.found += [Mistake(name, error.message, error.offset, error.length) for error in errors]
        return nodes

    def rest(self) -> None:
        """What no notification uses: its data is not known."""
        for file, nodes in self.outer:
            self.file = file
            self.nodes([node for node in nodes if not _defines(node)], "unknown")
        for name in [name for name in self.defined if not any(name == walked for walked, _ in self.walked)]:
            self.template(name, "unknown")

    def error(self, message: str, offset: int, length: int) -> None:
        self.found.append(Mistake(self.file, message, offset, length))

    def template(self, name: str, kind: str) -> None:
        if (name, kind) in self.walked:
            return
        self.walked.add((name, kind))
        before = self.file, self.dot, self.variables
        definition = self.defined[name]
        self.file = definition.file
        self.nodes(definition.body, kind)
        self.file, self.dot, self.variables = before

    def nodes(self, nodes: Sequence[Node], root: str) -> None:
        """The nodes of one template, whose data is of the kind `root`."""
        self.dot, self.variables = root, {"$": root}
        self.body(nodes)

    def body(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if isinstance(node, Action):
                self.pipe(node.pipe)
            elif isinstance(node, Block):
                self.block(node)

    def block(self, block: Block) -> None:
        if block.kind == "define":
            return
        dot, variables = self.dot, dict(self.variables)
        kind = "unknown"
        if block.kind == "range" and block.pipe is not None:
            kind = self.ranged(block.pipe)
        elif block.pipe is not None:
            kind = self.pipe(block.pipe)
        if block.kind in ("template", "block"):
            if block.name in self.defined:
                self.template(block.name, kind if block.pipe is not None else "unknown")
            elif self.whole and not _is_default(block.name):
                near = _near(block.name, self.defined)
                self.error(f"no template is named `{block.name}`{near}", block.offset, block.length)
            return
        self.dot = kind if block.kind in ("with", "range") else dot
        self.body(block.body)
        self.dot = dot
        self.body(block.other)
        self.variables = {name: self.variables.get(name, kind) for name, kind in variables.items()}

    def ranged(self, pipe: Pipe) -> str:
        over = self.pipe(Pipe((), False, pipe.commands, pipe.offset, pipe.length))
        if over in ("text", "data", "alert", "pair"):
            self.error(f"`range` cannot run over {_WORDS[over]}", pipe.offset, pipe.length)
        element = _ELEMENTS.get(over, "unknown")
        for name in pipe.variables[:-1]:
            self.variables[name] = "unknown"
        for name in pipe.variables[-1:]:
            self.variables[name] = element
        return element

    def pipe(self, pipe: Pipe) -> str:
        kind: str | None = None
        for command in pipe.commands:
            kind = self.command(command, kind is not None)
        result = kind or "unknown"
        for name in pipe.variables:
            old = self.variables.get(name, result) if pipe.assign else result
            self.variables[name] = result if old == result else "unknown"
        return result

    def command(self, terms: tuple[Term, ...], piped: bool) -> str:
        head = terms[0]
        kind = self.term(head, called=len(terms) > 1 or piped)
        kinds = [self.term(term) for term in terms[1:]]
        if not isinstance(head, Function):
            return kind
        if head.name == "index" and len(kinds) == 2:
            return _ELEMENTS.get(kinds[0], "unknown")
        if head.name in ("and", "or"):
            return kinds[0] if len(set(kinds)) == 1 and not piped else "unknown"
        return _GIVES.get(head.name, "unknown")

    def term(self, term: Term, called: bool = False) -> str:
        if isinstance(term, Literal):
            return "text" if isinstance(term.value, str) else "unknown"
        if isinstance(term, Function):
            self.function(term)
            return _GIVES.get(term.name, "unknown")
        if isinstance(term.base, Pipe):
            kind = self.pipe(term.base)
        elif term.base == ".":
            kind = self.dot
        elif term.base in self.variables:
            kind = self.variables[term.base]
        else:
            near = _near(term.base, [name for name in self.variables if name != "$"])
            self.error(f"unknown variable `{term.base}`{near}", term.offset, len(term.base))
            return "unknown"
        for name, (offset, length) in zip(term.fields, term.places, strict=True):
            kind = self.step(kind, name, offset, length)
        return kind

    def function(self, function: Function) -> None:
        since = FUNCTIONS.get(function.name)
        if since is None:
            known = [name for name, first in FUNCTIONS.items() if first <= self.version]
            other = "; Prometheus has it, Alertmanager does not" if function.name in SIGNATURES else ""
            hint = _near(function.name, known) or other
            self.error(f"unknown function `{function.name}`{hint}", function.offset, function.length)
        elif since > self.version:
            self.too_new(f"the function `{function.name}`", since, function.offset, function.length)

    def too_new(self, what: str, since: Version, offset: int, length: int) -> None:
        wanted, target = ".".join(map(str, since)), ".".join(map(str, self.version))
        self.error(f"{what} works from Alertmanager {wanted} on, and this is compiled for {target}", offset, length)

    def step(self, kind: str, name: str, offset: int, length: int) -> str:
        if kind == "labels":
            return _METHODS.get(name, "text")
        fields = FIELDS.get(kind)
        if fields is None:
            return "unknown"
        since = SINCE.get((kind, name))
        if since is not None:
            if since > self.version:
                self.too_new(f"`.{name}`", since, offset, length)
        elif name not in fields:
            hint = _near(f".{name}", [f".{known}" for known in fields])
            hint = hint or (f"; it has {', '.join(fields)}" if fields else "")
            self.error(f"{_WORDS[kind]} has no `.{name}`{hint}", offset, length)
        return fields.get(name, "unknown")


_GIVES = dict.fromkeys(
    ("toUpper", "toLower", "title", "join", "safeHtml", "reReplaceAll", "html", "js", "urlquery", "print", "printf",
     "println", "trimSpace", "safeUrl", "urlUnescape", "humanizeDuration"), "text",
) | {"stringSlice": "words"}  # fmt: skip


def _defines(node: Node) -> bool:
    return isinstance(node, Block) and node.kind == "define"


def _is_default(name: str) -> bool:
    """Whether it is one of the templates that Alertmanager brings itself."""
    return name.startswith("__") or (name.split(".")[0] in _DEFAULTS and ".default." in name)


_DEFAULTS = frozenset({
    "slack", "pagerduty", "email", "opsgenie", "msteams", "msteamsv2", "webex", "telegram", "discord", "victorops",
    "pushover", "sns", "wechat", "jira", "rocketchat",
})  # fmt: skip
