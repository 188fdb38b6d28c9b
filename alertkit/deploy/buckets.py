"""Thresholds above every bucket of a server's histograms: nothing can pass them.

A quantile that lies in the bucket `+Inf` comes out as the highest finite bound.
Source: Prometheus documentation, `histogram_quantile()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf

from alertkit import promql
from alertkit.deploy.loaded import LoadedGroup
from alertkit.deploy.prometheus import Prometheus
from alertkit.promql.tree import Aggregate, Binary, Call, Expr, NumberLiteral, Paren, Selector
from alertkit.source import Problems
from alertkit.spec.quantity import format_number

NEWEST = (3, 99)


def out_of_reach(server: Prometheus, wanted: Sequence[LoadedGroup]) -> Iterator[str]:
    """One sentence for each threshold of the rules that no histogram on this server can pass.

    Histograms that have no series now, and servers that cannot be asked, give none.
    """
    highest: dict[Selector, float | None] = {}
    for group in wanted:
        trees = [(rule, _parsed(rule.query)) for rule in group.rules]
        records = {rule.name: tree for rule, tree in trees if rule.kind == "recording" and tree is not None}
        for rule, tree in trees:
            if rule.kind != "alerting" or tree is None:
                continue
            for op, threshold, histograms in _comparisons(tree, records):
                for histogram in histograms:
                    if histogram not in highest:
                        bounds = _bounds(server, histogram)
                        if bounds is None:
                            return  # a server that does not answer is not asked again
                        highest[histogram] = max((bound for bound in bounds if bound < inf), default=None)
                tops = [highest[histogram] for histogram in histograms]
                known = [top for top in tops if top is not None]
                if not known or len(known) < len(tops):
                    continue
                top = max(known)
                if threshold > top or (op == ">" and threshold == top):
                    severity = rule.labels.get("severity")
                    level = f" ({severity})" if severity else ""
                    names = ", ".join(sorted({str(h.name).removesuffix("_bucket") for h in histograms}))
                    yield (
                        f"{rule.name}{level} in {group.name}: `{op} {format_number(threshold)}` is never true, for the"
                        f" highest finite bucket of {names} on {server.shown} is {format_number(top)}"
                    )


def _parsed(query: str) -> Expr | None:
    try:
        return promql.parse(query, NEWEST)
    except promql.PromqlError:
        return None


def _comparisons(tree: Expr, records: Mapping[str, Expr]) -> Iterator[tuple[str, float, list[Selector]]]:
    """(`>` or `>=`, its number, the buckets) of each comparison of a quantile with a number."""
    for node in promql.walk(tree):
        if isinstance(node, Binary) and node.op in (">", ">=") and isinstance(node.right, NumberLiteral):
            histograms = _buckets(node.left, records)
            if histograms:
                yield node.op, node.right.value, histograms


def _buckets(expr: Expr, records: Mapping[str, Expr]) -> list[Selector]:
    """The buckets that a quantile is taken of, where `expr` is one: as it is, recorded, or the highest of several."""
    match expr:
        case Paren(inner):
            return _buckets(inner, records)
        case Aggregate("max" | "min" | "avg", inner, None):
            return _buckets(inner, records)
        case Selector(str(name)) if name in records:
            return _buckets(records[name], {other: tree for other, tree in records.items() if other != name})
        case Call("histogram_quantile", (_, of)):
            found = [use.selector for use in promql.selectors(of)]
            named = all(one.name is not None and one.name.endswith("_bucket") for one in found)
            whole = all(matcher.label != "le" for one in found for matcher in one.matchers)
            return found if named and whole else []
    return []


def _bounds(server: Prometheus, histogram: Selector) -> list[float] | None:
    """The upper bounds of the buckets that a histogram has now; None where the server does not say."""
    series = server.query(f"count by (le) ({promql.to_text(histogram)})", Problems())
    return None if series is None else [_bound(labels.get("le", "")) for labels in series]


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return inf
