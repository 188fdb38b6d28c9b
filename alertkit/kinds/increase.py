from typing import Literal

from alertkit.kinds.base import Context, MeasuredKind
from alertkit.kinds.question import Comparison, Question, by
from alertkit.kinds.stimulus import Drive, Input, Stimulus, level, slope
from alertkit.kinds.wording import humanized
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.selector import Metric

FIVE_MINUTES, HOUR = 300_000, 3_600_000


class Increase(MeasuredKind):
    """A counter has risen in the last while; without a condition, any increment at all.

    Parameters
      counter  the counter
      window   duration that is looked back (default 5m)

    PromQL: `sum by (<by>) ((max_over_time(<counter>[<window>]) unless last_over_time(<counter>[1h] offset <window>))
    or increase(<counter>[<window>])) > 0`.

    Pitfalls: `increase` sees nothing of a series that is born at 1, the usual way of a labelled counter's first
    event (prometheus#1673, #13570). So a series that did not exist before the window counts with the highest value it
    has had, also when it has gone again; of what it counts after a restart within that window only the higher counts.
    That also holds for a counter that is scraped for the first time with a past: it fires once, for one window.

    Example
      Restarted: {kind: increase, counter: process_restarts_total, window: 15m, by: [instance]}

    Source: Prometheus documentation, "Query functions", increase.
    """

    kind: Literal["increase"] = "increase"
    counter: Metric
    window: Duration = FIVE_MINUTES

    def question(self, context: Context) -> Question:
        counter = self.counter.where(self.where)
        window = format_duration(self.window)
        old = f"last_over_time({counter}[{format_duration(HOUR)}] offset {window})"
        born = f"(max_over_time({counter}[{window}]) unless {old})"
        return Question(
            signal=by("sum", self.identity, f"{born} or increase({counter}[{window}])"), identity=self.identity,
            metric=counter.metric, operations=f"increase{window}", inputs=(counter,),
            unit=self.unit_of(counter.metric), fixed=Comparison(">", 0.0), range=(0.0, float("inf")),
            exactly=(0.0,),
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus:
        counter, seconds = self.counter.where(self.where), self.window / 1000
        return Stimulus(
            inputs=(Input(counter),), drive=Drive(slope, (seconds,)), rise=self.window, fall=self.window,
            late=True, sums=True, smallest=2.0, eager=True, newborn=Drive(level), remembered=HOUR,
        )  # fmt: skip

    def default_summary(self, alert: str) -> str:
        amount = humanized(self.unit_of(self.counter.metric))
        return f"{self.counter.metric} rose by {amount} in {format_duration(self.window)}"
