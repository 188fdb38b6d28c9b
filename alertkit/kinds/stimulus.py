"""The stimulus of a kind: input series that make its question come out at a chosen value."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import NamedTuple

from alertkit.series import Level, Piece, Slope
from alertkit.spec.selector import Selector

Pieces = tuple[Piece, ...]

# How Python shows an object of which it knows nothing else.
OPAQUE = " at 0x"


class Input(NamedTuple):
    """One input series, whatever it does: a selector's series with `extra` labels."""

    selector: Selector
    extra: tuple[tuple[str, str], ...] = ()


class Source(NamedTuple):
    """One input series while the signal has some value: a selector's series, what it does, and `extra` labels."""

    selector: Selector
    piece: Piece
    extra: tuple[tuple[str, str], ...] = ()


class Drive(NamedTuple):
    """What each input series does while the signal has some value: `pieces(value, *arguments)`, in their order.

    It knows no names, and equal ones do the same: what follows from one is worked out once for all alerts that have
    it. `pieces` is therefore a function of a module, and `arguments` can be hashed.
    """

    pieces: Callable[..., Pieces]
    arguments: tuple[Hashable, ...] = ()

    def __call__(self, value: float) -> Pieces:
        return self.pieces(value, *self.arguments)

    def __repr__(self) -> str:
        """Says all of it, the same in every process, where that can be said: else an address is in it."""
        name, module = self.pieces.__qualname__, self.pieces.__module__
        known = getattr(sys.modules.get(module), name, None) is self.pieces
        if not (known and all(map(_is_plain, self.arguments))):
            return object.__repr__(self)
        return f"Drive({module}.{name}, {self.arguments!r})"


def _is_plain(argument: object) -> bool:
    """Whether the way in which Python shows it says all of it."""
    if isinstance(argument, Drive):
        return OPAQUE not in repr(argument)
    if isinstance(argument, tuple):
        return all(map(_is_plain, argument))
    return isinstance(argument, str | int | float | Piece | None)


def level(value: float) -> Pieces:
    """One gauge that has the value itself."""
    return (Level(value),)


def slope(value: float, seconds: float) -> Pieces:
    """One counter that rises by the value in so many seconds."""
    return (Slope(value / seconds),)


def finely(value: float, drive: Drive) -> Pieces:
    """What a drive does, with counters so exact that small differences between them are, too."""
    return tuple([replace(piece, fine=True) if isinstance(piece, Slope) else piece for piece in drive(value)])


class Stimulus(NamedTuple):
    """How to drive a signal. Times are milliseconds.

    inputs     the series that move the signal; `on` puts in others
    drive      value -> what they do so that the signal has this value
    rise       after a change upward, this long until the signal has wholly arrived at the new value
    fall       the same for a change downward
    late       a change shows only at the first sample after it (counters), not at it (gauges)
    sticky     until it has arrived, the signal keeps its old value (max or min over a window)
    exact      the signal has the value to the last bit, so the boundary itself can be proven
    sharp      the boundary itself can be had to the last bit, though not every value
    margin     how far beside a boundary, as a share of it, the nearest provable value lies
    smallest   how far beside zero the nearest provable value lies
    eager      on its way from or to 0 the signal is already (or still) above it
    drifts     a harmful value goes on growing, or is counted now higher and now lower: what `$value` shows is not known
    birth      this many samples must be there before the signal exists
    window     the shortest window in the question: samples must be dense enough for it
    sampled    series are looked at only at the whole multiples of this (the step of a subquery)
    far        `inside` and `bad` lie well away from the boundary, so the moment of crossing it is open
    isolated   what came before would disturb: each case starts anew, after `prelude` at rest
    longest    a value can be held no longer than this
    rest, bad  values at which the alert is surely silent or firing, where the condition alone cannot tell
    inside     a harmless value near the boundary, where the condition alone cannot tell
    delay      for a signal that grows with time: from the change to this value
    gone       labels of the alert that fires when all series are gone; None where their absence is no alarm
    absence    the absence of data is what the kind watches, so there is no case of its own for it
    always     fires from the first evaluation on, whatever the series
    scenery    series that go on through every stage, also when the data is gone
    sums       the series of one identity are added up, so each may be split in two
    twin       a healthy series in the same identity changes nothing, though the question itself takes the worst
    thin       as `drive`, with too little traffic for the alert to speak; None without such a guard
    pairs      burn rates: (severity, long window, short window, threshold) of each pair,
    counted    the window in which they ask for events, and
    scarce     as `drive`, with hardly enough traffic, which changes with the value
    leave      labels of the further alerts that fire when all series are gone; the scenery then leaves with the data
    idle       what the series do when they exist but carry no traffic; None where that means nothing
    instant    only the newest samples count, so a signal lasts exactly as long as they are looked back at
    relative   a value counts only beside earlier ones of its series: a series that is born bad is not bad
    brink      thresholds that the signal can have to the last bit, for samples half a window (`rise`) apart, with
    balanced   as `drive`, which then makes it so
    already    as `drive`, with series that are harmful in another way: now, though not for long
    lone       as `drive`, in which some counters stand still that would better not exist; None where there are none
    enough     as `drive`, with exactly as much traffic as the alert needs to speak, for the same samples
    newborn    as `drive`, of counters that give the signal its value by being born, for as long as `rise`, and then
               stand still; None where that is no event
    even       (value, edge) -> what goes evenly while the signal goes from one value to another, where it does not
               itself: the signal is at the edge when this is
    remembered so long a counter that is gone is remembered, and not taken for newborn when it comes back
    """

    inputs: tuple[Input, ...]
    drive: Drive
    rise: int = 0
    fall: int = 0
    late: bool = False
    sticky: bool = False
    exact: bool = False
    sharp: bool = False
    margin: float = 0.001
    smallest: float = 0.001
    eager: bool = False
    drifts: bool = False
    birth: int = 1
    window: int = 0
    delay: Callable[[float], int] | None = None
    far: bool = False
    isolated: bool = False
    prelude: int = 0
    longest: int | None = None
    rest: float | None = None
    bad: float | None = None
    inside: float | None = None
    absence: bool = False
    always: bool = False
    idle: Pieces | None = None
    sums: bool = False
    pairs: tuple[tuple[str, int, int, float], ...] = ()
    counted: int = 0
    twin: bool = False
    thin: Drive | None = None
    instant: bool = False
    relative: bool = False
    newborn: Drive | None = None
    brink: tuple[float, ...] = ()
    balanced: Drive | None = None
    enough: Drive | None = None
    lone: Drive | None = None
    already: Drive | None = None
    scarce: Drive | None = None
    even: Callable[[float, float], float] | None = None
    remembered: int = 0
    sampled: int = 0
    # These hold names, as `inputs` does; what stands between knows none.
    gone: tuple[tuple[str, str], ...] | None = None
    leave: tuple[tuple[tuple[str, str], ...], ...] = ()
    scenery: tuple[Source, ...] = ()

    def on(self, *inputs: Input) -> Stimulus:
        """The same of these series.

        What else there is to say knows no names, so a kind works it out once for all alerts that it is the same for.
        """
        return Stimulus._make((inputs, *self[1:]))

    def nameless(self) -> tuple[object, ...]:
        """All values but the first and the last three, which hold names."""
        return self[1:-3]

    def at(self, value: float) -> tuple[Source, ...]:
        """The series that give the signal this value, with what they do."""
        pieces = self.drive(value)
        return tuple([Source(one.selector, piece, one.extra) for one, piece in zip(self.inputs, pieces, strict=True)])
