from typing import ClassVar, Literal

from alertkit.kinds.base import Context, KindError, MeasuredKind, gauge
from alertkit.kinds.question import Question
from alertkit.kinds.stimulus import Drive, Input, Pieces, Stimulus
from alertkit.kinds.wording import humanized
from alertkit.series import Level
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.quantity import RATIO
from alertkit.spec.selector import Metric

# In thousandths the usual thresholds are whole numbers, so the boundary itself can be proven (`sharp`).
BASE = 1000.0


class Change(MeasuredKind):
    """A gauge differs too much from what it was a while ago.

    Parameters
      metric     the gauge
      offset     how long ago the value is compared with (`window` means the same)
      mode       relative (default: a share of the old value) or absolute (in the metric's unit)
      direction  up, down or both (default): which way counts; a change that counts is positive

    PromQL, relative and down: `max by (<by>) ((<metric> offset <offset> - <metric>) / abs(<metric> offset <offset>
    != 0)) > <threshold>`.

    Pitfalls: the old value moves along, so a change can be seen for no longer than `offset`: `for` must be shorter.
    An old value of zero gives no relative change. A negative old value counts by its size, so the sign stays right.

    Example
      BalanceDrop: {kind: change, metric: balance_usd, by: [account], offset: 1h, direction: down, above: 20%}

    Source: Prometheus documentation, "Querying basics", offset modifier.
    """

    unproven: ClassVar[str] = "for what fires while nothing changes"

    kind: Literal["change"] = "change"
    metric: Metric
    offset: Duration | None = None
    window: Duration | None = None
    mode: Literal["relative", "absolute"] = "relative"
    direction: Literal["up", "down", "both"] = "both"

    def _distance(self) -> int:
        if (self.offset is None) == (self.window is None):
            raise KindError("AK212", "give `offset` or `window`", "", "how long ago to compare with, like `offset: 1h`")
        distance = self.offset or self.window or 0
        if self.for_ >= distance:
            raise KindError(
                "AK314", "`for` is not shorter than the distance: the change is over before the alert can fire", "for",
                f"make it shorter than {format_duration(distance)}",
            )  # fmt: skip
        return distance

    def question(self, context: Context) -> Question:
        distance = format_duration(self._distance())
        now = gauge(self.metric.where(self.where))
        before = f"{now} offset {distance}"
        signal = f"({before} - {now})" if self.direction == "down" else f"({now} - {before})"
        if self.mode == "relative":
            signal = f"{signal} / abs({before} != 0)"
        if self.direction == "both":
            signal = f"abs({signal})"
        relative = self.mode == "relative"
        return Question(
            signal=signal, identity=self.identity, metric=now.metric, operations=f"change_{distance}", inputs=(now,),
            unit=RATIO if relative else self.unit_of(now.metric), worst=True,
            range=(0.0, float("inf")) if self.direction == "both" else (float("-inf"), float("inf")),
            exactly=(-1.0, 0.0, 1.0) if relative else None,
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus | None:
        distance = self._distance()
        now = self.metric.where(self.where)
        if self.fires_at(0.0, RATIO if self.mode == "relative" else self.unit_of(now.metric)):
            return None
        sign = -1 if self.direction == "down" else 1
        relative = self.mode == "relative"
        scale = BASE if relative else 1.0
        edges = self.thresholds(RATIO if relative else self.unit_of(now.metric))
        # A difference is exact beside a base of its own size.
        bases = (BASE,) if relative else (BASE, *map(abs, filter(None, edges)))
        sharp = [base for base in bases if all((base + edge * scale - base) / scale == edge for edge in edges)]
        return Stimulus(
            inputs=(Input(now),), drive=Drive(_changed, (sharp[0] if sharp else BASE, sign * scale)), rest=0.0,
            isolated=True, sharp=bool(sharp), smallest=0.001 if relative else 0.002, relative=True,
            prelude=distance + 120_000, longest=distance,
        )  # fmt: skip

    def default_summary(self, alert: str) -> str:
        distance = format_duration(self._distance())
        unit = RATIO if self.mode == "relative" else self.unit_of(self.metric.metric)
        word = {"up": "rose", "down": "fell", "both": "changed"}[self.direction]
        return f"{self.metric.metric} {word} by {humanized(unit)} against {distance} ago"


def _changed(value: float, base: float, scale: float) -> Pieces:
    """A gauge that differs from its base by the value."""
    return (Level(base + value * scale),)
