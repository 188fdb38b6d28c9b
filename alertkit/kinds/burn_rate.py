import re
from decimal import Decimal
from functools import cache, cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from alertkit.kinds.base import Context, Kind, KindError
from alertkit.kinds.latency import whole_name
from alertkit.kinds.question import Comparison, Form, Question, by
from alertkit.kinds.ratio import SPEED, Parts, drive_of, flow, inputs_of, parts_of
from alertkit.kinds.stimulus import Drive, Input, Pieces, Stimulus, finely
from alertkit.series import Slope
from alertkit.spec.alert import QuantityField
from alertkit.spec.duration import UNITS, Duration, format_duration
from alertkit.spec.quantity import RATIO, format_number, unit_of_metric
from alertkit.spec.selector import Matcher, Metric
from alertkit.spec.validate import Model

HOUR, DAY = UNITS["h"], UNITS["d"]
MINUTE = UNITS["m"]
# What is left of all events but the good ones is too inexact below this share, if these are rounded as usual.
RARE = 0.001


class RatioIndicator(Model):
    """Bad events among all, as in kind `ratio`."""

    bad: Metric | None = None
    good: Metric | None = None
    total: Metric | None = None


class LatencyIndicator(Model):
    """Requests slower than `under`, which must be the bound of one of the histogram's buckets."""

    histogram: Metric
    under: QuantityField


class Window(Model):
    """Fires when `budget` of the whole error budget is spent within `long`, while `short` still burns as fast."""

    severity: str
    long: Duration
    short: Duration
    budget: QuantityField


def _windows(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else [value]


@cache
def _standard() -> tuple[Window, ...]:
    rows = (
        ("critical", "1h", "5m", "2%"), ("critical", "6h", "30m", "5%"), ("warning", "3d", "6h", "10%"),
    )  # fmt: skip
    return tuple(
        Window.model_validate({"severity": s, "long": long, "short": short, "budget": budget})
        for s, long, short, budget in rows
    )


class BurnRate(Kind):
    """An error budget is being spent too fast to last for its period.

    Parameters
      objective   the share of good events promised, such as 99.9%
      period      over which it is promised (default 30d)
      ratio       the indicator: `{bad: ..., total: ...}`, `{good: ..., total: ...}` or `{good: ..., bad: ...}`, or
      latency     the indicator: `{histogram: ..., under: 300ms}`
      windows     list of `{severity, long, short, budget}`; by default those of the SRE Workbook: critical at 2% of
                  the budget in 1h (5m) or 5% in 6h (30m), warning at 10% in 3d (6h)
      min_events  silent with fewer events than this in the shortest long window (default 10)

    PromQL: the error ratio over each window is recorded as `<system>_<by>:<metric>:error_ratio_<window>_<alert>` (for
    the second copy of `for_each` with `_2` behind it, and so on); a severity fires on
    `long > factor * budget and short > factor * budget`, with factor = spent budget * period / long window.

    Pitfalls: an objective of 100% has no budget. At low objectives a factor can ask for more than all requests to
    fail; that is an error here. With hardly any traffic one failure is a large ratio, hence `min_events`.

    Example
      ApiBudget: {kind: burn_rate, objective: 99.9%, ratio: {bad: errors_total, total: requests_total}}

    Source: Google, "The Site Reliability Workbook", chapter 5, "Alerting on SLOs", table 5-8.
    """

    kind: Literal["burn_rate"] = "burn_rate"
    objective: QuantityField
    period: Duration = 30 * DAY
    ratio: RatioIndicator | None = None
    latency: LatencyIndicator | None = None
    windows: Annotated[tuple[Window, ...], BeforeValidator(_windows)] = Field(default_factory=_standard, min_length=1)
    min_events: float = Field(10, ge=0, le=1e12)

    def _budget(self) -> float:
        """The share of events that may fail."""
        objective = self.objective.in_unit(RATIO)
        if objective is None:
            raise KindError("AK305", f"`{self.objective.text}` is not a share", "objective", "write it like 99.9%")
        if objective >= 1:
            raise KindError(
                "AK315",
                "an objective of 100% or more leaves no error budget",
                "objective",
                "promise a little less, such as 99.9%",
            )
        if objective <= 0:
            raise KindError(
                "AK315", "an objective of 0% or less promises nothing", "objective", "promise a share such as 99.9%"
            )
        return float(1 - self.objective.amount * self.objective.unit.scale)

    @cached_property
    def _thresholds(self) -> list[tuple[Window, float]]:
        budget = self._budget()
        result = []
        for window in self.windows:
            spent = window.budget.in_unit(RATIO)
            if spent is None or spent <= 0:
                raise KindError(
                    "AK305", f"`{window.budget.text}` is not a share of the budget", "windows", "write it like 2%"
                )
            if window.short >= window.long:
                raise KindError(
                    "AK308", "a short window is not shorter than its long one", "windows", "swap `short` and `long`"
                )
            threshold = round(spent * self.period / window.long * budget, 12)
            if threshold >= 1:
                raise KindError(
                    "AK306", f"this would never fire: {window.budget.text} of the budget in "
                    f"{format_duration(window.long)} means that more than all events fail", "objective",
                    "at this objective use longer windows, or a plain `ratio`",
                )  # fmt: skip
            result.append((window, threshold))
        return result

    @cached_property
    def _indicator(self) -> Parts:
        """The parts of a ratio, or the bucket that is fast enough and the selector that counts events."""
        if (self.ratio is None) == (self.latency is None):
            raise KindError(
                "AK212",
                "a burn rate needs one indicator: `ratio` or `latency`",
                "",
                "for example `ratio: {bad: errors_total, total: requests_total}`",
            )
        if self.ratio is not None:
            given = {"bad": self.ratio.bad, "good": self.ratio.good, "total": self.ratio.total}
            try:
                return parts_of(given, self.where, self.identity)
            except KindError as error:
                if error.item is None:
                    error.key = "ratio"
                raise
        assert self.latency is not None
        whole_name(self.latency.histogram, "latency")
        histogram = self.latency.histogram.where(self.where)
        under = self.latency.under.in_unit(unit_of_metric(histogram.metric))
        if under is None:
            raise KindError(
                "AK305",
                f"`{self.latency.under.text}` does not fit the histogram's unit",
                "latency",
                "write it like `under: 300ms`",
            )
        fast = histogram.named("_bucket").where([bucket(under)])
        return Parts(fast, histogram.named("_count"), "total")

    @property
    def _good(self) -> bool:
        """Whether the first part of the indicator are the good events."""
        return self.ratio is None or self.ratio.bad is None or self.ratio.total is None

    def _errors(self, window: str) -> str:
        """The share of bad events in a window."""
        part, other, role = self._indicator
        one = by("sum", self.identity, f"rate({part}[{window}])")
        two = by("sum", self.identity, f"rate({other}[{window}])")
        share = f"({one} or 0 * {two})"
        if role == "total":
            return f"1 - {share} / {two}" if self._good else f"{share} / {two}"
        rest = f"({two} or 0 * {one})"
        return f"{rest} / ({share} + {rest})"

    def question(self, context: Context) -> Question:
        thresholds = self._thresholds
        briefest = min(window.short for window in self.windows)
        if briefest < 2 * context.scrape_interval:
            raise KindError(
                "AK312",
                f"the window {format_duration(briefest)} is shorter than two scrapes: it would never hold data",
                "windows",
                f"use at least {format_duration(4 * context.scrape_interval)}",
            )
        part, other, role = self._indicator
        parted = role == "rest"  # into good and bad: one of them is enough
        system = re.sub(r"\W", "_", context.system)
        level = "_".join([system, *self.identity])
        metric, slug = other.metric, _slug(context.alert)
        names: dict[int, str] = {}
        for window in sorted({w for row, _ in thresholds for w in (row.long, row.short)}):
            names[window] = f"{level}:{metric}:error_ratio_{format_duration(window)}_{slug}"
        severities = list(dict.fromkeys(window.severity for window, _ in thresholds))
        forms = []
        for severity in severities:
            rows = [(window, limit) for window, limit in thresholds if window.severity == severity]
            pairs = [
                f"({names[w.long]} > {format_number(limit)} and {names[w.short]} > {format_number(limit)})"
                for w, limit in rows
            ]
            forms.append(Form(severity, "\nor\n".join(pairs), Comparison(">", min(limit for _, limit in rows))))
        guards: tuple[str, ...] = ()
        if self.min_events:
            longest = format_duration(min(window.long for window, _ in thresholds))
            events = by("sum", self.identity, f"increase({other}[{longest}])")
            if parted:
                good = by("sum", self.identity, f"increase({part}[{longest}])")
                events = f"({good} or 0 * {events}) + ({events} or 0 * {good})"
            guards = (f"({events} >= {format_number(self.min_events)})",)
        return Question(
            signal=names[min(names)], identity=self.identity, metric=metric, operations="error_ratio",
            inputs=(part, other) if parted else (other,), together=parted, unit=RATIO,
            forms=tuple(forms), guards=guards, range=(0.0, 1.0),
            records=tuple((name, self._errors(format_duration(window))) for window, name in names.items()),
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus:
        shortest = min(window.short for window in self.windows)
        part, other, _ = self._indicator
        good, speed = self._good, max(SPEED, self.min_events)
        if self.ratio is not None:
            inputs, remains = inputs_of(self._indicator, self.identity)
            drive = Drive(_upside_down, (drive_of(remains),)) if good else drive_of(remains)
        else:
            inputs, remains, drive = (Input(part), Input(other)), False, Drive(_good, (speed,))
        memory = max(window.long for window in self.windows)
        counted = min(window.long for window in self.windows)
        thresholds = tuple(limit for _, limit in self._thresholds)
        # Hardly enough events, so that a guard which asks for more is noticed.
        scarce = 1001.0 * self.min_events / counted if self.min_events else speed
        thin = Drive(_scarce, (scarce * 0.997, good, remains, ())) if self.min_events else None
        hardly = Drive(_scarce, (scarce, good, remains, thresholds))
        if good and min(thresholds) < RARE:
            drive, hardly = Drive(finely, (drive,)), Drive(finely, (hardly,))
        pairs = tuple((window.severity, window.long, window.short, limit) for window, limit in self._thresholds)
        return Stimulus(
            inputs=inputs, drive=drive, late=True, sums=True, isolated=True, birth=2, window=shortest, fall=memory,
            pairs=pairs, counted=counted, scarce=hardly, thin=thin,
        )  # fmt: skip

    def default_summary(self, alert: str) -> str:
        return f"{alert}: {{{{ $value | humanizePercentage }}}} of events fail, too fast for the error budget"


def bucket(bound: float) -> Matcher:
    """The matcher on `le` for a bucket, however the bound is spelt.

    Go writes 1 and 1e+06; Python's client 1.0 and 1000000.0; Prometheus 3 turns whatever it scrapes into 1.0 and 1e+06.
    """
    number = format_number(bound)
    if not bound.is_integer():
        return Matcher("le", "=", number)
    spellings = [number, f"{number}.0"]
    if bound >= 1e6:
        digits, exponent = f"{Decimal(number).normalize():E}".split("E")
        spellings.append(f"{digits}e+{int(exponent):02}")
    escaped = [text.replace(".", r"\.").replace("+", r"\+") for text in spellings]
    return Matcher("le", "=~", "|".join(escaped))


def _slug(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower().replace("-", "_").replace(":", "_")


def _good(value: float, speed: float) -> Pieces:
    """Two counters: the good events, and all of them at `speed` a second, while `value` is the bad ones' share."""
    return (Slope(speed * (1 - value)), Slope(speed))


def traffic(share: float, thresholds: tuple[float, ...]) -> float:
    """How busy it is, as a factor, while so many of the events are bad.

    It differs from share to share, so that it matters over which windows good and bad events are rated: much while all
    is well, little beside a threshold.
    """
    if not thresholds or any(abs(share - threshold) <= 0.01 * threshold for threshold in thresholds):
        return 1.0
    return 1024.0 if not share else 6.0 if share < min(thresholds) / 2 else 3.0


def _scarce(share: float, speed: float, good: bool, remains: bool, thresholds: tuple[float, ...]) -> Pieces:
    """Two counters with hardly enough traffic, the first one of the `good` events or of the bad ones."""
    return flow(1 - share if good else share, speed * traffic(share, thresholds), remains)


def _upside_down(value: float, drive: Drive) -> Pieces:
    """What a drive of the good ones' share does while `value` is the bad ones'."""
    return drive(1 - value)
