"""Which series an expression needs, in the words of specs."""

from __future__ import annotations

from alertkit.promql.tree import Binary, Call, Expr, MatrixSelector, Selector
from alertkit.promql.walk import children
from alertkit.spec.selector import Matcher
from alertkit.spec.selector import Selector as SpecSelector

# They exist only while something is wrong, so their absence is no news.
_ALERTS = frozenset({"ALERTS", "ALERTS_FOR_STATE"})


def read_selectors(expr: Expr) -> tuple[SpecSelector, ...]:
    """The selectors with a name that the result needs, each once, in the order of the text.

    Not what stands in `absent` or on the right of `unless`, and not the alert state series.
    """
    found: dict[SpecSelector, None] = {}
    pending: list[Expr] = [expr]
    while pending:
        match pending.pop():
            case Call("absent" | "absent_over_time"):
                continue
            case Binary("unless", left, _):
                pending.append(left)
            case MatrixSelector(selector):
                pending.append(selector)
            case Selector() as selector:
                if selector.name is not None and selector.name not in _ALERTS:
                    found[spec_selector(selector)] = None
            case node:
                pending.extend(reversed(children(node)))
    return tuple(found)


def spec_selector(selector: Selector) -> SpecSelector:
    """A selector without its time modifiers."""
    return SpecSelector(selector.name or "", tuple(Matcher(m.label, m.op, m.value) for m in selector.matchers))
