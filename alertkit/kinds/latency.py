from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from alertkit.kinds.base import Context, KindError, MeasuredKind
from alertkit.kinds.brink import observed as observed_exactly
from alertkit.kinds.brink import rated
from alertkit.kinds.question import LEAST, Question, by
from alertkit.kinds.stimulus import Drive, Input, Pieces, Stimulus, finely, level
from alertkit.kinds.wording import humanized
from alertkit.series import Level, Slope
from alertkit.spec.alert import QuantityField
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.quantity import PER_SECOND, RATIO, Unit, format_number, parse_quantity
from alertkit.spec.selector import Matcher, Metric, Selector

FIVE_MINUTES = 300_000
SOURCES = ("histogram", "native_histogram", "summary_metric", "gauge")


def _quantile(value: Any) -> Any:
    """A quantile is a share: `0.95`, also written `95%` or `p95`."""
    if isinstance(value, str):
        bare = value.removeprefix("p").removesuffix("%")
        given = parse_quantity(bare if bare == value else f"{bare}%")
        share = None if given is None else given.in_unit(RATIO)
        if share is None or bare != value:
            return value if share is None else share
        value = share  # a number in quotes, as `<< >>` puts it in
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 1 <= value < 100:
        # 95 is meant as a share of a hundred; of 1.5 nobody knows.
        help = f"write `{format_number(value / 100)}`" if value >= 10 else "write a share, like 0.95 or 95%"
        raise PydanticCustomError(
            "AK205", "`{shown}` is out of range: a quantile lies between 0 and 1",
            {"shown": format_number(value), "help": help},
        )  # fmt: skip
    return value


Quantile = Annotated[float, Field(gt=0, lt=1), BeforeValidator(_quantile)]


def whole_name(metric: Selector, key: str) -> None:
    """Refuse one series of a histogram or summary where its own name is wanted."""
    name, _, suffix = metric.metric.rpartition("_")
    if suffix in ("bucket", "sum", "count"):
        raise KindError(
            "AK206", f"`{metric.metric}` is one of the series of `{name}`", key, f"write the name alone: `{name}`"
        )


class Latency(MeasuredKind):
    """A latency quantile is too high.

    Parameters
      histogram         a classic histogram, by its name without `_bucket`, or
      native_histogram  a native histogram, or
      summary_metric    a summary that exposes the quantile, or
      gauge             a gauge that holds the latency
      quantile          between 0 and 1 (default 0.95), or such as 95%; not for a gauge
      window            duration over which histograms are rated (default 5m)
      min_rate          silent below this many observations, such as 1/s
      buckets           the finite upper bounds of a classic histogram's buckets, such as [100ms, 1s, 5s], so that
                        a threshold which can never be exceeded is an error

    PromQL: `histogram_quantile(<q>, sum by (le, <by>) (rate(<histogram>_bucket[<window>]))) > <threshold>`.

    Pitfalls: `le` is kept by the aggregation. A quantile never exceeds the highest finite bucket, so a threshold
    above it can never fire, nor is it ever below its share of the lowest one: declare `buckets`, or heed what
    `alertkit plan` finds on the server. Without traffic the quantile is NaN, which is silence, not a page.

    Example
      Slow: {kind: latency, histogram: request_duration_seconds, quantile: 0.95, above: 500ms, min_rate: 1/s}

    Source: Prometheus documentation, "Histograms and summaries".
    """

    kind: Literal["latency"] = "latency"
    histogram: Metric | None = None
    native_histogram: Metric | None = None
    summary_metric: Metric | None = None
    gauge: Metric | None = None
    quantile: Quantile = 0.95
    window: Duration | None = None
    min_rate: QuantityField | None = None
    buckets: Annotated[tuple[QuantityField, ...], Field(min_length=1)] | None = None

    @cached_property
    def _source(self) -> tuple[str, Selector]:
        metrics = vars(self)
        given = [name for name in SOURCES if metrics[name] is not None]
        if len(given) != 1:
            raise KindError(
                "AK212", "a latency needs exactly one source", given[1] if len(given) > 1 else "",
                "give one of `histogram`, `native_histogram`, `summary_metric` or `gauge`",
            )  # fmt: skip
        name = given[0]
        useless = ["buckets"] if self.buckets and name != "histogram" else []
        if name == "gauge":
            useless += [key for key in ("window", "min_rate") if getattr(self, key) is not None]
            useless += ["quantile"] * ("quantile" in self.model_fields_set)
        elif name == "summary_metric" and self.window and self.min_rate is None:
            useless.append("window")
        if useless:
            raise KindError("AK208", f"`{useless[0]}` has no effect with `{name}`", useless[0], "remove it")
        metric: Selector = metrics[name]
        if name != "gauge":
            whole_name(metric, name)
        return name, metric.where(self.where)

    def question(self, context: Context) -> Question:
        name, metric = self._source
        window = format_duration(self.window or FIVE_MINUTES)
        quantile, operations = format_number(self.quantile), _percentile(self.quantile).replace(".", "_")
        unit, worst = self.unit_of(metric.metric), False
        if name == "histogram":
            bucket = metric.named("_bucket")
            buckets = by("sum", ("le", *self.identity), f"rate({bucket}[{window}])")
            signal, inputs = f"histogram_quantile({quantile}, {buckets})", (bucket,)
        elif name == "native_histogram":
            signal = f"histogram_quantile({quantile}, {by('sum', self.identity, f'rate({metric}[{window}])')})"
            inputs = (metric,)
        elif name == "summary_metric":
            exposed = self._exposed(metric)
            signal, inputs, worst = str(exposed), (exposed,), True
        else:
            signal, inputs, operations, worst = str(metric), (metric,), "", True
        if not worst:
            operations = f"{operations}_{window}"
        # Even where all observations are in the lowest bucket, the quantile is a share of its bound.
        lowest, highest = LEAST if name == "histogram" else 0.0, float("inf")
        if self.buckets is not None:
            bounds = self._bounds(metric)
            lowest, highest = self.quantile * min(bounds), max(bounds)
        return Question(
            signal=signal, identity=self.identity, metric=metric.metric, operations=operations, inputs=inputs,
            unit=unit, worst=worst, guards=self._guards(name, metric, window), range=(lowest, highest),
            nan=name != "gauge", exactly=(highest,) if name.endswith("histogram") else None,
        )  # fmt: skip

    def _guards(self, name: str, metric: Selector, window: str) -> tuple[str, ...]:
        if self.min_rate is None:
            return ()
        observed = f"rate({metric.named('_count')}[{window}])"
        if name == "native_histogram":
            observed = f"histogram_count(rate({metric}[{window}]))"
        return (f"({by('sum', self.identity, observed)} >= {format_number(self._least)})",)

    @cached_property
    def _least(self) -> float:
        """Observations a second below which it is silent."""
        if self.min_rate is None:
            return 0.0
        rate = self.min_rate.in_unit(PER_SECOND)
        if rate is None:
            raise KindError(
                "AK305", f"`{self.min_rate.text}` does not fit: a rate of observations is needed", "min_rate",
                "write it like `1/s` or `30/min`",
            )  # fmt: skip
        return rate

    def _exposed(self, metric: Selector) -> Selector:
        return Selector(metric.metric, (*metric.matchers, Matcher("quantile", "=", format_number(self.quantile))))

    def stimulus(self, context: Context) -> Stimulus | None:
        name, metric = self._source
        window = self.window or FIVE_MINUTES
        if name == "native_histogram":
            return None  # promtool 2.42 cannot be given native histograms
        if name == "gauge":
            return Stimulus(inputs=(Input(metric),), drive=Drive(level), exact=True, instant=True)
        observed = (Input(metric.named("_count")),) if self.min_rate is not None else ()
        if name == "summary_metric":
            exposed = self._exposed(metric)
            lag = window if observed else 0
            speed = _speed(self._least)
            return Stimulus(
                inputs=(Input(exposed), *observed),
                drive=Drive(_summary, (speed,)) if observed else Drive(level), exact=True, prelude=lag,
                isolated=bool(lag), instant=not lag, thin=Drive(_summary, (speed * 0.998,)) if observed else None,
            )  # fmt: skip
        unit, bounds = self.unit_of(metric.metric), None if self.buckets is None else tuple(self._bounds(metric))
        least = self._least if observed else None
        told, labels = _rated(self.quantile, window, least, self.thresholds(unit), bounds, self._band(unit))
        bucket = metric.named("_bucket")
        return told.on(*[Input(bucket, one) for one in labels], *observed)

    def _bounds(self, metric: Selector) -> list[float]:
        """The declared buckets, in the unit of the histogram."""
        unit = self.unit_of(metric.metric)
        bounds = []
        for quantity in self.buckets or ():
            bound = quantity.in_unit(unit)
            if bound is None or bound <= 0:
                raise KindError(
                    "AK305", f"`{quantity.text}` is not the bound of a bucket in {unit.name}", "buckets",
                    "write the finite bounds, all above zero, in the histogram's unit or as plain numbers",
                )  # fmt: skip
            bounds.append(bound)
        return bounds

    def _band(self, unit: Unit) -> tuple[float, ...]:
        """Both ends of `outside`."""
        return tuple([limit for quantity in self.outside or () if (limit := quantity.in_unit(unit)) is not None])

    def default_summary(self, alert: str) -> str:
        name, metric = self._source
        what = "latency" if name == "gauge" else f"{_percentile(self.quantile)} latency"
        return f"{what} is {humanized(self.unit_of(metric.metric), exact=True)}"


@lru_cache(maxsize=1024)
def _percentile(quantile: float) -> str:
    return f"p{format_number(round(quantile * 100, 6))}"


def _speed(least: float) -> float:
    """Hardly enough traffic, so that a guard which asks for more is noticed."""
    return 1.001 * least or 128.0


@lru_cache(maxsize=1024)
def _rated(
    quantile: float,
    window: int,
    least: float | None,
    values: tuple[float, ...],
    bounds: tuple[float, ...] | None,
    band: tuple[float, ...],
) -> tuple[Stimulus, tuple[tuple[tuple[str, str], ...], ...]]:
    """How buckets are driven, and the count of observations where at least so many are asked for.

    And the labels of the buckets: their upper bounds are the declared ones, else every threshold and one on each side
    of it.
    """
    edges = _around(values) if bounds is None else tuple(sorted(set(bounds)))
    guarded, least = least is not None, least or 0.0
    behind, speed = 1 + guarded, _speed(least)
    exactly = guarded and rated(least, window) == least
    level_speed = observed_exactly(quantile, window, 1.01 * least)
    # A quantile is a small difference between buckets, beside the width of the one that it lies in.
    drive = Drive(finely, (Drive(_histogram, (speed, quantile, edges, behind)),))
    # For `outside` no observation is below the lower bound, or on the way down the quantile would be there early.
    middle = max((edge for edge in edges if band and min(band) < edge < max(band)), default=None)
    told = Stimulus(
        inputs=(), drive=drive, rise=window, fall=window, late=True, even=_Observed(quantile, edges),
        idle=(Slope(0.0),) * (len(edges) + behind), sums=True, rest=middle,
        thin=Drive(_histogram, (speed * 0.998, quantile, edges, behind)) if guarded else None,
        brink=_brink(values, edges) if level_speed else (),
        balanced=Drive(_histogram, (level_speed, quantile, edges, behind)) if level_speed else None,
        enough=Drive(_histogram, (least, quantile, edges, behind)) if exactly else None,
    )  # fmt: skip
    return told, tuple([(("le", le),) for le in (*map(format_number, edges), "+Inf")])


def _around(values: tuple[float, ...]) -> tuple[float, ...]:
    sizes = [abs(value) for value in values if value] or [1.0]
    return tuple(sorted({size * factor for size in sizes for factor in (0.5, 1.0, 2.0)}))


def _brink(values: Sequence[float], edges: Sequence[float]) -> tuple[float, ...]:
    """The thresholds that are bounds of buckets, where the quantile comes out to the last bit."""
    below = dict(zip(edges, (0.0, *edges), strict=False))
    return tuple([v for v in values if v in below and below[v] + (v - below[v]) == v])


def _summary(value: float, speed: float) -> Pieces:
    """A quantile that is the value, and the counter of all observations."""
    return (Level(value), Slope(speed))


def _histogram(value: float, speed: float, quantile: float, edges: tuple[float, ...], behind: int) -> Pieces:
    """The buckets of a histogram whose quantile is the value, and `behind` them series that count all."""
    shares = cumulative(value, quantile, edges)
    return tuple([Slope(speed * share) for share in shares] + [Slope(speed)] * behind)


@dataclass(frozen=True, slots=True)
class _Observed:
    """The share of observations at or below an edge while the quantile is some value: buckets mix evenly."""

    quantile: float
    edges: tuple[float, ...]

    def __call__(self, value: float, edge: float) -> float:
        shares = (0.0, *cumulative(value, self.quantile, self.edges))
        bounds = (0.0, *self.edges)
        above = min(bisect_left(bounds, edge), len(bounds) - 1)
        low, high = bounds[above - 1], bounds[above]
        return shares[above - 1] + (shares[above] - shares[above - 1]) * min((edge - low) / (high - low), 1.0)


def cumulative(value: float, quantile: float, edges: Sequence[float]) -> list[float]:
    """For each bucket the share of observations at or below its upper bound, so that the quantile is `value`.

    `histogram_quantile` interpolates linearly inside the bucket that holds the quantile. The lowest bucket starts at
    zero and cannot yield less than `quantile` times its bound; a smaller value comes out as that.
    """
    if value >= edges[-1]:
        # Hardly more than the quantile allows lie above all bounds: it is then the highest of them to the last bit.
        return [*([0.0] * (len(edges) - 1)), quantile * 0.9999]
    index = bisect_left(edges, value)
    low = edges[index - 1] if index else 0.0
    place = min((value - low) / (edges[index] - low), 1.0)
    if index and place <= quantile:
        below, within = (quantile - place) / (1 - place), 1.0
    else:
        below, within = 0.0, min(quantile / place if place else 1.0, 1.0)
    return [below if i < index else within if i == index else 1.0 for i in range(len(edges))]
