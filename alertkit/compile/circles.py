"""Inhibitions that would mute an alert for good: in a circle, or by an alert that always fires.

Alertmanager lets muted alerts mute others, so two alerts that mute each other are both lost while both fire.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alertkit.compile.reach import holds
from alertkit.compile.routing import InhibitRule, Matcher, Routable
from alertkit.source import Problems

Node = int


def check_circles(alerts: Sequence[Routable], own: Sequence[InhibitRule], problems: Problems) -> None:
    """Report rules of the routing files (`own`) that close a circle or have a source that always fires.

    Circles of `unless:` alone are found where specs are compiled.
    """
    if not own:
        return
    graph = _Graph(alerts)
    for rule in own:
        graph.add(rule, problems)
    for rule, names in graph.circles(own):
        problems.add(
            "AK515", f"this inhibition closes a circle: {' and '.join(names)} would mute each other", rule.span,
            "while both fire nobody is told; narrow `when:` or `mutes:`",
        )  # fmt: skip


class _Graph:
    """Nodes are alert levels and, after them, two of each rule; an edge leads from what mutes to what is muted."""

    def __init__(self, alerts: Sequence[Routable]) -> None:
        self.levels = [(alert, level) for alert in alerts for level in range(len(alert.levels))]
        self.edges: list[list[Node]] = [[] for _ in self.levels]
        at: dict[tuple[str, str], list[Node]] = {}
        for node, (alert, _) in enumerate(self.levels):
            at.setdefault((alert.system, alert.name), []).append(node)
        for alert in alerts:
            mine = at[alert.system, alert.name]
            for index, node in enumerate(mine):
                self.edges[node] += mine[:index]
            for other in alert.unless:
                for node in at.get((alert.system, other), ()):
                    self.edges[node] += mine
        self.rules: list[tuple[Node, Node]] = []

    def add(self, rule: InhibitRule, problems: Problems) -> None:
        sources = {node for node in range(len(self.levels)) if self._fits(rule.source, node)}
        targets = {node for node in range(len(self.levels)) if self._fits(rule.target, node)}
        always = sorted({self.levels[node][0].name for node in sources if self.levels[node][0].heartbeat_receiver})
        if always and targets:
            problems.add(
                "AK515", f"`{always[0]}` always fires, so what it inhibits is muted for good", rule.span,
                "name an alert that fires only when something is wrong",
            )  # fmt: skip
        # An alert that is both source and target is muted only by sources that are no targets.
        plain, double = len(self.edges), len(self.edges) + 1
        self.edges += [sorted(targets), sorted(targets - sources)]
        for node in sources:
            self.edges[node] = [*self.edges[node], double if node in targets else plain]
        self.rules.append((plain, double))

    def _fits(self, matchers: Iterable[Matcher], node: Node) -> bool:
        alert, index = self.levels[node]
        labels = alert.levels[index]
        for matcher in matchers:
            if matcher.label in labels:
                if "{{" not in labels[matcher.label] and not holds(matcher, labels[matcher.label]):
                    return False
            elif alert.identity is not None and matcher.label not in alert.identity and not holds(matcher, ""):
                return False
        return True

    def circles(self, own: Sequence[InhibitRule]) -> list[tuple[InhibitRule, list[str]]]:
        """Rules that lie on a circle, with the alerts on it."""
        component = _components(self.edges)
        members: dict[int, list[Node]] = {}
        for node, number in enumerate(component):
            members.setdefault(number, []).append(node)
        found = []
        seen: set[int] = set()
        for rule, nodes in zip(own, self.rules, strict=True):
            for node in nodes:
                number = component[node]
                if len(members[number]) > 1 and number not in seen:
                    seen.add(number)
                    on = [n for n in members[number] if n < len(self.levels)]
                    found.append((rule, self._names(on)))
        return found

    def _names(self, nodes: Sequence[Node]) -> list[str]:
        several = len({self.levels[node][0].name for node in nodes}) < 2
        names = dict.fromkeys(
            f"{alert.name} ({alert.levels[index].get('severity', '')})" if several else alert.name
            for alert, index in (self.levels[node] for node in nodes)
        )
        words = list(names)
        return [f"`{word}`" for word in words[:3]] + ([f"{len(words) - 3} more"] if len(words) > 3 else [])


def _components(edges: Sequence[Sequence[Node]]) -> list[int]:
    """The strongly connected component of each node (Tarjan, without recursion)."""
    count = len(edges)
    index = [-1] * count
    low = [0] * count
    component = [-1] * count
    stack: list[Node] = []
    counter = found = 0
    for root in range(count):
        if index[root] >= 0:
            continue
        work: list[tuple[Node, int]] = [(root, 0)]
        while work:
            node, edge = work.pop()
            if edge == 0:
                index[node] = low[node] = counter
                counter += 1
                stack.append(node)
            descended = False
            for position in range(edge, len(edges[node])):
                other = edges[node][position]
                if index[other] < 0:
                    work += [(node, position + 1), (other, 0)]
                    descended = True
                    break
                if component[other] < 0:
                    low[node] = min(low[node], index[other])
            if descended:
                continue
            if low[node] == index[node]:
                while True:
                    member = stack.pop()
                    component[member] = found
                    if member == node:
                        break
                found += 1
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[node])
    return component
