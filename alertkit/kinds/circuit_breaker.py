from typing import Literal

from pydantic import Field

from alertkit.kinds.base import Context, Kind, KindError
from alertkit.kinds.question import Comparison, Question
from alertkit.kinds.stimulus import Drive, Input, Pieces, Stimulus, level
from alertkit.series import Level, Zigzag
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.selector import Metric


class CircuitBreaker(Kind):
    """A circuit breaker is open, stuck half-open, not closed, or flapping.

    Parameters
      metric     the gauge that holds the breaker's state
      open       its value when open (default 1)
      half_open  its value when half-open; needed for `state: half_open`
      closed     its value when closed (default 0)
      state      which state alerts: open (default), half_open or not_closed
      flapping   number of state changes in `window` from which on the breaker flaps; instead of `state`
      window     duration, for `flapping` (default 10m)

    PromQL: `max by (<by>) (<metric> == <open>)`, or `max by (<by>) (changes(<metric>[<window>])) >= <flapping>`.

    Pitfalls: systems encode the states differently, so say what open is. The comparison stands inside the
    aggregation: when a highly available pair is scraped twice, one copy that says open is enough, whatever the
    other says.

    Example
      BreakerOpen: {kind: circuit_breaker, metric: breaker_state, open: 2, by: [name], for: 1m}

    Source: M. Nygard, "Release It!", 2nd edition, chapter 5, Circuit Breaker.
    """

    kind: Literal["circuit_breaker"] = "circuit_breaker"
    metric: Metric
    open: float = 1
    half_open: float | None = None
    closed: float = 0
    state: Literal["open", "half_open", "not_closed"] = "open"
    flapping: int | None = Field(None, ge=1)
    window: Duration | None = None

    def _comparison(self) -> Comparison:
        if self.state == "half_open":
            if self.half_open is None:
                raise KindError("AK202", "the value of the half-open state is missing", "state", "add `half_open: 1`")
            return Comparison("==", self.half_open)
        return Comparison("!=", self.closed) if self.state == "not_closed" else Comparison("==", self.open)

    def question(self, context: Context) -> Question:
        metric = self.metric.where(self.where)
        if self.open == self.closed or self.half_open in (self.open, self.closed):
            key = "open" if self.open == self.closed else "half_open"
            raise KindError("AK308", "two states have the same value", key, "give every state its own value")
        if self.flapping is not None:
            if "state" in self.model_fields_set:
                raise KindError("AK208", "`state` has no effect with `flapping`", "state", "remove it")
            most = -(-(self.window or 600_000) // context.scrape_interval) - 1
            window = format_duration(self.window or 600_000)
            if self.flapping > most:
                changes = f"{most} change{'s' * (most != 1)}"
                raise KindError(
                    "AK306", f"this would never fire: scrapes show no more than {changes} in {window}", "flapping",
                    "take fewer changes, or a longer `window`",
                )  # fmt: skip
            return Question(
                signal=f"changes({metric}[{window}])", identity=self.identity, metric=metric.metric,
                operations=f"changes_{window}", inputs=(metric,), worst=True,
                fixed=Comparison(">=", self.flapping), range=(0, float("inf")),
            )  # fmt: skip
        if self.window is not None:
            raise KindError("AK208", "`window` has no effect without `flapping`", "window", "add `flapping: 4`")
        return Question(
            signal=str(metric), identity=self.identity, metric=metric.metric, operations="", inputs=(metric,),
            worst=True, fixed=self._comparison(),
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus:
        metric = self.metric.where(self.where)
        if self.flapping is not None:
            window = self.window or 600_000
            # Changes at a window's edge may be counted or not, and all come at a sample, of which there are four for
            # each that is asked for: so the nearest provable counts lie further out.
            return Stimulus(
                inputs=(Input(metric),), drive=Drive(_flapping, (self.closed, self.open, window)),
                rise=window, fall=window, late=True, rest=0.0,
                inside=max(min(self.flapping - 2.0, 0.75 * self.flapping), 0.0), bad=self.flapping * 2.0 + 2.0,
                far=True, drifts=True, window=window // self.flapping,
            )  # fmt: skip
        values = [self.closed, self.open] + ([self.half_open] if self.half_open is not None else [])
        wrong = self._comparison()
        harmless = [value for value in values if not wrong.holds(value)]
        return Stimulus(
            inputs=(Input(metric),), drive=Drive(level), exact=True, instant=True, rest=self.closed,
            inside=harmless[-1], bad=next(value for value in values[::-1] if wrong.holds(value)),
        )  # fmt: skip

    def default_summary(self, alert: str) -> str:
        which = "".join(f" {{{{ $labels.{label} }}}}" for label in self.identity)
        if self.flapping is not None:
            return f"Circuit breaker{which} changed state {{{{ $value }}}} times"
        word = {"open": "open", "half_open": "half-open", "not_closed": "not closed"}[self.state]
        return f"Circuit breaker{which} is {word}"


def _flapping(count: float, closed: float, open: float, window: int) -> Pieces:
    """So many changes of state in a window."""
    return (Zigzag(closed, open, int(window / count)) if count else Level(closed),)
