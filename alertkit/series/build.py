"""From segments to samples: where each segment begins and ends, and what it makes of the values before it.

A segment covers its time but for its end, where the next begins; the last one has its end too, so that an expectation
at the very end has data. A counter goes on through a gap, and from where it was in the segment before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from alertkit.series.generators import noise, rounded, sine, walk
from alertkit.series.histogram import mean, shares
from alertkit.series.recorded import Recording
from alertkit.series.shapes import (
    Clock,
    Constant,
    Freeze,
    Gap,
    Latency,
    MistakeError,
    Noise,
    Ramp,
    Rate,
    Recorded,
    Reset,
    Segment,
    Sine,
    Spike,
    Stale,
    Walk,
)
from alertkit.series.write import Mark, Sample
from alertkit.spec.duration import format_duration
from alertkit.spec.quantity import format_number, unit_of_metric

# Beyond this a scenario needs a coarser step.
MOST = 100_000
# Enough digits for any ramp, and none of the noise of floating point.
EXACT_DIGITS = 12

Load = Callable[[str, str | None, Segment], Recording]


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one series from time 0 on; `suffix` and `labels` are added to its name."""

    suffix: str
    labels: tuple[tuple[str, str], ...]
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class Built:
    """All series of one line; `end` is the last time in ms for which it says anything, None: until the end of time."""

    series: tuple[Series, ...]
    end: int | None


def build(metric: str, segments: Sequence[Segment], step: int, load: Load) -> Built:
    """Sample the segments of one line, `step` ms apart; raises `MistakeError` at the first contradiction."""
    recordings = {
        id(segment): load(segment.shape.file, segment.shape.column, segment)
        for segment in segments
        if isinstance(segment.shape, Recorded)
    }
    timed = _timed(segments, step, recordings)
    end = sum(count for _, count in timed) * step
    forever = isinstance(segments[-1].shape, Stale) and segments[-1].duration is None and segments[-1].until is None
    if any(isinstance(segment.shape, Latency) for segment in segments):
        series = _histogram(timed, step)
    else:
        quantum = _quantum([s.shape for s, _ in timed], step)
        samples = _Track(metric, step, quantum, recordings).run(timed)
        series = (Series("", (), samples),)
    return Built(series, None if forever else end)


def _timed(segments: Sequence[Segment], step: int, recordings: dict[int, Recording]) -> list[tuple[Segment, int]]:
    """The number of samples of each segment."""
    timed = []
    at = 0
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        length = segment.duration
        if segment.until is not None:
            length = segment.until - at
            if length <= 0:
                raise segment.mistake(
                    "AK813", f"this segment overlaps the one before, which ends at {format_duration(at)}",
                    "`until` counts from the start of the scenario; `for` from the start of the segment", time=True,
                )  # fmt: skip
        if isinstance(segment.shape, Recorded):
            length = _recorded_length(segment, length, recordings[id(segment)], step)
        elif isinstance(segment.shape, Reset):
            length = 0
        elif length is None:
            if not last:
                raise segment.mistake(
                    "AK812", "`stale` does not say for how long", "write `stale for 5m`; only the last may stay open"
                )
            length = step
        if length % step:
            raise segment.mistake(
                "AK812", f"{format_duration(length)} is no whole number of steps of {format_duration(step)}",
                f"use a multiple of {format_duration(step)}, or another `step:`", time=True,
            )  # fmt: skip
        at += length
        if at // step > MOST:
            raise segment.mistake(
                "AK812", f"this makes more than {MOST} samples", "use a coarser `step:` and `evaluate:`", time=True
            )
        timed.append((segment, length // step))
    return timed


def _recorded_length(segment: Segment, wanted: int | None, recording: Recording, step: int) -> int:
    whole = -(-recording.length // step) * step or step
    if wanted is not None and wanted > whole:
        raise segment.mistake(
            "AK814", f"the recording is only {format_duration(recording.length)} long",
            f"write at most `for {format_duration(whole)}`, and say what comes after it", time=True,
        )  # fmt: skip
    return whole if wanted is None else wanted


def _quantum(shapes: Sequence[object], step: int) -> float:
    """The power of two that all increments of one counter are multiples of; 0 when it never moves."""
    rates = [shape.per_second * step / 1000 for shape in shapes if isinstance(shape, Rate) and shape.per_second > 0]
    if not rates:
        return 0.0
    # 60 bits more than enough: what matters is that no rate overflows when it is counted in quanta.
    return math.ldexp(1.0, max(math.floor(math.log2(min(rates))) - 32, math.floor(math.log2(max(rates))) - 60))


class _Track:
    """Walks through the segments of one series."""

    def __init__(self, metric: str, step: int, quantum: float, recordings: dict[int, Recording]) -> None:
        self.step, self.quantum, self.recordings = step, quantum, recordings
        self.counter = metric.endswith(("_total", "_bucket"))
        self.metric = metric
        self.samples: list[Sample] = []
        # The value that a segment which goes on would begin with.
        self.value: float | None = None

    def run(self, timed: Sequence[tuple[Segment, int]]) -> list[Sample]:
        highest = 0.0
        for index, (segment, count) in enumerate(timed):
            last = index == len(timed) - 1
            before = len(self.samples)
            if isinstance(segment.shape, Reset):
                self._reset(segment)
                highest = 0.0
                continue
            self.samples += self._samples(segment, count, count + 1 if last else count)
            if self.counter:
                highest = self._check(segment, highest, self.samples[before:])
        return self.samples

    def _reset(self, segment: Segment) -> None:
        if self.value is None:
            raise segment.mistake("AK813", "nothing was counted before this reset", "say first what the counter did")
        self.value = 0.0

    def _check(self, segment: Segment, highest: float, samples: Sequence[Sample]) -> float:
        """A counter that falls is a mistake of the scenario, not of the system it tells of."""
        for sample in samples:
            if isinstance(sample, float) and sample < highest:
                fall = f"from {format_number(highest)} to {format_number(sample)}"
                raise segment.mistake(
                    "AK813", f"{self.metric} is a counter and would fall {fall}",
                    "write `rate 5/s for 10m` for what it counts, and `reset` where its process restarts",
                )  # fmt: skip
            highest = max(highest, sample) if isinstance(sample, float) else highest
        return highest

    def _begin(self, segment: Segment, given: float | None) -> float:
        value = self.value if given is None else given
        if value is None:
            raise segment.mistake("AK813", "there is no value before it to go on from", "say what it begins with")
        return value

    def _samples(self, segment: Segment, count: int, taken: int) -> list[Sample]:
        """`taken` samples of a segment that lasts `count`; leaves `self.value` as it is at its end."""
        shape = segment.shape
        match shape:
            case Constant(value):
                self.value = value
                return [value] * taken
            case Freeze():
                return [self._begin(segment, None)] * taken
            case Ramp(start, end):
                first = self._begin(segment, start)
                self.value = end
                return [rounded(first + (end - first) * i / count, EXACT_DIGITS) for i in range(taken)]
            case Rate(per_second, start):
                first = (self.value or 0.0) if start is None else start
                increment = per_second * self.step / 1000
                if self.quantum:
                    increment = round(increment / self.quantum) * self.quantum
                self.value = first + increment * count
                return [first + increment * i for i in range(taken)]
            case Walk(start, drift, vol, per, seed):
                seconds = self.step / 1000
                spread = vol if per is None else vol * math.sqrt(seconds / per)
                values = walk(self._begin(segment, start), drift * seconds, spread, seed, count)
                self.value = values[-1]
                return list(values[:taken])
            case Sine(low, high, period):
                values = sine(low, high, period / self.step, count + 1)
                self.value = values[-1]
                return list(values[:taken])
            case Noise(low, high, seed):
                values = noise(low, high, seed, count + 1)
                self.value = values[-1]
                return list(values[:taken])
            case Spike(peak):
                base = self._begin(segment, None)
                return [
                    rounded(base + (peak - base) * (1.0 - abs(2.0 * i / count - 1.0)), EXACT_DIGITS)
                    for i in range(taken)
                ]
            case Clock(lag):
                unit = unit_of_metric(self.metric)
                scale = unit.scale * 1000 if unit.dimension == "time" else Fraction(1000)
                now = len(self.samples)
                self.value = float(((now + count) * self.step - lag) / scale)
                return [float(((now + i) * self.step - lag) / scale) for i in range(taken)]
            case Gap():
                return [None] * taken
            case Stale():
                return [Mark.STALE, *[None] * (taken - 1)]
            case Recorded():
                recording = self.recordings[id(segment)]
                # Where another segment follows, the last row is its beginning's.
                samples = recording.sampled(self.step, taken)
                self.value = next((s for s in reversed(samples) if isinstance(s, float)), self.value)
                return samples
            case _:
                raise segment.mistake(
                    "AK813", "a histogram's latency cannot be mixed with plain values", "use one line for each"
                )


def _histogram(timed: Sequence[tuple[Segment, int]], step: int) -> tuple[Series, ...]:
    """The buckets, the sum and the count of a histogram, each a counter."""
    bounds: tuple[float, ...] = ()
    plans: list[tuple[Segment, tuple[float, ...], float]] = []
    for segment, _ in timed:
        shape = segment.shape
        if not isinstance(shape, Latency):
            if not isinstance(shape, (Gap, Stale, Reset, Freeze)):
                raise segment.mistake(
                    "AK813", "a histogram's latency cannot be mixed with plain values",
                    "beside `latency` it can have `gap`, `stale`, `reset` and `freeze` (no traffic)",
                )  # fmt: skip
            plans.append((segment, (), 0.0))
            continue
        if shape.buckets and bounds and shape.buckets != bounds:
            raise segment.mistake("AK813", "the buckets change", "give `buckets` once, in the first segment")
        bounds = bounds or shape.buckets
        if not bounds:
            raise segment.mistake(
                "AK813", "the buckets of the histogram are not known", "add `buckets 0.1 0.5 1 2.5 5`"
            )
        share = shares(shape.quantile, shape.value, bounds)
        if share is None:
            raise segment.mistake("AK811", *_unreachable(shape, bounds))
        plans.append((segment, share, mean(share, bounds)))
    if not isinstance(timed[0][0].shape, (Latency, Gap)):
        raise timed[0][0].mistake("AK813", "there is no value before it to go on from", "begin with `latency`")
    columns: list[tuple[str, tuple[tuple[str, str], ...], Callable[[tuple[float, ...], float], float]]] = [
        ("_bucket", (("le", format_number(bound)),), lambda share, _, i=i: share[i])  # type: ignore[misc]
        for i, bound in enumerate(bounds)
    ]
    columns += [
        ("_bucket", (("le", "+Inf"),), lambda *_: 1.0),
        ("_sum", (), lambda _, middle: middle),
        ("_count", (), lambda *_: 1.0),
    ]
    quantum = _quantum([Rate(s.shape.per_second) for s, _ in timed if isinstance(s.shape, Latency)], step)
    found = []
    for suffix, labels, factor in columns:
        plain = [
            (replace(segment, shape=Rate(segment.shape.per_second * factor(share, middle))), count)
            if isinstance(segment.shape, Latency)
            else (segment, count)
            for (segment, count), (_, share, middle) in zip(timed, plans, strict=True)
        ]
        found.append(Series(suffix, labels, _Track(suffix, step, quantum, {}).run(plain)))
    return tuple(found)


def _unreachable(shape: Latency, bounds: Sequence[float]) -> tuple[str, str]:
    name = f"p{format_number(shape.quantile * 100)}"
    if shape.value > bounds[-1]:
        return (
            f"with these buckets {name} is never above {format_number(bounds[-1])}",
            "a histogram shows nothing beyond its highest bound: add a bucket, or lower the latency",
        )
    least = format_number(rounded(shape.quantile * bounds[0]))
    return (
        f"with these buckets {name} is never below {least}",
        "a histogram cannot tell values in its lowest bucket apart: add a smaller bucket, or raise the latency",
    )


__all__ = ["Built", "MistakeError", "Series", "build"]
