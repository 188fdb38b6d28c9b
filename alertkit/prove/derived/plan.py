"""Test groups before they have names: what the series of all scripts do, and when something is expected.

Nothing here knows a name. A plan depends on the scripts and on how the series follow the signal, so alerts that differ
in their names and texts alone share one, and its text: it is worked out once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from alertkit.compile.claim import Scheme
from alertkit.emit.frames import Form, Frame
from alertkit.emit.promtool import Moments
from alertkit.kinds.stimulus import Drive, Stimulus
from alertkit.prove.derived.cast import Roles
from alertkit.prove.derived.grid import Grid
from alertkit.prove.derived.missing import FORGOTTEN, VANISHED, Companion
from alertkit.prove.derived.names import IDLE, THIN
from alertkit.prove.derived.rows import constant, driven, idle, opposed, steady
from alertkit.prove.derived.script import (
    ALREADY,
    BURN,
    EDGE,
    ENOUGH,
    LONE,
    NEWBORN,
    SILENT,
    Check,
    Outcome,
    Script,
    of_one,
)
from alertkit.series import Level, Zigzag
from alertkit.spec.duration import LOOKBACK

ONE = Level(1.0)
# The places of alerts in what is told of them, and of an alert that is silent among what is expected.
OWN, COMPANION = 0, 1
NOTHING = 0


class Framed(NamedTuple):
    """A frame, the clock it needs, and what each of its expectations stands for."""

    frame: Frame
    grid: Grid
    checks: tuple[Check, ...]


class Plan:
    """All frames of an alert, and how many expectations they hold."""

    def __init__(self, framed: Sequence[Framed]) -> None:
        self.framed = framed
        self.size = sum(len(one.checks) for one in framed)

    @cached_property
    def form(self) -> Form:
        """The text of all frames, by their evaluation interval (milliseconds): those of one stand in one file."""
        frames: dict[int, list[Frame]] = {}
        for frame, grid, _ in self.framed:
            frames.setdefault(grid.evaluation, []).append(frame)
        return Form(frames)


@lru_cache(maxsize=1024)
def outcomes_of(scripts: tuple[Script, ...]) -> tuple[Outcome, ...]:
    """What alerts read like at the checks of some scripts, NOTHING first."""
    return tuple(dict.fromkeys([SILENT, *(outcome for script in scripts for outcome in script.outcomes)]))


@lru_cache(maxsize=1024)
def of_ones(scripts: tuple[Script, ...]) -> tuple[Script, ...]:
    """The scripts for an alert that has no second identity."""
    return tuple(map(of_one, scripts))


@lru_cache(maxsize=1024)
def plan_of(
    scripts: tuple[Script, ...],
    roles: Roles,
    scheme: Scheme,
    copies: tuple[Scheme, ...],
    unknown: tuple[int, ...],
    companion: Companion | None,
) -> Plan:
    """The plan of an alert, in whose parts stand the outcomes of the scripts, and then what its companion says.

    `copies` are the schemes of the other copies of `for_each`.
    `unknown` are the places of outcomes whose texts are not known: the alert's states are expected instead.
    """
    places = {outcome: place for place, outcome in enumerate(outcomes_of(scripts))}
    one, whole, left = range(len(places), len(places) + 3)
    # Of samples that are too sparse to be seen at every evaluation some are always missing.
    seen = not any(type(piece) is Zigzag and piece.every > LOOKBACK for piece in scheme.motion.drive(scheme.rest))
    framed = []
    for script in scripts:
        expected = tuple([places[outcome] for outcome in script.outcomes])
        moments, exprs = script.moments, []
        if unknown:
            moments = Moments([row for row in script.moments.rows if expected[row[2]] not in unknown])
            exprs = [
                (unknown.index(expected[place]), time, title)
                for time, title, place in script.moments.rows
                if expected[place] in unknown
            ]
        alerts = [(OWN, moments, expected)] if moments.rows else []
        if companion is not None and script.gone_at is not None and seen:
            alerts.append((COMPANION, _gone(script, companion.patience), (NOTHING, left)))
        frame = Frame(
            script.name, script.grid.step, _series(script, roles, scheme, copies), tuple(alerts), tuple(exprs)
        )
        framed.append(Framed(frame, script.grid, script.checks))
    if companion is not None and companion.remembers and roles.watched and companion.loaded:
        said = (NOTHING, one, whole)
        framed += [
            _left(case, companion, roles, said) for case in ((FORGOTTEN, VANISHED) if roles.good else (VANISHED,))
        ]
    return Plan(framed)


def _left(case: str, companion: Companion, roles: Roles, expected: tuple[int, ...]) -> Framed:
    """How long the companion remembers what is gone while others stay, or what it says when nothing is left."""
    lost = [roles.bad[place] for place in roles.watched]
    staying = [name for name, _ in roles.outsiders]
    staying += [name for copy in roles.copies for _, name in copy]  # or their companions would fire too
    if case == FORGOTTEN:
        staying += [roles.good[place] for place in roles.watched]
    others = [name for name in dict.fromkeys(staying) if name not in lost]
    moments, checks = companion.tests(case)
    series = companion.series(case, list(dict.fromkeys(lost)), others)
    frame = Frame(case, companion.grid.step, series, ((COMPANION, moments, expected),))
    return Framed(frame, companion.grid, checks)


def _gone(script: Script, patience: int) -> Moments:
    """The companion: silent before its `for`, firing at it."""
    assert script.gone_at is not None
    fires = script.gone_at + script.grid.evaluations(patience)
    times = [at * script.grid.evaluation for at in (fires - 1, fires)]
    return Moments([(time, "no-data", place) for place, time in enumerate(times)])


def _series(script: Script, roles: Roles, scheme: Scheme, copies: tuple[Scheme, ...]) -> tuple[tuple[int, str], ...]:
    """The place of each series with its values over the script."""
    exact = script.name.startswith((EDGE, ENOUGH))
    motion, drive = scheme.motion, _drive(script, scheme.motion)
    found: dict[int, str] = {}
    for place, half, values in driven(script, drive, roles.split and not exact):
        found[(roles.twins if half else roles.bad)[place]] = values
    if roles.good:
        # Where absence is the alarm, all must be gone for it.
        for name, values in zip(roles.good, steady(script, drive, scheme.rest, scheme.ends), strict=True):
            found.setdefault(name, values)
    if roles.calm is not None:
        rows = steady(script, motion.drive, roles.calm, True)
        for place in roles.watched:  # a guard adds up what it counts
            found.setdefault(roles.twins[place], rows[place])
    for name, piece in zip(roles.scenery, scheme.scenery, strict=True):
        found[name] = constant(script, piece, scheme.leaves)
    for other, names in zip(copies, roles.copies, strict=True):
        # The other copies of `for_each` stay at rest, or their companions would miss them.
        rows = steady(script, other.motion.drive, other.rest, False)
        for place, name in names:
            found.setdefault(name, rows[place])
    if roles.outsiders:
        own = opposed(script, motion.drive, scheme.boundaries, scheme.rest)
        for name, place in roles.outsiders:
            if place < len(own):
                found.setdefault(name, own[place])
            else:
                found.setdefault(name, constant(script, scheme.scenery[place - len(own)], False))
    for name in roles.states:
        found[name] = constant(script, ONE, False)
    return tuple(found.items())


def _drive(script: Script, motion: Stimulus) -> Drive:
    """How the series follow the value: with the usual traffic, or in their cases with too little or none."""
    if script.name == IDLE and motion.idle is not None:
        return Drive(idle, (motion.idle,))
    own = {
        THIN: motion.thin, NEWBORN: motion.newborn, BURN: motion.scarce, EDGE: motion.balanced, ENOUGH: motion.enough,
        LONE: motion.lone, ALREADY: motion.already,
    }  # fmt: skip
    return own.get(script.name.split(" ")[0]) or motion.drive
