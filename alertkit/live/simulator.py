"""The monitored systems, simulated: all series that the alerts read, healthy, and bad on demand.

A series' pieces are those of the proofs (the stimulus of each kind), read at the moment of the scrape. Alerts that
read one metric share its series, as they do in a real exporter.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isclose

from alertkit.compile.claim import FALLING, RISING, Boundary, Claim
from alertkit.compile.ruleset import Alert, System
from alertkit.kinds.stimulus import Source
from alertkit.live.timescale import window
from alertkit.prove.derived.cast import identities
from alertkit.series import Clock, Gone, Level, Line, Piece, Slope, Zigzag
from alertkit.series.example import example_labels
from alertkit.spec.quantity import format_number
from alertkit.spec.selector import quoted

SCRAPE = 1000  # milliseconds between two scrapes of those who read it in fast motion
Key = tuple[str, tuple[tuple[str, str], ...]]

# What series of a free label are called, so that messages read like those of a real system.
EXAMPLES = {
    "name": "orders", "exchange": "kraken", "symbol": "BTC-USD", "strategy": "momentum", "provider": "coingecko",
    "operation": "submit_order", "currency": "USD", "instance": "10.0.0.7:9100", "component": "binance_ws",
    "device": "sda", "endpoint": "/orders", "error_type": "timeout", "service": "backend", "job": "app",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Actor:
    """One alert that can be made to fire: its series at a value of its signal."""

    system: str
    alert: Alert
    claim: Claim
    labels: dict[str, str]
    speed: float
    name: str
    size: float = 1.0

    @property
    def rest(self) -> float:
        """A value at which nobody worries: the proofs rest at half a threshold, a healthy system far below."""
        claim = self.claim
        if claim.stimulus.rest is None and claim.rest > 0 and all(b.comparison.op in RISING for b in claim.boundaries):
            return claim.rest / 10
        return claim.rest

    def bad(self) -> float:
        """A value well past the gravest boundary, as far as the signal surely reaches."""
        if not self.claim.boundaries:
            return 1.0
        return _past(self.claim.boundaries[-1], self.claim)


class Simulator:
    """All series of some systems. `scale` is the fast motion of the rules that will read them. Safe across threads."""

    def __init__(self, systems: Iterable[System], scale: float = 1.0, clock: Callable[[], float] = time.time) -> None:
        self.actors = {actor.name: actor for actor in _actors(systems, scale)}
        self.faults: dict[str, float | None] = {}
        self._clock, self.scale = clock, scale
        self._lock = threading.Lock()
        self._extra = _shared_labels(self.actors.values())
        self._rest = self._healthy()
        self._pieces: dict[Key, Piece] = dict(self._rest)
        self._totals: dict[Key, float] = {}
        self._since: dict[Key, float] = {}
        self._drivers: dict[Key, str] = {}
        self._last = clock()
        self._ticks = 0

    def find(self, name: str) -> list[Actor]:
        """The alerts of that name, `ALERT`, `SYSTEM/ALERT` or as listed."""
        return [a for a in self.actors.values() if name in (a.name, a.alert.name, f"{a.system}/{a.alert.name}")]

    def break_(self, actor: Actor, value: float | None) -> None:
        """Let an alert's signal have a bad value; None lets its series vanish."""
        with self._lock:
            self._advance()
            self.faults.pop(actor.name, None)
            self.faults[actor.name] = value
            self._choose()

    def heal(self, actor: Actor | None = None) -> None:
        """Take one fault back, or all."""
        with self._lock:
            self._advance()
            if actor is None:
                self.faults.clear()
            else:
                self.faults.pop(actor.name, None)
            self._choose()

    def conflicts(self) -> dict[str, tuple[str, str]]:
        """Faults that a later one undoes, as far as they share series: name -> (a series, the later fault)."""
        found: dict[str, tuple[str, str]] = {}
        with self._lock:
            for name, value in self.faults.items():
                for key, piece in self._broken(name, value).items():
                    by = self._drivers[key]
                    if piece not in (self._rest.get(key), self._pieces[key]) and by != name:
                        found.setdefault(name, (_name(key), by))
        return found

    def exposition(self) -> str:
        """All series now, in Prometheus' text format."""
        with self._lock:
            now = self._advance()
            self._ticks += 1
            lines = []
            for key in sorted(self._pieces):
                value = self._value(key, self._pieces[key], now)
                if value is not None:
                    lines.append(f"{_name(key)} {format_number(value)}")
        return "\n".join(lines) + "\n"

    def _series(self, actor: Actor, sources: Iterable[Source]) -> dict[Key, Piece]:
        found: dict[Key, Piece] = {}
        for source in sources:
            metric = source.selector.metric
            given = {**(example_labels(source.selector.matchers) or {}), **dict(source.extra)}
            labels = {**self._extra.get(metric, {}), **actor.labels, **given}
            piece = source.piece
            if isinstance(piece, Slope):
                piece = Slope(piece.per_second * actor.speed)
            elif isinstance(piece, Level) and actor.size != 1:
                piece = Level(piece.value * actor.size)
            found[metric, tuple(sorted(labels.items()))] = piece
        return found

    def _healthy(self) -> dict[Key, Piece]:
        """One harmless piece for each series; where alerts disagree, the one that most of them find harmless."""
        wishes: dict[Key, list[tuple[Actor, Piece]]] = {}
        for actor in self.actors.values():
            stimulus = actor.claim.stimulus
            for key, piece in self._series(actor, [*stimulus.at(actor.rest), *stimulus.scenery]).items():
                wishes.setdefault(key, []).append((actor, piece))
        return {key: self._moving(key, self._agreed(key, entries), entries) for key, entries in wishes.items()}

    def _moving(self, key: Key, piece: Piece, wishes: Sequence[tuple[Actor, Piece]]) -> Piece:
        """A gauge of which only high values are bad moves a little below: one that stands still looks frozen."""
        if isinstance(piece, Level) and all(self._rises(actor, key) for actor, _ in wishes):
            return Zigzag(piece.value * 0.95, piece.value, 7 * SCRAPE)
        return piece

    def _rises(self, actor: Actor, key: Key) -> bool:
        rest, bad = self._extremes(actor, key)
        return bool(rest) and bool(bad) and 0 < max(rest) < min(bad)

    def _extremes(self, actor: Actor, key: Key) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The heights of a series when its alert is at rest, and when it is bad."""
        at = actor.claim.stimulus.at
        rest, bad = (_heights(self._series(actor, at(value)).get(key)) for value in (actor.rest, actor.bad()))
        return rest, bad

    def _agreed(self, key: Key, wishes: Sequence[tuple[Actor, Piece]]) -> Piece:
        pieces = list(dict.fromkeys(piece for _, piece in wishes))
        if len(pieces) == 1:
            return pieces[0]
        return max(pieces, key=lambda piece: sum(self._harmless(actor, key, own, piece) for actor, own in wishes))

    def _harmless(self, actor: Actor, key: Key, own: Piece, piece: Piece) -> bool:
        """Whether an alert can live with a piece: on the healthy side of its own, seen from where it would be bad."""
        if piece == own:
            return True
        if isinstance(own, Zigzag):
            return False  # what compares with the usual needs a past that moves
        rest, bad = self._extremes(actor, key)
        mine, heights = _heights(own), _heights(piece)
        if not mine or not heights:
            return False
        if not rest or not bad or rest == bad:
            return (min(heights) > 0) == (min(mine) > 0)  # scenery: that it is there
        return max(heights) <= min(rest) if rest < bad else min(heights) >= max(rest)

    def _choose(self) -> None:
        """The pieces of now: healthy, with the faults over them, the latest on top."""
        pieces = dict(self._rest)
        self._drivers.clear()
        for name, value in self.faults.items():
            asked = self._broken(name, value)
            pieces.update(asked)
            self._drivers.update(dict.fromkeys(asked, name))
        for key, piece in pieces.items():
            if piece != self._pieces.get(key):
                self._since[key] = self._last
        self._pieces = pieces

    def _broken(self, name: str, value: float | None) -> dict[Key, Piece]:
        actor = self.actors[name]
        at = actor.claim.stimulus.at
        if value is None:
            return dict.fromkeys(self._series(actor, at(actor.rest)), Gone())
        return self._series(actor, at(value))

    def _advance(self) -> float:
        now = self._clock()
        passed, self._last = now - self._last, now
        for key, piece in self._pieces.items():
            if isinstance(piece, Slope):
                self._totals[key] = self._totals.get(key, 0.0) + piece.per_second * max(passed, 0.0)
        return now

    def _value(self, key: Key, piece: Piece, now: float) -> float | None:
        match piece:
            case Level(value):
                return value
            case Slope():
                return self._totals.get(key, 0.0)
            case Clock(lag, factor):
                return (now - lag) * factor
            case Line(start, per_second):
                return start + per_second * (now - self._since.get(key, now)) * self.scale
            case Zigzag(low, high, period):
                # No faster than it is scraped, or every scrape might see the same half.
                slow = period / self.scale > 2 * SCRAPE
                turn = int(now * 1000 * self.scale // period) if slow else self._ticks
                return high if turn % 2 else low
        return None


def _heights(piece: Piece | None) -> tuple[float, ...]:
    """The values between which a piece moves; none when that is not known."""
    match piece:
        case Level(value) | Slope(value):
            return (value,)
        case Clock(lag):
            return (lag,)
        case Zigzag(low, high):
            return (low, high)
    return ()


def _actors(systems: Iterable[System], scale: float) -> list[Actor]:
    found: list[Actor] = []
    names: set[str] = set()
    for system in systems:
        for alert in system.alerts:
            claim = alert.claim
            if claim is None or claim.stimulus.always or not claim.boundaries:
                continue
            labels = {k: EXAMPLES.get(k, v) if v == f"{k}-1" else v for k, v in identities(claim)[0]}
            # A count over a shorter window needs a faster counter to be the same, be it the signal or a guard that
            # asks for so many events; rates and shares do not.
            span = max(claim.stimulus.rise, claim.stimulus.window)
            counts = "increase(" in claim.signal or claim.stimulus.thin is not None
            speed = span / window(span, scale) if counts and span else 1.0
            name = f"{system.name}/{alert.name}"
            if name in names:  # one of `for_each`
                name += f"[{','.join(labels.values()) or len(names)}]"
            names.add(name)
            found.append(Actor(system.name, alert, claim, labels, speed, name, _size(claim)))
    return found


def _size(claim: Claim) -> float:
    """By how much the two gauges of a ratio are scaled together, so that they fit other alerts on them: a pool
    has thousands of connections, not half of one."""
    rest, bad = claim.rest, claim.boundaries[-1].past
    ones, others = ([s.piece for s in claim.stimulus.at(value)] for value in (rest, bad))
    if len(ones) == len(others) == 2 and all(isinstance(piece, Level) for piece in (*ones, *others)):
        (used, limit), (used_bad, limit_bad) = ([p.value for p in ps if isinstance(p, Level)] for ps in (ones, others))
        # The other one is the whole, or what is left of it.
        for whole, whole_bad in ((limit, limit_bad), (used + limit, used_bad + limit_bad)):
            if whole == whole_bad > 0 and isclose(used, whole * rest) and isclose(used_bad, whole * bad):
                return 10_000 / whole
    return 1.0


def _shared_labels(actors: Iterable[Actor]) -> dict[str, dict[str, str]]:
    """For each metric all identity labels that any alert reads of it: one exporter serves them all."""
    found: dict[str, dict[str, str]] = {}
    for actor in actors:
        for source in actor.claim.stimulus.at(actor.rest):
            given = {matcher.label for matcher in source.selector.matchers}
            labels = found.setdefault(source.selector.metric, {})
            labels.update({k: v for k, v in actor.labels.items() if k not in given and k not in labels})
    return found


def _past(boundary: Boundary, claim: Claim) -> float:
    """Well past a boundary, where a signal of this kind surely can be: between it and its double, or its half."""
    stimulus, value, op = claim.stimulus, boundary.comparison.value, boundary.comparison.op
    if stimulus.bad is not None or stimulus.delay is not None or op not in (*RISING, *FALLING) or value == 0:
        return boundary.past
    if op in FALLING:
        return value - abs(value) * 0.4
    if 0 < value < 1:
        return value + (1 - value) * 0.4
    return value + abs(value) * 0.15


def _name(key: Key) -> str:
    metric, labels = key
    inner = ",".join(f"{name}={quoted(value)}" for name, value in labels)
    return f"{metric}{{{inner}}}" if inner else metric
