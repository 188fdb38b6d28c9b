"""`unless`: alerts that explain another one away.

While X fires, `unless: X` mutes the alert in Alertmanager: it goes on firing and is seen, but nobody is told. With
`unless: {alert: X, pending: false}` the rule itself is false too, so that the alert is not even pending.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from alertkit.compile.read import Entry
from alertkit.kinds.question import on
from alertkit.source import Problems
from alertkit.spec.selector import quoted
from alertkit.spec.validate import suggest


class Identity(NamedTuple):
    """What tells firing instances of one alert apart: labels that its series bring (None: not known), and the variables
    of `for_each`, which are labels of its copies."""

    series: tuple[str, ...] | None
    variables: tuple[str, ...] = ()

    @property
    def labels(self) -> frozenset[str] | None:
        """All of them; None where they are not known."""
        return None if self.series is None else frozenset(self.series).union(self.variables)

    def shared(self, other: Identity) -> list[str]:
        """Labels of both; where one side's are not known, the other's must simply be there."""
        mine, theirs = self.labels, other.labels
        if mine is None or theirs is None:
            return sorted(mine or theirs or set(self.variables) & set(other.variables))
        return sorted(mine & theirs)


def check_unless(entries: Sequence[Entry], known: Collection[str], problems: Problems) -> None:
    """`unless` names alerts of this system, and never leads back to where it began.

    `known` are the names of all alerts of the file, also of those with mistakes.
    """
    if not any(entry.spec.unless for entry in entries):
        return
    names = {entry.name for entry in entries}
    unless = {entry.name: tuple([other.alert for other in entry.spec.unless]) for entry in entries}
    seen: set[str] = set()
    circles: set[frozenset[str]] = set()
    for entry in entries:
        if entry.name in seen:
            continue
        seen.add(entry.name)
        for index, name in enumerate(unless[entry.name]):
            # The name stands alone, in a list, or under `alert:` of either.
            paths = [("unless", index, "alert"), ("unless", "alert")]
            place = entry.value(*next((path for path in paths if entry.has(*path)), ("unless", index)))
            if name not in names:
                if name not in known:
                    problems.add("AK407", f"unknown alert `{name}`", place, suggest(name, known))
            elif name == entry.name:
                problems.add(
                    "AK408", f"`{name}` cannot explain itself away", place, "remove it from its own `unless`"
                )  # fmt: skip
            elif (circle := _circle(entry.name, name, unless)) is not None and frozenset(circle) not in circles:
                circles.add(frozenset(circle))
                problems.add(
                    "AK408", f"`unless` goes in a circle: {' -> '.join([entry.name, *circle])}", place,
                    "together they would silence each other for good; remove one of these `unless`",
                )  # fmt: skip


class Copy(NamedTuple):
    """An alert, or one copy of it, as others see it: its identity, and the values that `for_each` gave it."""

    identity: Identity
    variables: Mapping[str, str]


def explained(
    expr: str, entry: Entry, system: str, identity: tuple[str, ...] | None, others: Mapping[str, Sequence[Copy]]
) -> str:  # fmt: skip
    """The expression, false while an alert fires beside which this one must not even be pending.

    `others` are the system's alerts. As in inhibition, labels that both have must be equal and there;
    what `for_each` says of a copy is a label of its rule, which its expression lacks or has otherwise.
    """
    own = entry.variables
    for other in entry.spec.unless:
        if other.pending or other.alert not in others:
            continue
        if re.search(r"\bor\b", expr) or entry.spec.user_promql or entry.spec.kind == "expr":
            expr = f"({expr})"
        ways = shares(Identity(identity, tuple(own)), own, others[other.alert])
        if all(shared == ways[0][0] for shared, _ in ways):
            ways = [(shared, {}) for shared, _ in ways[:1]]
        for shared, fixed in ways:
            known = {**fixed, **own}
            labels = sorted({*shared, *fixed})
            there = "".join(
                f",{label}={quoted(known[label])}" if label in known else f',{label}!=""' for label in labels
            )
            alerts = f'ALERTS{{alertname={quoted(other.alert)},alertstate="firing",system={quoted(system)}{there}}}'
            expr += f"\nunless {on([label for label in shared if label not in known])}\n{alerts}"
    return expr


def shares(
    identity: Identity, variables: Mapping[str, str], copies: Sequence[Copy]
) -> list[tuple[list[str], Mapping[str, str]]]:
    """What an alert shares with each of these copies of another one, and the variables of that copy.

    A copy of which a variable differs has nothing to do with it, nor has one that shares nothing if another does.
    """
    found = [
        (identity.shared(copy.identity), copy.variables)
        for copy in copies
        if all(copy.variables.get(name, value) == value for name, value in variables.items())
    ]
    return [way for way in found if way[0]] or found


def _circle(start: str, current: str, unless: Mapping[str, tuple[str, ...]]) -> list[str] | None:
    """The way from `current` back to `start` along `unless`, or None."""
    stack = [(current, [current])]
    visited = set()
    while stack:
        name, way = stack.pop()
        if name == start:
            return way
        if name in visited:
            continue
        visited.add(name)
        stack += [(following, [*way, following]) for following in unless.get(name, ())]
    return None
