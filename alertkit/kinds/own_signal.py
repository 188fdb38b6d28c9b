"""The signal of a user-defined kind: a PromQL template, rendered, parsed, and what can be told of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from alertkit.promql import (
    Expr,
    Labels,
    PromqlError,
    parse,
    prettify,
    result_labels,
    returns_instant_vector,
    selectors,
    to_text,
    transform,
    walk,
)
from alertkit.promql.tree import (
    Aggregate,
    Binary,
    Call,
    Grouping,
    Matcher,
    MatrixSelector,
    Paren,
    Selector,
    StringLiteral,
    Subquery,
)
from alertkit.spec.selector import Matcher as SpecMatcher
from alertkit.spec.selector import Selector as SpecSelector
from alertkit.template import Placed, TemplateError, render_placed

LONGEST_LINE = 100
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*\n|[\"'`]", re.DOTALL)
_MARK = re.compile(r"alertkit_metric_(\d+)_")
# `by` may come out empty: the commas around it go.
_EMPTY = re.compile(r"\b((?:by|on|without|ignoring)\s*\()\s*,|\b((?:by|on|without|ignoring)\s*\([^()]*?),(?=\s*\))")
# A signal that is above comparisons in the order of operators needs parentheses before it is compared.
_LOOSE = frozenset({"==", "!=", ">", "<", ">=", "<=", "and", "or", "unless"})
# On the way from one value to another these pass through all values between, evenly.
_LINEAR = frozenset({"rate", "increase", "avg_over_time"})
_KEEPS_UNIT = frozenset({"avg_over_time", "max_over_time", "min_over_time", "last_over_time", "quantile_over_time"})
_SAME_VALUE = frozenset({"max", "min", "avg", "sum"})


class SignalError(Exception):
    """What is wrong with a signal; `what` is template, promql, vector or labels; the place is in its source."""

    def __init__(
        self, what: str, message: str, offset: int = 0, length: int = 0, expression: str | None = None, label: str = ""
    ) -> None:
        super().__init__(message)
        self.what, self.message, self.offset, self.length = what, message, offset, length
        self.expression, self.label = expression, label


@dataclass(frozen=True, slots=True)
class Motion:
    """How the signal follows its input; the names are those of `Stimulus`. Milliseconds."""

    rise: int
    fall: int
    sticky: bool
    far: bool
    exact: bool
    window: int
    instant: bool


@dataclass(frozen=True, slots=True)
class Signal:
    """A rendered signal. `text` can be followed by a comparison; `worst` as in `Question`."""

    tree: Expr
    text: str
    labels: Labels
    worst: bool


def mark(index: int, metric: str) -> str:
    """The metric of parameter `index` as it is put into templates, so that its matchers find their way back."""
    return f"alertkit_metric_{index}_{metric}"


def unmark(text: str) -> str:
    """A text without the marks of `mark`."""
    return _MARK.sub("", text)


def in_string(before: str, value: str) -> str:
    """`value` as it must stand behind `before`: escaped where that ends inside a string."""
    quote = ""
    for match in _STRING.finditer(before):
        quote = match[0] if len(match[0]) == 1 else ""
    if quote in ("", "`"):
        return value
    return value.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n")


def read_signal(
    source: str,
    variables: Mapping[str, object],
    matchers: Mapping[int, Sequence[SpecMatcher]],
    by: Sequence[str],
    where: Sequence[SpecMatcher],
) -> Signal:
    """Render and parse; `matchers` are those of each metric parameter. Raises SignalError."""
    source = source.rstrip()
    try:
        placed = render_placed(source, variables, in_string)
    except TemplateError as error:
        raise SignalError("template", error.message, error.offset, error.length) from None
    text = placed.text
    if not by:
        text = _EMPTY.sub(lambda m: (m[1] or m[2]) + " " * (len(m[0]) - len(m[1] or m[2])), text)
    tree = _parsed(text, placed)
    if not returns_instant_vector(tree):
        raise SignalError("vector", "the signal is no instant vector, so it has no value to compare", 0, len(source))
    rewritten = any(matchers.values()) or bool(where) or text != placed.text or Grouping(()) in _groupings(tree)
    tree = transform(tree, lambda node: _restored(node, matchers, where))
    if rewritten or "#" in text:
        text = to_text(tree)
    else:
        text = "\n".join(line.rstrip() for line in unmark(text).strip().split("\n"))
    if "\n" not in text and len(text) > LONGEST_LINE:
        text = prettify(tree)
    if isinstance(tree, Binary) and tree.op in _LOOSE:
        text = f"({text})"
    labels = result_labels(tree)
    lost = next((label for label in by if not labels.may_have(label)), None)
    if lost is not None:
        raise SignalError("labels", f"the signal loses the identity label `{lost}`", 0, len(source), label=lost)
    worst = labels.open or labels.names - {"__name__"} != frozenset(by)
    return Signal(tree, text, labels, worst)


def _groupings(tree: Expr) -> list[Grouping | None]:
    return [node.grouping for node in walk(tree) if isinstance(node, Aggregate)]


@lru_cache(maxsize=1024)
def _tree(text: str) -> Expr:
    return parse(text)


def _parsed(text: str, placed: Placed) -> Expr:
    try:
        return _tree(text)
    except PromqlError as error:
        offset, length, expression = placed.source_of(error.offset, error.length)
        raise SignalError("promql", unmark(error.message), offset, length, expression) from None


def _restored(
    node: Expr, matchers: Mapping[int, Sequence[SpecMatcher]], where: Sequence[SpecMatcher]
) -> Expr:  # fmt: skip
    """Marks become metrics with their matchers, every selector gets those of `where`; `by ()` goes."""
    if isinstance(node, Aggregate) and node.grouping == Grouping(()):
        return replace(node, grouping=None)
    if isinstance(node, StringLiteral):
        return StringLiteral(unmark(node.value))
    if not isinstance(node, Selector):
        return node
    found = _MARK.match(node.name or "")
    extra = [*(matchers.get(int(found[1]), ()) if found else ()), *where]
    own = [replace(m, value=unmark(m.value)) for m in node.matchers]
    own += [new for m in extra if (new := Matcher(m.label, m.op, m.value)) not in own]  # type: ignore[arg-type]
    return replace(node, name=None if node.name is None else unmark(node.name), matchers=tuple(own))


def restored_selector(
    selector: SpecSelector, matchers: Mapping[int, Sequence[SpecMatcher]], where: Sequence[SpecMatcher]
) -> SpecSelector:
    """The same for a series of the stimulus."""
    found = _MARK.match(selector.metric)
    own = tuple(SpecMatcher(m.label, m.op, unmark(m.value)) for m in selector.matchers)
    extra = [*(matchers.get(int(found[1]), ()) if found else ()), *where]
    return SpecSelector(unmark(selector.metric), own).where(extra)


def motion_of(tree: Expr) -> Motion:
    """How fast the signal follows, told from the functions and ranges in it."""
    functions: set[str] = set()
    ranges: set[int] = set()
    far = False
    exact = True
    for node in walk(tree):
        match node:
            case Call(name, args):
                windows = [arg.range for arg in args if isinstance(arg, MatrixSelector)]
                if windows:
                    functions.add(name)
                    ranges.update(windows)
                exact = exact and name in ("max_over_time", "min_over_time", "last_over_time")
            case Subquery(_, window, _, _, _):
                far = True
                ranges.add(window)
            case Aggregate(op):
                exact = exact and op in _SAME_VALUE
            case Selector() | MatrixSelector() | Paren():
                pass
            case _:
                exact = False
    back = [use.selector.offset + (use.range or 0) + use.subqueries for use in selectors(tree)]
    shifted = any(use.selector.offset for use in selectors(tree))
    longest = max(back, default=0)
    window = min(ranges, default=0)
    if not ranges or (functions <= {"last_over_time"} and not far):
        return Motion(
            longest if shifted else 0, longest if shifted else 0, False, shifted, exact and not shifted, 0,
            exact and not shifted and not ranges,
        )  # fmt: skip
    plain = not far and not shifted and len(ranges) == 1
    if plain and functions == {"max_over_time"}:
        return Motion(0, longest, True, False, exact, window, False)
    if plain and functions == {"min_over_time"}:
        return Motion(longest, 0, True, False, exact, window, False)
    return Motion(longest, longest, False, not (plain and functions <= _LINEAR), False, window, False)


def keeps_unit(tree: Expr) -> bool:
    """Whether the value is in the unit of the metrics that are read."""
    for node in walk(tree):
        match node:
            case Selector() | MatrixSelector() | Paren():
                pass
            case Call(name) if name in _KEEPS_UNIT:
                pass
            case Aggregate(op) if op in _SAME_VALUE:
                pass
            case _:
                return False
    return True
