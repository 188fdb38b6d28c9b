from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

from pydantic import Field

from alertkit.kinds.base import Context, KindError, MeasuredKind
from alertkit.kinds.brink import shared
from alertkit.kinds.question import Comparison, Question, by
from alertkit.kinds.stimulus import Drive, Input, Pieces, Stimulus
from alertkit.series import Gone, Level, Slope
from alertkit.series.example import apart
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.quantity import NUMBER, RATIO, format_number, unit_of_metric
from alertkit.spec.selector import Matcher, Metric, Selector, contradiction

FIVE_MINUTES = 300_000
# Events a second.
SPEED = 128.0
# Shares of so many have all decimal places that a threshold may have.
WHOLE = 10**12
# What is given, in the order of the fields: numerator, the other one, and what that is.
_PAIRS: dict[tuple[str, ...], tuple[str, str, str]] = {
    ("bad", "total"): ("bad", "total", "total"), ("bad", "good"): ("good", "bad", "rest"),
    ("good", "total"): ("good", "total", "total"), ("used", "limit"): ("used", "limit", "limit"),
}  # fmt: skip


class Parts(NamedTuple):
    """Numerator, the other one, and whether that is the whole ("total", "limit") or the rest ("rest")."""

    part: Selector
    other: Selector
    role: str


class Ratio(MeasuredKind):
    """A share of events, or of a limit, is too high or too low.

    Parameters
      bad, total   counters: the share of bad events
      good, bad    counters: the share of good events in both
      good, total  counters: the share of good events
      used, limit  gauges: how much of a limit is used
      window       duration over which counters are rated (default 5m)
      min_events   silent with fewer events than this in the window

    PromQL: `(sum by (<by>) (rate(<bad>[<w>])) or 0 * sum by (<by>) (rate(<total>[<w>]))) / sum by (<by>)
    (rate(<total>[<w>])) > <threshold>`; for gauges `sum(<used>) / (sum(<limit>) > 0)`, and where the
    limit's selector takes in the used series too, as in `used: 'pods{phase="Failed"}', limit: pods`, as for counters
    without `rate`.

    Pitfalls: a counter that does not exist yet counts as zero while the other one exists; good and bad are `missing`
    when both are gone. Without traffic the ratio is 0/0, which compares false: silence, not a page. Rates are taken
    before sums, so a restart is no spike.

    Example
      Errors: {kind: ratio, bad: 'requests_total{code=~"5.."}', total: requests_total, above: 5%, min_events: 20}

    Source: Prometheus documentation, "Recording rules", aggregation of ratios; Google SRE Book, chapter 6.
    """

    kind: Literal["ratio"] = "ratio"
    bad: Metric | None = None
    good: Metric | None = None
    total: Metric | None = None
    used: Metric | None = None
    limit: Metric | None = None
    window: Duration | None = None
    min_events: float | None = Field(None, ge=0, le=1e12)

    @cached_property
    def _parts(self) -> Parts:
        given = {"bad": self.bad, "good": self.good, "total": self.total, "used": self.used, "limit": self.limit}
        return parts_of(given, self.where, self.identity)

    def question(self, context: Context) -> Question:
        part, other, role = self._parts
        if role == "limit":
            for key in ("window", "min_events"):
                if getattr(self, key) is not None:
                    raise KindError("AK208", f"`{key}` has no effect on gauges", key, "remove it")
            unit, limits = unit_of_metric(part.metric), unit_of_metric(other.metric)
            if (unit.dimension, unit.scale) != (limits.dimension, limits.scale) and NUMBER not in (unit, limits):
                raise KindError(
                    "AK305", f"`{part.metric}` is in {unit.name}, `{other.metric}` in {limits.name}: no share",
                    "limit", "take two gauges of one unit, or write the expression yourself with kind `expr`",
                )  # fmt: skip
            _, remains = inputs_of(self._parts, self.identity)
            if remains and other.metric.endswith(("_total", "_bucket")):
                raise KindError(
                    "AK310", f"`{other.metric}` is a counter, which only ever rises: `used` and `limit` are for gauges",
                    "limit", "name them `bad` (or `good`) and `total`: then their rates are compared",
                )  # fmt: skip
            used, whole = by("sum", self.identity, str(part)), by("sum", self.identity, str(other))
            return Question(
                signal=f"({used} or 0 * {whole}) / {whole}" if remains else f"{used} / ({whole} > 0)",
                identity=self.identity, metric=part.metric, operations="ratio", unit=RATIO, nan=remains,
                inputs=(other,) if remains else (part, other), range=(0.0, 1.0 if remains else float("inf")),
            )  # fmt: skip
        window = format_duration(self.window or FIVE_MINUTES)
        one = by("sum", self.identity, f"rate({part}[{window}])")
        two = by("sum", self.identity, f"rate({other}[{window}])")
        share = f"({one} or 0 * {two})"
        signal = f"{share} / {two}" if role == "total" else f"{share} / ({share} + ({two} or 0 * {one}))"
        guards: tuple[str, ...] = ()
        if self.min_events is not None:
            counted = by("sum", self.identity, f"increase({other}[{window}])")
            if role == "rest":
                rest = by("sum", self.identity, f"increase({part}[{window}])")
                counted = f"({rest} or 0 * {counted}) + ({counted} or 0 * {rest})"
            guards = (f"({counted} >= {format_number(self.min_events)})",)
        inputs = (other,) if role == "total" else (part, other)
        return Question(
            signal=signal, identity=self.identity, metric=part.metric, operations=f"ratio_rate{window}", inputs=inputs,
            unit=RATIO, range=(0.0, 1.0), exactly=(0.0, 1.0), guards=guards, together=role == "rest", nan=True,
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus:
        role = self._parts.role
        inputs, remains = inputs_of(self._parts, self.identity)
        asked, edges = self.comparisons(RATIO), self.thresholds(RATIO)
        if role == "limit" and not remains:
            return Stimulus(
                inputs=inputs, drive=Drive(_filled), exact=True, sums=True, instant=True,
                idle=(Level(1.0), Level(0.0)),
            )  # fmt: skip
        if role == "limit":
            worst = _worst(asked)
            return Stimulus(
                inputs=inputs, drive=Drive(_divided), exact=True, sums=True, instant=True,
                idle=(Level(0.0), Level(0.0)), lone=None if worst is None else Drive(_alone, (asked, worst)),
            )  # fmt: skip
        told = _rated(self.window or FIVE_MINUTES, self.min_events or 0.0, remains, asked, edges)
        return told.on(*inputs)

    def default_summary(self, alert: str) -> str:
        return f"{alert}: the ratio is {{{{ $value | humanizePercentage }}}}"


def parts_of(given: dict[str, Selector | None], where: tuple[Matcher, ...], identity: tuple[str, ...]) -> Parts:
    """The two of the metrics that are given; raises `KindError` unless they make a ratio in each identity."""
    metrics = {name: metric for name, metric in given.items() if metric is not None}
    names = _PAIRS.get(tuple(metrics))
    if names is None:
        raise KindError(
            "AK212", "a ratio needs two metrics that fit together", "",
            "give `bad` and `total`, `good` and `bad`, `good` and `total`, or `used` and `limit`",
        )  # fmt: skip
    part, other = metrics[names[0]].where(where), metrics[names[1]].where(where)
    if part.metric == other.metric and set(part.matchers) == set(other.matchers):
        raise KindError(
            "AK212", f"`{names[0]}` and `{names[1]}` are the same: their ratio never changes", names[1],
            f"narrow `{names[0]}` with matchers, like `requests_total{{code=~\"5..\"}}`",
        )  # fmt: skip
    if part.metric == other.metric and names[2] != "limit":
        _disjoint(part, other, names)
    if (label := _splitting(part, other, identity)) is not None:
        raise KindError(
            "AK212", f"`{label}` tells `{names[0]}` from `{names[1]}`: split by it, each share is 0% or 100%, or none",
            "by", f"leave `{label}` out of `by`: the share is then one of all its values", item=identity.index(label),
        )  # fmt: skip
    return Parts(part, other, names[2])


def inputs_of(parts: Parts, identity: tuple[str, ...]) -> tuple[tuple[Input, Input], bool]:
    """Two counters, the second one kept out of the first selector, and whether it carries only what is left.

    That is so where the two are parts of a whole, and where the total, or the limit, selects the part too.
    """
    extra = apart(parts.other, parts.part, identity) if parts.role != "rest" else ()
    return (Input(parts.part), Input(parts.other, extra)), parts.role == "rest" or bool(extra)


def drive_of(remains: bool, speed: float = SPEED, edges: tuple[float, ...] = ()) -> Drive:
    """What two counters do for a ratio, so many events a second beside the edges."""
    return Drive(_more_away, (speed, remains, edges))


def _splitting(part: Selector, other: Selector, identity: tuple[str, ...]) -> str | None:
    """The label of the identity that tells the one from the other, so that no group has a share in between."""
    unlike = [m for m in (*part.matchers, *other.matchers) if (m in part.matchers) != (m in other.matchers)]
    labels = [m.label for m in unlike if m.label in identity]
    if part.metric == other.metric and len(labels) == len(unlike):
        return labels[0]
    for label in labels:
        if contradiction([m for m in unlike if m.label == label]) is not None:
            return label
    return None


def _disjoint(part: Selector, other: Selector, names: tuple[str, str, str]) -> None:
    """Refuse two selectors of one metric of which one surely selects what only the other should."""
    narrow, wide = sorted(zip((part, other), names, strict=False), key=lambda one: len(one[0].matchers), reverse=True)
    if not set(narrow[0].matchers) >= set(wide[0].matchers):
        return
    if names[2] == "rest":
        raise KindError(
            "AK212", f"`{wide[1]}` selects everything that `{narrow[1]}` does, which then counts as both", wide[1],
            f"write `total:` instead of `{wide[1]}:`, or narrow it with matchers",
        )  # fmt: skip
    if narrow[1] == "total":
        raise KindError(
            "AK212", f"`{wide[1]}` selects more than `total`, of which it should be a part", wide[1],
            "narrow it with matchers, or are the two swapped?",
        )  # fmt: skip


@lru_cache(maxsize=1024)
def _rated(
    window: int, least: float, remains: bool, asked: tuple[Comparison, ...], edges: tuple[float, ...]
) -> Stimulus:
    """How two counters are driven, of whose events there must be so many in the window (0: of any number)."""
    # Hardly enough events, so that a guard which asks for more is noticed.
    speed = 1001.0 * least / window if least else SPEED
    found = {edge: shared(edge, window, remains, 1.01 * speed) for edge in edges}
    speeds = tuple((edge, balanced) for edge, balanced in found.items() if balanced is not None)
    worst = _worst(asked)
    lone = enough = None
    if worst is not None:
        lone = Drive(_extreme, (2 * speed, remains, asked, worst))
        enough = Drive(_extreme, (1000 * least / window, remains, asked, worst)) if least else None
    return Stimulus(
        inputs=(), drive=drive_of(remains, speed, edges), rise=window, fall=window, late=True,
        idle=(Slope(0.0), Slope(0.0)), sums=True, thin=Drive(flow, (speed * 0.998, remains)) if least else None,
        brink=tuple(edge for edge, _ in speeds), balanced=Drive(_balanced, (speeds, remains)) if speeds else None,
        lone=lone, enough=enough,
    )  # fmt: skip


def _worst(asked: tuple[Comparison, ...]) -> float | None:
    """The extreme that is harmful; where both are, or neither is, they show nothing."""
    harmful = [share for share in (0.0, 1.0) if any(comparison.holds(share) for comparison in asked)]
    return harmful[0] if len(harmful) == 1 else None


def _filled(value: float) -> Pieces:
    """Two gauges, a limit and how much of it is used."""
    return (Level(value / 2), Level(0.5))


def _divided(value: float) -> Pieces:
    """Two gauges that make a whole: how much of it is used, and what is left.

    They are whole numbers, also when split, so that no sum is rounded.
    """
    used = round(value * WHOLE)
    return (Level(4.0 * used), Level(4.0 * (WHOLE - used)))


def _alone(value: float, asked: tuple[Comparison, ...], worst: float) -> Pieces:
    """Of two gauges that make a whole only one exists: the share is the worst, or the best at harmless values."""
    harmful = any(comparison.holds(value) for comparison in asked)
    used = (worst if harmful else 1 - worst) > 0
    return (Level(1.0), Gone()) if used else (Gone(), Level(1.0))


def flow(value: float, speed: float, remains: bool) -> Pieces:
    """Two counters: the part, and the whole at `speed` a second or, with `remains`, only what is left of it."""
    return (Slope(speed * value), Slope(speed * (1 - value) if remains else speed))


def _balanced(value: float, speeds: tuple[tuple[float, float], ...], remains: bool) -> Pieces:
    """Counters whose ratio is an edge to the last bit, at the speed that goes with it."""
    return flow(value, dict(speeds).get(value, speeds[0][1]), remains)


def _extreme(value: float, speed: float, remains: bool, asked: tuple[Comparison, ...], worst: float) -> Pieces:
    """One counter with all the events: the one that makes the share the worst, or the other for a harmless value."""
    harmful = any(comparison.holds(value) for comparison in asked)
    return flow(worst if harmful else 1 - worst, speed, remains)


def _more_away(value: float, speed: float, remains: bool, edges: tuple[float, ...]) -> Pieces:
    """More traffic away from the edges, so that it matters over which windows the two are rated."""
    near = any(abs(value - edge) <= 0.01 * edge for edge in edges)
    return flow(value, speed if near else 2 * speed, remains)
