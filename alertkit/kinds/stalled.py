import math
import re
import sys
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from pydantic_core import PydanticCustomError

from alertkit.kinds.base import Context, Kind, KindError
from alertkit.kinds.question import Comparison, Question, by
from alertkit.kinds.stimulus import Drive, Input, Pieces, Stimulus
from alertkit.series import Level, Slope
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.reader import Reader
from alertkit.spec.selector import Metric, Selector, SelectorError, contradiction, parse_selector

FIVE_MINUTES = 300_000
_GATE = re.compile(r"(.+?)\s*(==|!=|>=|<=|>|<)\s*(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*\Z", re.DOTALL)


def _gate(value: object) -> tuple[Selector, Comparison]:
    match = _GATE.match(value) if isinstance(value, str) else None
    try:
        if match is not None and abs(limit := float(match[3])) < sys.float_info.max:
            return parse_selector(match[1].strip()), Comparison(match[2], limit)
    except (SelectorError, ValueError):
        pass
    raise PydanticCustomError(
        "AK206", "`{shown}` is not a gate", {"shown": str(value)[:60], "help": "write it like `collector_status == 1`"}
    )


Gate = Annotated[tuple[Selector, Comparison], Reader(_gate)]


class Stalled(Kind):
    """A counter that should rise has stood still.

    Parameters
      counter  the counter
      window   duration in which it must have risen (default 5m)
      while    a gate such as `collector_status == 1`: only while it holds, standing still is wrong; `where` does not
               reach it, so give it the matchers that it needs

    PromQL: `sum by (<by>) (increase(<counter>[<window>])) == 0 and on (<by>) group by (<by>) (<while>)`.

    Pitfalls: a counter that is absent is not stalled: there is nothing to count. Use `missing: alert` for that.
    Choose a window that is longer than the longest quiet time of a healthy day.

    Example
      NoTrades: {kind: stalled, counter: trades_total, window: 10m, while: collector_status == 1, missing: alert}

    Source: Prometheus documentation, "Query functions", increase.
    """

    unproven: ClassVar[str] = "for a gate that its own counter holds"

    kind: Literal["stalled"] = "stalled"
    counter: Metric
    window: Duration = FIVE_MINUTES
    while_: Gate | None = Field(None, alias="while")

    def question(self, context: Context) -> Question:
        counter = self.counter.where(self.where)
        window = format_duration(self.window)
        guards: tuple[str, ...] = ()
        if self.while_ is not None:
            gate, comparison = self.while_
            shared = [m for m in counter.matchers if m.label in self.identity]
            if (found := contradiction((*gate.matchers, *shared))) is not None:
                raise KindError(
                    "AK306", f"this would never fire: no `{found[0].label}` is both `{found[0]}` and `{found[1]}`",
                    "while", f"keep one of the two matchers, or leave `{found[0].label}` out of `by`",
                )  # fmt: skip
            guards = (by("group", self.identity, f"{gate} {comparison}"),)
        return Question(
            signal=by("sum", self.identity, f"increase({counter}[{window}])"), identity=self.identity,
            metric=counter.metric, operations=f"increase{window}", inputs=(counter,), fixed=Comparison("==", 0.0),
            guards=guards, range=(0.0, float("inf")),
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus | None:
        counter, seconds = self.counter.where(self.where), self.window / 1000
        gates: tuple[Input, ...] = ()
        held: Pieces = ()
        shut: Pieces = ()
        if self.while_ is not None:
            gate, comparison = self.while_
            if gate.metric == counter.metric:
                return None
            gates = (Input(gate),)
            held, shut = ((Level(_beside(comparison, holds)),) for holds in (True, False))
        return Stimulus(
            inputs=(Input(counter), *gates), drive=Drive(_counted, (seconds, held)), rise=self.window, fall=self.window,
            late=True, sums=True, rest=1024.0, inside=32.0, bad=0.0,
            thin=Drive(_counted, (seconds, shut)) if shut else None,
        )  # fmt: skip

    def default_summary(self, alert: str) -> str:
        return f"{self.counter.metric} has not risen for {format_duration(self.window)}"


def _beside(comparison: Comparison, holds: bool) -> float:
    """A value near the limit at which the comparison holds, or does not."""
    limit = comparison.value
    step = max(1.0, math.ulp(limit))  # 1 more than a huge number is that number
    below, above = limit - step, limit + step
    return next(v for v in (limit, *((above, below) if holds else (below, above))) if comparison.holds(v) == holds)


def _counted(value: float, seconds: float, gates: Pieces) -> Pieces:
    """A counter that rises by the value in so many seconds, beside gates that stay as they are."""
    return (Slope(value / seconds), *gates)
