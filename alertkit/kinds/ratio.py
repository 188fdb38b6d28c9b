from functools import cached_property
from typing import Literal

from pydantic import Field

from alertkit.kinds.base import Context, KindError, MeasuredKind
from alertkit.kinds.brink import shared
from alertkit.kinds.question import Comparison, Question, by
from alertkit.kinds.stimulus import Drive, Input, Pieces, Stimulus
from alertkit.series import Level, Slope
from alertkit.series.example import apart
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.quantity import NUMBER, RATIO, format_number, unit_of_metric
from alertkit.spec.selector import Metric, Selector

FIVE_MINUTES = 300_000
# What is given, in the order of the fields: numerator, the other one, and what that is.
_PAIRS: dict[tuple[str, ...], tuple[str, str, str]] = {
    ("bad", "total"): ("bad", "total", "total"), ("bad", "good"): ("good", "bad", "rest"),
    ("good", "total"): ("good", "total", "total"), ("used", "limit"): ("used", "limit", "limit"),
}  # fmt: skip


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
    (rate(<total>[<w>])) > <threshold>`; for gauges `sum(<used>) / (sum(<limit>) > 0)`.

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
    def parts(self) -> tuple[Selector, Selector, str]:
        """Numerator, the other one, and whether that is the whole ("total", "limit") or the rest ("rest")."""
        given = [name for name in ("bad", "good", "total", "used", "limit") if getattr(self, name) is not None]
        names = _PAIRS.get(tuple(given))
        if names is None:
            raise KindError(
                "AK212", "a ratio needs two metrics that fit together", "",
                "give `bad` and `total`, `good` and `bad`, `good` and `total`, or `used` and `limit`",
            )  # fmt: skip
        part, other = getattr(self, names[0]), getattr(self, names[1])
        if part == other:
            raise KindError(
                "AK212", f"`{names[0]}` and `{names[1]}` are the same: their ratio never changes", names[1],
                f"narrow `{names[0]}` with matchers, like `requests_total{{code=~\"5..\"}}`",
            )  # fmt: skip
        if part.metric == other.metric and names[2] != "limit":
            _disjoint(part, other, names)
        return part.where(self.where), other.where(self.where), names[2]

    def question(self, context: Context) -> Question:
        part, other, role = self.parts
        if role == "limit":
            for key in ("window", "min_events"):
                if getattr(self, key) is not None:
                    raise KindError("AK208", f"`{key}` has no effect on gauges", key, "remove it")
            unit, whole = unit_of_metric(part.metric), unit_of_metric(other.metric)
            if (unit.dimension, unit.scale) != (whole.dimension, whole.scale) and NUMBER not in (unit, whole):
                raise KindError(
                    "AK305", f"`{part.metric}` is in {unit.name}, `{other.metric}` in {whole.name}: no share",
                    "limit", "take two gauges of one unit, or write the expression yourself with kind `expr`",
                )  # fmt: skip
            signal = f"{by('sum', self.identity, str(part))} / ({by('sum', self.identity, str(other))} > 0)"
            return Question(
                signal=signal, identity=self.identity, metric=part.metric, operations="ratio", inputs=(part, other),
                unit=RATIO, range=(0.0, float("inf")),
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
        part, other, role = self.parts
        if role == "limit":
            return Stimulus(
                inputs=(Input(part), Input(other)), drive=Drive(_filled), exact=True, sums=True, instant=True,
                idle=(Level(1.0), Level(0.0)),
            )  # fmt: skip
        window = self.window or FIVE_MINUTES
        # Hardly enough events, so that a guard which asks for more is noticed.
        speed = 1001.0 * self.min_events / window if self.min_events else 128.0
        extra, remains = self.apart()
        thin = Drive(flow, (speed * 0.998, remains)) if self.min_events else None
        edges = tuple(self.thresholds(RATIO))
        found = {edge: shared(edge, window, remains, 1.01 * speed) for edge in edges}
        asked = self.comparisons(RATIO)
        harmful = [share for share in (0.0, 1.0) if any(comparison.holds(share) for comparison in asked)]
        # Where both extremes are harmful, or none is, neither shows anything.
        worst = harmful[0] if len(harmful) == 1 else None
        speeds = tuple((edge, balanced) for edge, balanced in found.items() if balanced is not None)
        return Stimulus(
            inputs=(Input(part), Input(other, extra)),
            drive=Drive(_more_away, (speed, remains, edges)), rise=window, fall=window,
            late=True, idle=(Slope(0.0), Slope(0.0)), sums=True, thin=thin,
            brink=tuple(edge for edge, _ in speeds), balanced=Drive(_balanced, (speeds, remains)) if speeds else None,
            lone=None if worst is None else Drive(_extreme, (2 * speed, remains, asked, worst)),
            enough=Drive(_extreme, (1000 * self.min_events / window, remains, asked, worst))
            if worst is not None and self.min_events
            else None,
        )  # fmt: skip

    def apart(self) -> tuple[tuple[tuple[str, str], ...], bool]:
        """Labels that keep the second series out of the first selector; whether it carries only what is left.

        That is so where the two are parts of a whole, and where the total selects the part too.
        """
        part, other, role = self.parts
        extra = apart(other, part) if role == "total" else ()
        return extra, role == "rest" or bool(extra)

    def default_summary(self, alert: str) -> str:
        return f"{alert}: the ratio is {{{{ $value | humanizePercentage }}}}"


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


def _filled(value: float) -> Pieces:
    """Two gauges, a limit and how much of it is used."""
    return (Level(value / 2), Level(0.5))


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
