from functools import lru_cache
from typing import Literal

from alertkit.kinds.base import Context, KindError, MeasuredKind
from alertkit.kinds.question import Question, by
from alertkit.kinds.stimulus import Drive, Input, Stimulus, level
from alertkit.kinds.wording import humanized
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.selector import Metric


class Threshold(MeasuredKind):
    """A gauge is compared with a number.

    Parameters
      metric     the gauge, with matchers if needed
      aggregate  max, min, avg or sum over the series of one identity (default: the worst of them)
      over       last (default), avg, max or min over `window`
      window     duration; needed with any `over` but last

    PromQL: `max by (<by>) (<metric>) > <threshold>`; with `over: avg`,
    `max by (<by>) (avg_over_time(<metric>[<window>])) > <threshold>`. Without `by` there is one alert for all series.

    Pitfalls: a counter only ever rises, so comparing it with a number fires for good: use `rate` or `increase`.

    Example
      QueueLong: {kind: threshold, metric: queue_length, by: [queue], above: {warning: 100, critical: 1000}, for: 5m}

    Source: Prometheus documentation, "Alerting rules" and "Metric types".
    """

    kind: Literal["threshold"] = "threshold"
    metric: Metric
    aggregate: Literal["max", "min", "avg", "sum"] | None = None
    over: Literal["last", "avg", "max", "min"] = "last"
    window: Duration | None = None

    def question(self, context: Context) -> Question:
        metric = self.metric.where(self.where)
        if metric.metric.endswith(("_total", "_bucket")):
            raise KindError(
                "AK310", f"`{metric.metric}` is a counter: comparing it with a number would fire for good",
                "metric", "use kind `rate` or `increase` with `counter:`",
            )  # fmt: skip
        if self.over != "last" and self.window is None:
            raise KindError("AK202", f"`over: {self.over}` needs a `window`", "over", "add `window: 5m`")
        if self.over == "last" and self.window is not None:
            raise KindError("AK208", "`window` has no effect without `over`", "window", "add `over: avg`, max or min")
        signal, operations = str(metric), ""
        if self.window is not None:
            signal = f"{self.over}_over_time({metric}[{format_duration(self.window)}])"
            operations = f"{self.over}_{format_duration(self.window)}"
        if self.aggregate:
            signal = by(self.aggregate, self.identity, signal)
            operations = "_".join(filter(None, (operations, self.aggregate)))
        return Question(
            signal=signal, identity=self.identity, metric=metric.metric, operations=operations, inputs=(metric,),
            unit=self.unit_of(metric.metric), worst=self.aggregate is None,
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus:
        metric = self.metric.where(self.where)
        edges = self.thresholds(self.unit_of(metric.metric))
        return _gauge(self.over, self.window or 0, edges, self._worst(), self.aggregate == "sum").on(Input(metric))

    def _worst(self) -> bool:
        """Whether `aggregate` takes the worst of the series, as it would without being asked."""
        rising = {"max": ("above", "at_least"), "min": ("below", "at_most")}.get(self.aggregate or "", ())
        return bool(self.conditions) and self.conditions[0][0] in rising

    def default_summary(self, alert: str) -> str:
        value = humanized(self.unit_of(self.metric.metric), exact=self.over != "avg" and self.aggregate != "avg")
        return f"{self.metric.metric} is {value}"


@lru_cache(maxsize=1024)
def _gauge(over: str, window: int, edges: tuple[float, ...], worst: bool, sums: bool) -> Stimulus:
    """How a gauge, or what is taken of it over a window, is driven across the edges."""
    return Stimulus(
        inputs=(), drive=Drive(level),
        rise=window if over in ("avg", "min") else 0, fall=window if over in ("avg", "max") else 0,
        sticky=over in ("max", "min"), instant=over == "last", exact=over != "avg",
        # Sums of such numbers are exact, and so is the mean of one of them.
        sharp=all((edge * 64).is_integer() and abs(edge) < 2**40 for edge in edges), twin=worst, sums=sums,
    )  # fmt: skip
