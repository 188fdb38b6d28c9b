from typing import Literal

from alertkit.kinds.base import Context, Kind, KindError, gauge
from alertkit.kinds.question import Comparison, Form, Question, by
from alertkit.kinds.stimulus import Drive, Input, Pieces, Stimulus
from alertkit.series import Level, Line
from alertkit.spec.alert import QuantityField, UnitField
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.quantity import format_number, unit_of_metric
from alertkit.spec.selector import Metric

POINTS = 4
MINUTE = 60_000
# A gauge that is past its limit and coming back is on the right side after this share of `within`.
RETURN = 0.75


class Forecast(Kind):
    """At its present pace a gauge will cross a limit within a while, or it has crossed it already.

    Parameters
      metric     the gauge
      limit      the value it must not reach, in the metric's unit
      direction  down (default: something runs out) or up (something fills)
      window     duration from which the pace is taken
      within     how far to look ahead

    PromQL, down: `min by (<by>) (predict_linear(<metric>[<window>], <within>) and count_over_time(<metric>[<window>])
    >= 4) < <limit> or min by (<by>) (<metric>) < <limit>`.

    Pitfalls: two points make a wild line, so four are needed. What is past the limit already alerts too, even while
    it recovers. Choose a window long enough to smooth the daily rhythm: a quarter of `within` is a good start.

    Example
      DiskFills: {kind: forecast, metric: disk_free_bytes, limit: 5GB, window: 6h, within: 24h, by: [mountpoint]}

    Source: Prometheus documentation, "Query functions", predict_linear.
    """

    kind: Literal["forecast"] = "forecast"
    metric: Metric
    limit: QuantityField
    direction: Literal["down", "up"] = "down"
    window: Duration
    within: Duration
    unit: UnitField | None = None

    def _limit(self) -> float:
        unit = self.unit or unit_of_metric(self.metric.metric)
        limit = self.limit.in_unit(unit)
        if limit is None:
            raise KindError(
                "AK305", f"`{self.limit.text}` does not fit: the value is in {unit.name} ({unit.dimension})", "limit",
                "give it in a unit that fits, or say the metric's with `unit:`",
            )  # fmt: skip
        return limit

    def question(self, context: Context) -> Question:
        metric = gauge(self.metric.where(self.where))
        window = format_duration(self.window)
        if self.window < POINTS * context.scrape_interval:
            raise KindError(
                "AK312", f"the window {window} is shorter than four scrapes, which a line is drawn from", "window",
                f"use at least {format_duration(2 * POINTS * context.scrape_interval)}",
            )  # fmt: skip
        down = self.direction == "down"
        boundary = Comparison("<" if down else ">", self._limit())
        worst = "min" if down else "max"
        seconds = format_number(self.within / 1000)
        predicted = f"predict_linear({metric}[{window}], {seconds}) and count_over_time({metric}[{window}]) >= {POINTS}"
        condition = (
            f"{by(worst, self.identity, predicted)} {boundary}\nor\n{by(worst, self.identity, str(metric))} {boundary}"
        )
        return Question(
            signal=predicted, identity=self.identity, metric=metric.metric, operations="", inputs=(metric,),
            forms=(Form(None, condition, boundary),),
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus:
        metric, limit, ahead = self.metric.where(self.where), self._limit(), self.within / 1000
        down = self.direction == "down"
        size = abs(limit) or 1024.0
        harmless = limit + size if down else limit - size
        # Its timeline must end before the line is on the right side again.
        lasts = max(2.5 * self.for_, 6 * MINUTE) < 1000 * ahead * RETURN
        return Stimulus(
            inputs=(Input(metric),), drive=Drive(_leading, (limit, harmless, ahead, down)), rest=harmless,
            rise=self.window, fall=self.window, isolated=True, birth=POINTS, window=self.window, drifts=True,
            smallest=1.0, twin=True, already=Drive(_recovering, (limit, size, ahead, down)) if lasts else None,
        )  # fmt: skip

    def default_summary(self, alert: str) -> str:
        return f"{self.metric.metric} will reach {self.limit.text} within {format_duration(self.within)}"


def _leading(value: float, limit: float, harmless: float, ahead: float, down: bool) -> Pieces:
    """A gauge that will have the value in `ahead` seconds: past the limit, a line that is still on the right side."""
    if value < limit if down else value > limit:
        return (Line(harmless, (value - harmless) / ahead),)
    return (Level(value),)


def _recovering(value: float, limit: float, size: float, ahead: float, down: bool) -> Pieces:
    """A gauge that has the value: past the limit, it is far so, but on the right side again before `ahead` seconds."""
    if not (value < limit if down else value > limit):
        return (Level(value),)
    sign = 1 if down else -1
    return (Line(limit - sign * size, sign * size / (RETURN * ahead)),)
