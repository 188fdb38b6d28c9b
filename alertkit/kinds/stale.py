from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Literal

from alertkit.kinds.base import Context, KindError, MeasuredKind
from alertkit.kinds.question import Question
from alertkit.kinds.stimulus import Drive, Input, Pieces, Stimulus
from alertkit.series import Clock, Level, Missed
from alertkit.spec.alert import Levels
from alertkit.spec.duration import LOOKBACK, format_duration
from alertkit.spec.quantity import SECONDS, unit_of_metric
from alertkit.spec.selector import Metric, Selector

MINUTE, HOUR = 60_000, 3_600_000
# What is remembered is looked at so many times at most, as far as steps below the lookback allow it: the last sample
# is then found whatever the step.
LOOKS = 300
STEPS = (MINUTE, 2 * MINUTE, 4 * MINUTE)
# An age is seen up to a step later than it begins, so the least that counts holds so many.
STEPS_IN_AGE = 10
# promtool loads so many samples in one query. Source: Prometheus, promqltest, `maxSamples`; of two series.
MOST_LOOKS = 10_000 // 2
# Conditions that an age meets by growing: of a band its upper end.
OLDER = ("above", "at_least", "outside")
# What there is no stimulus for.
THERE = "what fires while the metric is there"
TOO_OLD = "so long an age of a metric: promtool does not load as many samples"


class Stale(MeasuredKind):
    """Something has not happened, or a metric has not been seen, for too long.

    Parameters
      timestamp  gauge that holds the Unix time of the last event, in seconds or in the unit of time that its name
                 (`..._ms`) or `unit:` tells, or
      metric     any metric, whose newest sample's age counts

    PromQL: `max by (<by>) (time() - (<timestamp> > 0)) > <threshold>`; of any metric,
    `max by (<by>) (time() - max_over_time(timestamp(<metric>)[<memory>:<step>])) > <threshold>`. The step is
    the scrape interval; for ages from half an hour on it is one, two or four minutes, so that servers need not look at
    it too often. What is scraped is up to two scrapes old, so the threshold of a metric must be larger.

    Pitfalls: a timestamp of 0 means "never" and is left out. A clock that runs ahead makes the age negative, which
    is silence: watch clocks apart from this. The age of a metric can be told only as long as it is remembered,
    which is twice the largest threshold and at least an hour; use `absent` for what must always be there. A series
    that ends with a staleness marker, as when its target goes, may count as one step older.

    Example
      BackupOld: {kind: stale, timestamp: backup_last_success_timestamp_seconds, above: {warning: 26h, critical: 50h}}

    Source: Prometheus documentation, "Instrumentation", timestamps, not time since.
    """

    kind: Literal["stale"] = "stale"
    timestamp: Metric | None = None
    metric: Metric | None = None

    def _watched(self) -> tuple[Selector, bool]:
        if (self.timestamp is None) == (self.metric is None):
            raise KindError(
                "AK212",
                "give either `timestamp` or `metric`",
                "",
                "`timestamp` holds a Unix time, `metric` is any other metric",
            )
        watched = self.timestamp or self.metric
        assert watched is not None
        return watched.where(self.where), self.timestamp is not None

    def _scale(self, metric: Selector) -> tuple[int, int]:
        """How much of the timestamp's unit a second is, as a fraction; a name without a unit means seconds."""
        unit = self.unit or unit_of_metric(metric.metric)
        if unit.dimension not in ("time", "number"):
            raise KindError(
                "AK305", f"a timestamp is a time, but `{metric.metric}` is in {unit.name} ({unit.dimension})",
                "unit" if self.unit else "timestamp", "name a gauge that holds a Unix time, or say its unit: `unit: s`",
            )  # fmt: skip
        return unit.scale.denominator, unit.scale.numerator

    def _looks(self, scrape_interval: int) -> tuple[int, int]:
        """How long a metric is remembered, and how far apart it is looked at in that (milliseconds)."""
        # What is forgotten before `for` has passed would never fire.
        known = [int(1000 * value) for value in self.thresholds(SECONDS)]
        memory = max([age + LOOKBACK + max(age, 2 * self.for_) for age in known] + [HOUR])
        coarser = [step for step in STEPS if scrape_interval < step <= min(known, default=0) // STEPS_IN_AGE]
        for step in (scrape_interval, *coarser):
            if memory <= LOOKS * step:
                return memory, step
        return memory, max([scrape_interval, *coarser])

    def question(self, context: Context) -> Question:
        watched, is_timestamp = self._watched()
        if is_timestamp:
            units, seconds = self._scale(watched)
            factor = f" / {units}" if units > seconds else f" * {seconds}" if seconds > units else ""
            signal = f"time() - ({watched} > 0){factor}"
        else:
            if self.unit is not None:
                raise KindError("AK208", "`unit` has no effect on the age of a metric", "unit", "remove it")
            memory, step = (format_duration(time) for time in self._looks(context.scrape_interval))
            signal = f"time() - max_over_time(timestamp({watched})[{memory}:{step}])"
            self._check_ages(context.scrape_interval)
        return Question(
            signal=signal, identity=self.identity, metric=watched.metric, operations="age", inputs=(watched,),
            unit=SECONDS, worst=True, exactly=(), range=(-inf if is_timestamp else 0.0, inf),
        )  # fmt: skip

    def _check_ages(self, scrape_interval: int) -> None:
        """An age may be seen a scrape and a look later than it begins."""
        least = 2 * scrape_interval
        rows = [
            (name, level, quantity.in_unit(SECONDS))
            for name, given in self.conditions if name in OLDER
            for level, quantity in (given.quantities if isinstance(given, Levels) else [(1, given[1])])
        ]  # fmt: skip
        for name, level, age in rows:
            if age is not None and 1000 * age < least:
                raise KindError(
                    "AK312", f"the age {format_duration(int(1000 * age))} is shorter than two scrapes: a metric that "
                    "is scraped may be as old", name, f"use at least {format_duration(least)}", item=level,
                )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus | None:
        watched, is_timestamp = self._watched()
        if is_timestamp:
            return _aging(*self._scale(watched), self.thresholds(SECONDS)).on(Input(watched))
        memory, step = self._looks(context.scrape_interval)
        if memory > MOST_LOOKS * step or self.fires_at(0.0, SECONDS):
            return None
        ages = tuple(sorted(self.thresholds(SECONDS)))
        return Stimulus(
            inputs=(Input(watched),), drive=Drive(_ended), isolated=True, prelude=LOOKBACK,
            rest=0.0, inside=0.0, delay=_Delay(ages), drifts=True, absence=True, sampled=step,
        )  # fmt: skip

    def why_unproven(self) -> str:
        there = self.fires_at(0.0, SECONDS)
        return f"kind `{self.kind}` has no stimulus for {THERE if there else TOO_OLD}"

    def default_summary(self, alert: str) -> str:
        watched, _ = self._watched()
        return f"{watched.metric} is {{{{ $value | humanizeDuration }}}} old"


@lru_cache(maxsize=1024)
def _aging(units: int, seconds: int, edges: tuple[float, ...]) -> Stimulus:
    """How a timestamp is driven across ages, of whose unit so many are so many seconds."""
    # A timestamp before the epoch, where time begins in promtool, would mean "never": let every age pass first.
    oldest = max(int(1100 * max(edges, default=0.0)), 1000)
    whole = all(edge.is_integer() for edge in edges)
    exact = units >= seconds and units * oldest < 2**52 * 1000 * seconds
    return Stimulus(
        inputs=(), drive=Drive(_written, (units / seconds,)), sharp=whole and exact,
        smallest=0.002, instant=True, prelude=oldest,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Delay:
    """How long (milliseconds) a series must have ended for its age to be past the thresholds that an age is past."""

    edges: tuple[float, ...]

    def __call__(self, age: float) -> int:
        return int(1000 * max((edge for edge in self.edges if edge <= age), default=0.0))


def _written(age: float, scale: float) -> Pieces:
    """A timestamp that is always so old."""
    return (Clock(age, scale),)


def _ended(age: float) -> Pieces:
    """A series that is not scraped any more where it gets any age; whatever looks later still sees its last sample."""
    return (Missed() if age else Level(1.0),)
