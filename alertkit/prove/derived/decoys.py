"""Series that a right rule does not mind, and a wrong one does.

Beside the identity that goes bad stand: a second series in the same identity, so that a swapped aggregation shows; for
each matcher a series that just this matcher keeps out, in bad health while the alert's own is well and the other way
round; and for hysteresis the alert states of alerts that are not this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from alertkit.compile.claim import FALLING, RISING, Boundary, Claim
from alertkit.compile.ruleset import Alert
from alertkit.kinds.stimulus import Input, Pieces
from alertkit.series import Level, Piece, Slope
from alertkit.series.example import example_labels
from alertkit.spec.selector import Matcher, Selector, satisfies

TWIN = "replica"
# Marks alert states that no rule of the test has written.
DECOY = "decoy"

Extra = tuple[tuple[str, str], ...]


def splits(pieces: Pieces) -> list[tuple[int, bool, Piece]]:
    """The series of one identity, each in two that add up to it, in unequal parts; as they are where they do not add.

    Gives the place of a piece, whether it is the second part of it, and that part. A gauge beside counters is a gate,
    which is not added up. Neighbours are parted differently, so that the larger of two does not keep their proportion.
    """
    counted = any(isinstance(piece, Slope) for piece in pieces)
    parted: list[tuple[int, bool, Piece]] = []
    for place, piece in enumerate(pieces):
        share = 0.75 if place % 2 else 0.5
        one, other = _scaled(piece, share), _scaled(piece, 1 - share)
        if one is None or other is None or (counted and isinstance(piece, Level)):
            parted.append((place, False, piece))
        else:
            parted += [(place, False, one), (place, True, other)]
    return parted


def has_room(claim: Claim) -> bool:
    """Whether a second series fits into an identity: the label that tells it apart has no other meaning."""
    return not (TWIN in claim.identity or any(m.label == TWIN for s in claim.inputs for m in s.matchers))


def _scaled(piece: Piece, share: float) -> Piece | None:
    if isinstance(piece, Slope):
        return replace(piece, per_second=piece.per_second * share)
    if isinstance(piece, Level):
        return Level(piece.value * share)
    return None


def twin(one: Input) -> Input:
    """The second series beside one in its identity."""
    return Input(one.selector, (*one.extra, (TWIN, "2")))


def calm(claim: Claim) -> float:
    """A harmless value for the twin; where rest is zero a little more, so that a sum is not the same."""
    edge = claim.boundaries[0]
    if claim.rest or claim.stimulus.far or edge.comparison.op not in (*RISING, *FALLING):
        return claim.rest
    little = edge.inside / 8
    kept = claim.clear is not None and claim.clear.holds(little)
    return claim.rest if kept or claim.stimulus.drifts or _harmful(claim.boundaries, little) else little


def outsiders(claim: Claim, identity: Extra) -> list[tuple[Input, int]]:
    """For each matcher a series that it alone keeps out, and the place of the input or, behind these, of the scenery
    that it looks like. An input's outsider is in the opposite health (`opposite`), scenery's does what that does."""
    stimulus = claim.stimulus
    own = [*stimulus.inputs, *(Input(source.selector, source.extra) for source in stimulus.scenery)]
    if stimulus.always or not claim.boundaries or not any(one.selector.matchers for one in own):
        return []
    everyone = {one.selector for one in own} | set(claim.inputs)
    found: dict[Input, int] = {}
    for place, one in enumerate(own):
        for matcher in dict.fromkeys(one.selector.matchers):
            labels = _outside(one, matcher, identity, everyone)
            if labels is not None:
                found.setdefault(Input(Selector(one.selector.metric), tuple(sorted(labels.items()))), place)
    return list(found.items())


def opposite(values: Sequence[float], boundaries: Sequence[Boundary], rest: float) -> list[float]:
    """At each of `values`, and then without data, one in the opposite health."""
    return [rest if _harmful(boundaries, value) else boundaries[-1].past for value in values] + [rest]


def _harmful(boundaries: Iterable[Boundary], value: float) -> bool:
    return any(boundary.comparison.holds(value) for boundary in boundaries)


def _outside(one: Input, matcher: Matcher, identity: Extra, everyone: Iterable[Selector]) -> dict[str, str] | None:
    """Labels that fail this matcher only, and that no other selector of the alert takes in."""
    labels = {**dict(identity), **(example_labels(one.selector.matchers) or {}), **dict(one.extra)}
    for value in _failing(matcher):
        changed = {k: v for k, v in {**labels, matcher.label: value}.items() if v}
        others = [m for m in one.selector.matchers if m != matcher]
        if satisfies(value, matcher) or not all(satisfies(changed.get(m.label, ""), m) for m in others):
            continue
        if not any(selects(selector, one.selector.metric, changed) for selector in everyone):
            return changed
    return None


def _failing(matcher: Matcher) -> list[str]:
    if matcher.op == "=":
        return [f"{matcher.value}-{DECOY}", DECOY]
    if matcher.op == "=~":
        return [DECOY, "0", ""]
    if matcher.op == "!=":
        return [matcher.value]
    found = example_labels([Matcher(matcher.label, "=~", matcher.value)]) or {}
    return list(found.values())


def selects(selector: Selector, metric: str, labels: dict[str, str]) -> bool:
    return selector.metric == metric and all(satisfies(labels.get(m.label, ""), m) for m in selector.matchers)


def foreign_states(claim: Claim, alert: Alert, identity: Extra) -> list[Extra]:
    """Labels of `ALERTS` series, each of an alert that is not this one in a single way; only for hysteresis."""
    if claim.clear is None:
        return []
    labels = dict(alert.rules[0].labels)
    copy = {name: labels[name] for name in alert.variables}
    own = {
        **dict(identity), **copy, "alertname": alert.name, "alertstate": "firing", "severity": labels["severity"],
        "system": alert.system, DECOY: "1",
    }  # fmt: skip
    changes = {"alertname": f"{alert.name}-{DECOY}", "alertstate": "pending", "severity": DECOY, "system": DECOY}
    changes |= dict.fromkeys(copy, DECOY)
    return [tuple(sorted({**own, name: value}.items())) for name, value in changes.items()]
