"""A build in fast motion: every wait and window of its rules and routes divided by one number, for demos and tests.

Specs and build stay as they are; what is scaled is a copy that only a temporary Prometheus and Alertmanager read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alertkit import promql
from alertkit.promql.tree import Binary, Call, Expr, MatrixSelector, NumberLiteral, Paren, Selector, Subquery
from alertkit.spec.duration import format_duration, parse_duration

# A window needs several scrapes; Prometheus 3 leaves its left end open.
SHORTEST_WINDOW = 5_000
# What changes from scrape to scrape needs more of them to be counted.
COUNTED_WINDOW = 15_000
# The newest sample of a healthy series may be so old, in seconds: it is scraped every second.
_FRESH = 2.0


def window(milliseconds: int, scale: float) -> int:
    """A window in fast motion: whole seconds, never shorter than a few scrapes of a second."""
    return min(milliseconds, max(SHORTEST_WINDOW, round(milliseconds / scale / 1000) * 1000))


def wait(milliseconds: int, scale: float) -> int:
    """A `for` in fast motion."""
    return round(milliseconds / scale)


def scaled_expr(text: str, scale: float) -> str:
    """An expression with its windows, offsets and ages of samples in fast motion."""

    def change(node: Expr) -> Expr:
        if isinstance(node, MatrixSelector):
            return replace(node, range=window(node.range, scale))
        if isinstance(node, Subquery):
            step = None if node.step is None else max(1000, round(node.step / scale))
            return replace(node, range=window(node.range, scale), step=step, offset=wait(node.offset, scale))
        if isinstance(node, Selector) and node.offset:
            return replace(node, offset=window(node.offset, scale))
        if isinstance(node, Call) and node.name in ("changes", "resets"):
            return replace(node, args=tuple(map(counted, node.args)))
        if isinstance(node, Binary) and node.op == "-" and node.left == Call("time") and _of_samples(node.right):
            # Seconds since the last sample pass at the same pace as everything else.
            age = replace(node, left=Binary("-", node.left, NumberLiteral(_FRESH)))
            return Binary("*", NumberLiteral(scale), Paren(age))
        return node

    def counted(node: Expr) -> Expr:
        return replace(node, range=max(node.range, COUNTED_WINDOW)) if isinstance(node, MatrixSelector) else node

    return promql.to_text(promql.transform(promql.parse(text), change)) if scale != 1 else text


def _of_samples(node: Expr) -> bool:
    return any(isinstance(inner, Call) and inner.name == "timestamp" for inner in promql.walk(node))


def scaled_rules(raw: bytes, scale: float) -> bytes:
    """A rules file in fast motion, evaluated every second."""
    import yaml

    data = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for group in data["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["expr"] = scaled_expr(str(rule["expr"]), scale)
            for key in ("for", "keep_firing_for"):
                if key in rule:
                    rule[key] = format_duration(wait(parse_duration(str(rule[key])) or 0, scale))
    return dumped(data)


def scaled_routes(route: dict[str, Any], scale: float) -> None:
    """The waits of a route and of those below, in place; repeats stay as they are."""
    for key, least in (("group_wait", 0), ("group_interval", 1000)):
        if key in route:
            route[key] = format_duration(max(least, wait(parse_duration(str(route[key])) or 0, scale)))
    for child in route.get("routes") or ():
        scaled_routes(child, scale)


def dumped(data: Any) -> bytes:
    """YAML that servers read."""
    import yaml

    text: str = yaml.dump(data, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False, width=10_000)
    return text.encode()
