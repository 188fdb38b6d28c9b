from functools import lru_cache
from typing import Literal

from alertkit.kinds.base import Context, MeasuredKind
from alertkit.kinds.brink import rated
from alertkit.kinds.question import Question, by
from alertkit.kinds.stimulus import Drive, Input, Stimulus, slope
from alertkit.kinds.wording import humanized
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.selector import Metric

FIVE_MINUTES = 300_000
PER = {"s": 1, "min": 60, "h": 3600}


class Rate(MeasuredKind):
    """A counter rises too fast or too slowly.

    Parameters
      counter  the counter
      window   duration over which it is rated (default 5m)
      per      s (default), min or h: what the value is given per

    PromQL: `sum by (<by>) (rate(<counter>[<window>])) > <threshold>`; per minute the sum is multiplied by 60, per
    hour by 3600. `above: 10/s` and `above: 600/min` say the same.

    Pitfalls: the first increment of a series that is born at 1 has no rate: where a single event matters use
    `increase`. Resets are no problem, because each series is rated before the sum.

    Example
      Retries: {kind: rate, counter: retries_total, by: [operation], window: 5m, above: 30/min}

    Source: Prometheus documentation, "Query functions", rate.
    """

    kind: Literal["rate"] = "rate"
    counter: Metric
    window: Duration = FIVE_MINUTES
    per: Literal["s", "min", "h"] = "s"

    def question(self, context: Context) -> Question:
        counter = self.counter.where(self.where)
        window = format_duration(self.window)
        unit = self.unit_of(counter.metric).per(self.per)
        signal = by("sum", self.identity, f"rate({counter}[{window}])")
        if self.per != "s":
            signal = f"{PER[self.per]} * {signal}"
        return Question(
            signal=signal, identity=self.identity, metric=counter.metric,
            operations=f"rate{window}" + ("" if self.per == "s" else f"_per_{self.per}"), inputs=(counter,),
            unit=unit, range=(0.0, float("inf")), exactly=(0.0,),
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus:
        counter = self.counter.where(self.where)
        edges = self.thresholds(self.unit_of(counter.metric).per_second()) if self.per == "s" else ()
        return _rising(PER[self.per], self.window, edges).on(Input(counter))

    def default_summary(self, alert: str) -> str:
        return f"{self.counter.metric} rises by {humanized(self.unit_of(self.counter.metric).per(self.per))}"


@lru_cache(maxsize=1024)
def _rising(per: int, window: int, edges: tuple[float, ...]) -> Stimulus:
    """How a counter is driven that is rated over a window; some of the edges it may have to the last bit."""
    rising = Drive(slope, (float(per),))
    return Stimulus(
        inputs=(), drive=rising, rise=window, fall=window, late=True, sums=True, balanced=rising,
        brink=tuple([edge for edge in edges if edge and rated(edge, window) == edge]),
    )  # fmt: skip
