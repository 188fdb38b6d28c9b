"""Series that a right rule does not mind, and a wrong one does.

Beside the identity that goes bad stand: a second series in the same identity, so that a swapped aggregation shows; for
each matcher a series that just this matcher keeps out, in bad health while the alert's own is well and the other way
round; and for hysteresis the alert states of alerts that are not this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from alertkit.compile.claim import FALLING, RISING, Claim
from alertkit.kinds.stimulus import Source
from alertkit.series import Gone, Level, Piece, Slope
from alertkit.series.example import example_labels, satisfies
from alertkit.spec.selector import Matcher, Selector

TWIN = "replica"
# Marks alert states that no rule of the test has written.
DECOY = "decoy"
_GONE = Gone()

Extra = tuple[tuple[str, str], ...]


def splits(sources: Sequence[Source], claim: Claim) -> list[Source]:
    """The series of one identity, each in two that add up to it, in unequal parts; as they are where they do not add.

    A gauge beside counters is a gate, which is not added up. Neighbours are parted differently, so that the larger of
    two does not keep their proportion.
    """
    if not claim.stimulus.sums or _taken(claim):
        return list(sources)
    counted = any(isinstance(source.piece, Slope) for source in sources)
    parted = []
    for index, source in enumerate(sources):
        share = 0.75 if index % 2 else 0.5
        one, other = _scaled(source.piece, share), _scaled(source.piece, 1 - share)
        if one is None or other is None or (counted and isinstance(source.piece, Level)):
            parted.append(source)
            continue
        parted.append(Source(source.selector, one, source.extra))
        parted.append(_twin(source, other))
    return parted


def _taken(claim: Claim) -> bool:
    return TWIN in claim.identity or any(m.label == TWIN for s in claim.inputs for m in s.matchers)


def _scaled(piece: Piece, share: float) -> Piece | None:
    if isinstance(piece, Slope):
        return Slope(piece.per_second * share)
    if isinstance(piece, Level):
        return Level(piece.value * share)
    return None


def healthy_twin(claim: Claim) -> list[Source]:
    """A second series in the identity that is well throughout, where only the worst one counts."""
    if not claim.worst or _taken(claim):
        return []
    return [_twin(source, source.piece) for source in claim.stimulus.at(_calm(claim))]


def _twin(source: Source, piece: Piece) -> Source:
    return Source(source.selector, piece, (*source.extra, (TWIN, "2")))


def _calm(claim: Claim) -> float:
    """A harmless value for the twin; where rest is zero a little more, so that a sum is not the same."""
    edge = claim.boundaries[0]
    if claim.rest or claim.stimulus.far or edge.comparison.op not in (*RISING, *FALLING):
        return claim.rest
    little = edge.inside / 8
    kept = claim.clear is not None and claim.clear.holds(little)
    return claim.rest if kept or claim.stimulus.drifts or _harmful(claim, little) else little


def outsiders(claim: Claim, values: Sequence[float], identity: dict[str, str]) -> Iterator[tuple[Source, list[Piece]]]:
    """For each matcher a series that it alone keeps out, and what it does at each of `values` and without data."""
    stimulus = claim.stimulus
    if stimulus.always or not claim.boundaries:
        return
    bad = claim.boundaries[-1].past
    own = list(stimulus.at(bad)) + list(stimulus.at(claim.rest)) + list(stimulus.scenery)
    if not any(source.selector.matchers for source in own):
        return
    everyone = {source.selector for source in own} | set(claim.inputs)
    opposite = [claim.rest if _harmful(claim, value) else bad for value in values] + [claim.rest]
    seen: set[tuple[str, Extra]] = set()
    for source in own:
        for matcher in dict.fromkeys(source.selector.matchers):
            labels = _outside(source, matcher, identity, everyone)
            if labels is None:
                continue
            key = (source.selector.metric, tuple(sorted(labels.items())))
            if key in seen:
                continue
            seen.add(key)
            pieces = [_piece(stimulus.at(value), source) for value in opposite]
            if source in stimulus.scenery:
                pieces = [source.piece] * len(opposite)
            yield Source(Selector(source.selector.metric), source.piece, key[1]), pieces


def _harmful(claim: Claim, value: float) -> bool:
    return any(boundary.comparison.holds(value) for boundary in claim.boundaries)


def _piece(sources: Iterable[Source], like: Source) -> Piece:
    return next((s.piece for s in sources if (s.selector, s.extra) == (like.selector, like.extra)), _GONE)


def _outside(
    source: Source, matcher: Matcher, identity: dict[str, str], everyone: Iterable[Selector]
) -> dict[str, str] | None:
    """Labels that fail this matcher only, and that no other selector of the alert takes in."""
    labels = {**identity, **(example_labels(source.selector.matchers) or {}), **dict(source.extra)}
    for value in _failing(matcher):
        changed = {k: v for k, v in {**labels, matcher.label: value}.items() if v}
        others = [m for m in source.selector.matchers if m != matcher]
        if satisfies(value, matcher) or not all(satisfies(changed.get(m.label, ""), m) for m in others):
            continue
        if not any(_selects(selector, source.selector.metric, changed) for selector in everyone):
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


def _selects(selector: Selector, metric: str, labels: dict[str, str]) -> bool:
    return selector.metric == metric and all(satisfies(labels.get(m.label, ""), m) for m in selector.matchers)


def foreign_states(claim: Claim, alert: str, severity: str, system: str, identity: dict[str, str]) -> list[Extra]:
    """Labels of `ALERTS` series, each of an alert that is not this one in a single way; only for hysteresis."""
    if claim.clear is None:
        return []
    own = {
        **identity, "alertname": alert, "alertstate": "firing", "severity": severity, "system": system, DECOY: "1",
    }  # fmt: skip
    changes = {"alertname": f"{alert}-{DECOY}", "alertstate": "pending", "severity": DECOY, "system": DECOY}
    return [tuple(sorted({**own, name: value}.items())) for name, value in changes.items()]


__all__ = ["DECOY", "TWIN", "foreign_states", "healthy_twin", "outsiders", "splits"]
