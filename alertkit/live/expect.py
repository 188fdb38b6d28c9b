"""What to expect of a fault: how long its alert takes to show, and what keeps it from showing at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alertkit.live.simulator import Actor, Simulator
from alertkit.live.timescale import wait, window
from alertkit.series import Clock
from alertkit.spec.duration import format_duration

# Scrapes, evaluations and the first two samples of a window, in milliseconds: whatever the scale, they take this.
_GRACE = 5_000


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds: so much `history` of healthy metrics must come before the fault, so long `until` it fires."""

    history: int
    until: int

    def __str__(self) -> str:
        shows = f"fires {_shown(self.until)} after the fault" if self.until else "fires at once"
        if not self.history:
            return shows
        return f"compares with the past: it needs {_shown(self.history)} of healthy metrics first, then {shows}"


def timing(actor: Actor, scale: float = 1.0) -> Timing:
    """How long an alert takes from its fault to firing with its gravest level, in fast motion if `scale` is not 1."""
    stimulus = actor.claim.stimulus
    if stimulus.delay is not None:
        reach = wait(stimulus.delay(actor.bad()), scale)
    else:
        way = stimulus.rise if actor.bad() > actor.rest else stimulus.fall
        # What is relative needs its window for its past, which is counted below.
        filled = 0 if stimulus.relative else stimulus.window
        reach = max((window(span, scale) for span in (way, filled) if span), default=0)
    held = max(wait(rule.for_, scale) for rule in actor.alert.rules)
    # Timestamps are old by themselves, and what vanishes needs no past.
    clocks = any(isinstance(source.piece, Clock) for source in stimulus.at(actor.rest))
    past = 0 if clocks or stimulus.delay is not None else stimulus.prelude
    grace = _GRACE if scale != 1 else 0
    return Timing(window(past, scale) + grace if past else 0, reach + held + grace)


def notes(simulator: Simulator) -> Iterator[str]:
    """Why the alerts of faults that are there now may not show, one sentence each."""
    for name, (series, by) in simulator.conflicts().items():
        yield f"{name} may not fire: {series} does what the later fault {by} asks"
    broken = [simulator.actors[name] for name in simulator.faults]
    for actor in broken:
        others = sorted(
            {o.alert.name for o in broken if o.system == actor.system and o.alert.name in actor.alert.unless}
        )
        if others:
            yield f"nobody is told of {actor.name} while {' or '.join(others)} fires (`unless`)"


def _shown(milliseconds: int) -> str:
    """A time, rounded up to what matters: seconds below ten minutes, minutes above."""
    unit = 1000 if milliseconds < 600_000 else 60_000
    return format_duration(-(-milliseconds // unit) * unit)
