"""The routing tree, walked as Alertmanager walks it, but thousands of label sets a second.

A child route is tried only if an equality matcher of its own can hold: children are indexed by one such matcher.
Source: Alertmanager, dispatch/route.go, Match: depth first, left to right; a match without `continue` ends its level;
a node is a match itself only if none of its children is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from alertkit.compile.routing import Matcher, Route, Routing
from alertkit.spec import regex

Labels = Mapping[str, str]
Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A route with what it inherits filled in. `path` leads from the root to it, itself last.

    Durations are ms. `active` and `mute` are its own: Alertmanager does not inherit them.
    """

    route: Route
    receiver: str
    group_by: tuple[str, ...]
    group_wait: int
    group_interval: int
    repeat: int
    parent: Node | None
    index: int
    children: list[Node] = field(default_factory=list)
    tests: list[tuple[str, Test]] = field(default_factory=list)
    # label -> value -> positions of children that need it; positions of the other children.
    keyed: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    others: list[int] = field(default_factory=list)

    @property
    def path(self) -> tuple[Node, ...]:
        return (*self.parent.path, self) if self.parent else (self,)


class Router:
    """Answers which routes, and so which receivers, a set of labels reaches."""

    def __init__(self, root: Route) -> None:
        self.nodes: list[Node] = []
        self.root = self._node(root, None)

    def _node(self, route: Route, parent: Node | None) -> Node:
        def inherited(own: int | None, name: str, otherwise: int) -> int:
            if own is not None:
                return own
            return getattr(parent, name) if parent else otherwise

        group_by = route.group_by if route.group_by is not None else parent.group_by if parent else ()
        node = Node(
            route,
            route.receiver or (parent.receiver if parent else ""),
            group_by,
            inherited(route.group_wait, "group_wait", 30_000),
            inherited(route.group_interval, "group_interval", 300_000),
            inherited(route.repeat, "repeat", 14_400_000),
            parent,
            len(self.nodes),
            tests=[(matcher.label, test(matcher)) for matcher in route.matchers],
        )
        self.nodes.append(node)
        for position, child in enumerate(route.routes):
            node.children.append(self._node(child, node))
            key = next((m for m in child.matchers if m.op == "="), None)
            if key is None:
                node.others.append(position)
            else:
                node.keyed.setdefault(key.label, {}).setdefault(key.value, []).append(position)
        return node

    def routes(self, labels: Labels) -> list[Node]:
        """The routes that notify of an alert with these labels, in Alertmanager's order; never empty."""
        found: list[Node] = []
        _collect(self.root, labels, found)
        return found

    def receivers(self, labels: Labels) -> list[str]:
        """The names of their receivers, in that order, each as often as a route names it."""
        return [node.receiver for node in self.routes(labels)]


def router_of(routing: Routing) -> Router:
    return Router(routing.root)


def _collect(node: Node, labels: Labels, found: list[Node]) -> None:
    """Append the matches at or below a node whose own matchers hold."""
    before = len(found)
    children = node.children
    if children:
        positions = node.others
        for label, by_value in node.keyed.items():
            more = by_value.get(labels.get(label, ""))
            if more:
                positions = positions + more if positions else more
        if positions is not node.others and len(positions) > 1:
            positions = sorted(positions)
        for position in positions:
            child = children[position]
            for label, holds in child.tests:
                if not holds(labels.get(label, "")):
                    break
            else:
                _collect(child, labels, found)
                if not child.route.continue_:
                    break
    if len(found) == before:
        found.append(node)


def test(matcher: Matcher) -> Test:
    """A fast test of a label's value ("" for one that is not there)."""
    wanted = matcher.value
    if matcher.op == "=":
        return wanted.__eq__
    if matcher.op == "!=":
        return wanted.__ne__
    words = regex.words(wanted)
    if words is not None:
        listed = frozenset(words)
        return listed.__contains__ if matcher.op == "=~" else lambda value: value not in listed
    matches, positive = regex.matcher(wanted), matcher.op == "=~"
    memory: dict[str, bool] = {}

    def holds(value: str) -> bool:
        known = memory.get(value)
        if known is None:
            if len(memory) > 10_000:
                memory.clear()
            known = memory[value] = matches(value) == positive
        return known

    return holds


def all_hold(matchers: Sequence[Matcher], labels: Labels) -> bool:
    """Whether labels fit all matchers."""
    return all(test(matcher)(labels.get(matcher.label, "")) for matcher in matchers)
