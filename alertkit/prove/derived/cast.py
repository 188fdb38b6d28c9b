"""The series in the proofs of one alert: their names, and apart from these what each of them is there for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from alertkit.compile.claim import Claim
from alertkit.compile.ruleset import Alert
from alertkit.kinds.stimulus import Input
from alertkit.prove.derived.decoys import calm, foreign_states, has_room, outsiders, selects, twin
from alertkit.series.example import example_labels
from alertkit.spec.selector import Matcher, quoted, satisfies

Labels = tuple[tuple[str, str], ...]


class Roles(NamedTuple):
    """What the series are there for, each by its place among the names; lists are in the order of the inputs.

    bad        the identity that the scripts move
    twins      a second series beside each of those, where there is room for one
    good       the identity that stays at rest; none where only one can exist
    calm       the value at which the twins stay; None where they do not stand by
    watched    the inputs whose absence is noticed
    split      the series are added up, so the twins are their second halves
    scenery    what goes on through every stage
    outsiders  series that one matcher keeps out, and the input or, behind these, the scenery that they look like
    copies     for each other copy of `for_each` the inputs that it has of its own, and their names
    states     alert states of alerts that are not this one
    """

    bad: tuple[int, ...]
    twins: tuple[int, ...]
    good: tuple[int, ...]
    calm: float | None
    watched: tuple[int, ...]
    split: bool
    scenery: tuple[int, ...]
    outsiders: tuple[tuple[int, int], ...]
    copies: tuple[tuple[tuple[int, int], ...], ...]
    states: tuple[int, ...]


class Cast(NamedTuple):
    """The names of all series, each as PromQL and once, and their roles."""

    names: tuple[str, ...]
    roles: Roles


def cast_of(alert: Alert, claim: Claim, copies: Iterable[Claim], bad: Labels, good: Labels | None) -> Cast:
    """The series in the proofs of an alert, of which `copies` are the other ones of its name."""
    names: dict[str, int] = {}

    def place(name: str) -> int:
        return names.setdefault(name, len(names))

    stimulus = claim.stimulus
    inputs, room = stimulus.inputs, has_room(claim)
    # Halves may add up to a little more or less, and then never reach what only the edge itself is past.
    split = stimulus.sums and room and not any(b.past == b.comparison.value != 0 for b in claim.boundaries)
    standing = calm(claim) if claim.worst and room and inputs else None
    twins = [twin(one) for one in inputs] if split or standing is not None else ()
    roles = Roles(
        tuple(map(place, _series_names(inputs, bad))),
        tuple(map(place, _series_names(twins, bad))),
        () if good is None else tuple(map(place, _series_names(inputs, good))),
        standing,
        tuple([at for at, one in enumerate(inputs) if one.selector in claim.inputs]),
        split,
        tuple([place(name) for name in _series_names([Input(s.selector, s.extra) for s in stimulus.scenery], bad)]),
        tuple([(place(one.selector.metric + braces(dict(one.extra))), like) for one, like in outsiders(claim, bad)]),
        tuple([tuple([(at, place(name)) for at, name in _own_series(copy, claim)]) for copy in copies]),
        tuple([place(f"ALERTS{braces(dict(labels))}") for labels in foreign_states(claim, alert, bad)]),
    )
    return Cast(tuple(names), roles)


def identities(claim: Claim) -> tuple[Labels, Labels | None]:
    """Labels of the identity that goes bad, and of one that stays good (None where only one can exist)."""
    read = dict.fromkeys([*claim.inputs, *(one.selector for one in claim.stimulus.inputs)])
    return _identities(claim.identity, tuple([selector.matchers for selector in read]))


@lru_cache(maxsize=4096)
def _identities(identity: tuple[str, ...], inputs: tuple[tuple[Matcher, ...], ...]) -> tuple[Labels, Labels | None]:
    fixed: dict[str, str] = {}
    for matchers in inputs:
        fixed |= {name: value for name, value in (example_labels(matchers) or {}).items() if name in identity}
    # What one input asks of a label holds for the others too, as all are of one identity.
    asked = dict.fromkeys([matcher for matchers in inputs for matcher in matchers if matcher.label in identity])
    found = example_labels(asked)
    fixed |= found or {}
    # Without a value the label is not there.
    none = set() if found is None else {matcher.label for matcher in asked} - found.keys()
    bad = {name: fixed.get(name, f"{name}-1") for name in identity if name not in none}
    free = {name: f"{name}-2" for name in bad if name not in fixed}
    return tuple(bad.items()), tuple({**bad, **free}.items()) if free else None


def leaving(claim: Claim, bad: Labels, good: Labels | None) -> tuple[Labels, ...]:
    """The identities whose data goes when that of `bad` does: all, where the alert fires when all series are gone."""
    if not claim.scheme.ends:
        return (bad,)
    stimulus = claim.stimulus
    series = [(identity, one) for identity in (bad, good) if identity is not None for one in stimulus.inputs]
    if claim.scheme.leaves:
        series += [(bad, Input(source.selector, source.extra)) for source in stimulus.scenery]
    found: dict[Labels, None] = {}
    for identity, one in series:
        labels = {**dict(identity), **(example_labels(one.selector.matchers) or {}), **dict(one.extra)}
        found[tuple([(name, labels[name]) for name in claim.identity if name in labels])] = None
    return tuple(found)


def _own_series(copy: Claim, claim: Claim) -> list[tuple[int, str]]:
    """The place and name of each series of another copy of `for_each`, but for its part of a total that they share.

    It can do without that, and the alert of `claim` would add it up.
    """
    inputs, stimulus = copy.stimulus.inputs, claim.stimulus
    names = enumerate(_series_names(inputs, identities(copy)[0]))
    if not stimulus.sums:
        return list(names)

    def added(one: Input) -> bool:
        labels = {**(example_labels(one.selector.matchers) or {}), **dict(one.extra)}
        return any(selects(own.selector, one.selector.metric, labels) for own in stimulus.inputs)

    missed = {*copy.inputs, *(own.selector for own in stimulus.inputs)}
    return [(place, name) for place, name in names if inputs[place].selector in missed or not added(inputs[place])]


def _series_names(inputs: Iterable[Input], identity: Labels) -> list[str]:
    """The series of an identity, each as PromQL."""
    return [one.selector.metric + _labels(identity, one.selector.matchers, one.extra) for one in inputs]


@lru_cache(maxsize=8192)
def _labels(identity: Labels, matchers: tuple[Matcher, ...], extra: Labels) -> str:
    """The labels of a series; most of those of an identity, and those of many alerts, differ in the metric only."""
    own = dict(identity)
    for name, value in (example_labels(matchers) or {}).items():
        if name not in own or not all(satisfies(own[name], m) for m in matchers if m.label == name):
            own[name] = value
    return braces({**own, **dict(extra)})


def braces(labels: Mapping[str, str]) -> str:
    """Labels as PromQL writes them behind a metric."""
    return "{" + ",".join([f"{name}={quoted(labels[name])}" for name in sorted(labels)]) + "}" if labels else ""
