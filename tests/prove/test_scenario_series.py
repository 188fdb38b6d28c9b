"""The series language: what each shape writes, to the last digit, and what promtool makes of it."""

from __future__ import annotations

import itertools
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertkit.emit import promtool
from alertkit.series.build import Built, build
from alertkit.series.generators import noise, sine, walk
from alertkit.series.histogram import shares
from alertkit.series.language import parse_series
from alertkit.series.recorded import RecordedError, Recording, read_recording
from alertkit.series.shapes import MistakeError, Segment
from alertkit.series.write import Mark, Sample, written
from alertkit.spec.quantity import unit_of_metric
from tests.prove.scenario_support import versions

each_version = pytest.mark.parametrize("folder", versions())
needs_promtool = pytest.mark.skipif(not versions(), reason="no promtool on PATH")


def sampled(metric: str, text: str, step: int = 60_000) -> Built:
    segments, mistakes = parse_series(text, unit_of_metric(metric))
    assert mistakes == []
    return build(metric, segments, step, lambda file, column, _: read_recording(Path(file), column))


def notations(metric: str, text: str, step: int = 60_000) -> list[str]:
    return [written(series.samples) for series in sampled(metric, text, step).series]


SHAPES = [
    ("x", "5 for 5m", "5x5"),
    ("x", "0 for 5m, 1 for 10m, 0 for 5m", "0x4 1x9 0x5"),
    ("x", "0 until 5m, 1 until 15m, 0 until 20m", "0x4 1x9 0x5"),
    ("x", "-1.5 for 1m, NaN for 2m, +Inf for 1m", "-1.5 NaN+0x1 +Inf+0x1"),
    ("x", "ramp 0 to 10 over 5m, 10 for 5m", "0+2x4 10x5"),
    ("x", "ramp 0 to 10 over 5m", "0+2x5"),
    ("x", "ramp 1 to 0 over 10m", "1 0.9 0.8 0.7 0.6 0.5 0.4 0.3 0.2 0.1 0"),
    ("x", "4 for 2m, ramp to 0 over 4m", "4x2 3 2 1 0"),
    ("x", "10 for 1m, spike to 20 over 4m, 10 for 1m", "10x1 15 20 15 10x1"),
    ("x", "3 for 2m, gap for 3m, freeze for 1m", "3x1 _x3 3x1"),
    ("x", "3 for 2m, stale for 3m, 4 for 1m", "3x1 stale _x2 4x1"),
    ("x", "3 for 2m, stale", "3x1 stale"),
    ("x", "gap for 2m, 1 for 1m", "_x2 1x1"),
    ("c_total", "rate 1/s for 5m, rate 20/s for 3m, rate 0/s for 2m", "0+60x5 1500 2700 3900x2"),
    ("c_total", "rate 60/min from 1000 for 3m, reset, rate 2/s for 3m", "1000 1060 1120 0+120x3"),
    ("c_total", "rate 1/s for 4m, gap for 2m, rate 1/s for 4m", "0+60x3 _x2 240+60x4"),
    ("c_total", "rate 1/s for 4m, freeze for 2m, rate 1/s for 4m", "0+60x4 240x1 300+60x3"),
    ("t", "clock for 3m, freeze for 3m, clock lag 30s for 3m", "0+60x3 180x1 330+60x3"),
    ("t_ms", "clock for 3m", "0+60000x3"),
    ("t_ns", "clock for 3m", "0+60000000000x3"),
    ("t_minutes", "clock for 3m", "0+1x3"),
    ("up_seconds", "250ms for 1m, 1h for 1m, 2 for 1m", "0.25 3600 2x1"),
    ("free_bytes", "2GiB for 1m, 1kB for 1m", "2147483648 1000x1"),
    ("cpu_percent", "80% for 1m", "80x1"),
    ("hit_ratio", "80% for 1m", "0.8x1"),
    ("node_cpu_seconds_total", "rate 50% for 4m", "0+30x4"),
]


@pytest.mark.parametrize(("metric", "text", "expected"), SHAPES, ids=[f"{m}: {t}" for m, t, _ in SHAPES])
def test_shapes(metric: str, text: str, expected: str) -> None:
    assert notations(metric, text) == [_canonical(expected)]


def _canonical(text: str) -> str:
    """The table may split runs as it likes: what counts are the samples."""
    return written(expanded(text))


_NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?|Inf|NaN)"
_WORD = re.compile(rf"(stale|_|[-+]?{_NUMBER})([-+]{_NUMBER})?(?:x([0-9]+))?")


def expanded(text: str) -> list[Sample]:
    """promtool's reading of its notation: increments are added one by one."""
    samples: list[Sample] = []
    for word in text.split():
        match = _WORD.fullmatch(word)
        assert match is not None, word
        base, increment, count = match.groups()
        repeats = int(count or 0)
        if base == "stale":
            samples.append(Mark.STALE)
        elif base == "_":
            samples += [None] * max(repeats, 1)
        else:
            now = float(base)
            for _ in range(repeats + 1):
                samples.append(now)
                now += float(increment or 0)
    return samples


def test_generated_values_are_the_same_everywhere() -> None:
    assert walk(100000.0, -0.0001, 0.005, 7, 5) == [100000.0, 98638.4, 98785.5, 97805.7, 98027.2, 98006.0]
    assert noise(10.0, 20.0, 3, 5) == [12.3796, 15.4423, 13.6996, 16.0392, 16.2572]
    assert sine(-1.0, 1.0, 8, 9) == [-1.0, -0.707107, 0.0, 0.707107, 1.0, 0.707107, 0.0, -0.707107, -1.0]


def test_seeds_make_the_difference() -> None:
    text = "walk from 100 drift 1%/h vol 0.5% seed {} for 1h"
    assert notations("x", text.format(1)) == notations("x", text.format(1))
    assert notations("x", text.format(1)) != notations("x", text.format(2))
    assert notations("x", "walk from 100 vol 0.5% for 1h") == notations("x", "walk from 100 vol 0.5% seed 1 for 1h")


def test_a_walk_without_error_only_drifts() -> None:
    assert notations("x", "walk from 100 drift 60%/h for 3m") == ["100 101 102.01 103.03"]
    assert notations("x", "walk from 100 drift -1%/min for 2m, freeze for 1m") == ["100 99 98.01x1"]


def test_a_spread_over_time_is_its_root_in_one_sample() -> None:
    assert notations("x", "walk from 100 vol 1%/h seed 4 for 1h", 900_000) == notations(
        "x", "walk from 100 vol 0.5% seed 4 for 1h", 900_000
    )


POSITIVE = st.one_of(st.just(0.0), st.floats(1e-9, 1e6))
RATES = st.lists(st.tuples(POSITIVE, st.integers(1, 40), st.sampled_from(["", "gap", "freeze"])), min_size=1)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(RATES, st.sampled_from([1000, 15_000, 20_000, 60_000]), st.integers(0, 10**9).map(float))
def test_counters_never_fall(rates: list[tuple[float, int, str]], step: int, start: float) -> None:
    parts = []
    for index, (rate, count, after) in enumerate(rates):
        begin = f" from {start!r}" if not index else ""
        parts.append(f"rate {rate!r}/s{begin} for {count * step}ms")
        parts += [f"{after} for {step}ms"] if after else []
    text = ", ".join(parts)
    (series,) = sampled("c_total", text, step).series
    values = [sample for sample in expanded(written(series.samples)) if isinstance(sample, float)]
    assert all(a <= b for a, b in itertools.pairwise(values))
    assert values[0] == start
    if not parts[-1].startswith("gap"):
        assert len(series.samples) == sum(count + bool(after) for _, count, after in rates) + 1


SAMPLES = st.lists(
    st.one_of(st.none(), st.just(Mark.STALE), st.floats(allow_nan=False), st.integers(-5, 5).map(float)), max_size=30
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(SAMPLES, st.floats(-1e6, 1e6), st.floats(-10, 10), st.integers(0, 20))
def test_writing_loses_no_bit(samples: list[Sample], start: float, increment: float, count: int) -> None:
    values = [*samples, *(start + increment * i for i in range(count)), 1.0]
    assert expanded(written(values)) == values


WORDS = (
    "ramp rate walk sine noise spike freeze clock gap stale reset latency for over until to from drift vol seed every",
    "lag buckets p95 p50 5 0 -1 1e250 -1e250 1e-250 NaN Inf -Inf 5/s 5% -2%/h 1000000%/s 250ms 5m 1m 2m 10m 0s , , ,",
)


@settings(max_examples=1000, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.sampled_from(" ".join(WORDS).split()), max_size=14).map(" ".join),
    st.sampled_from(["x", "c_total", "t_ms", "d_seconds"]),
)
def test_whatever_is_written_is_a_series_or_a_mistake(text: str, metric: str) -> None:
    segments, mistakes = parse_series(text, unit_of_metric(metric))
    try:
        found = build(metric, segments, 60_000, _never).series if segments and not mistakes else ()
    except MistakeError as mistake:
        mistakes = [mistake]
    else:
        assert all(written(series.samples) for series in found) or "gap" in text
        assert found or mistakes
    for mistake in mistakes:
        assert 0 <= mistake.offset <= len(text) and mistake.help


LATENCIES = [
    (0.5, 0.3, "0.1 0.5 1"), (0.95, 2.0, "0.1 0.5 1 2.5 5"), (0.99, 4.9, "1 5"), (0.95, 5.0, "1 5"),
    (0.9, 0.0951, "0.1 1"), (0.95, 1.0, "0.1 0.5 1 2.5 5"), (0.999, 0.6, "0.5 0.75 1"), (0.5, 0.11, "0.1 0.5 1"),
]  # fmt: skip


@needs_promtool
@each_version
def test_a_latency_is_what_histogram_quantile_sees(folder: str, tmp_path: Path) -> None:
    series, exprs = [], []
    for index, (quantile, value, bounds) in enumerate(LATENCIES):
        metric = f"h{index}_seconds"
        text = f"latency p{quantile * 100:g} {value} rate 40/s buckets {bounds} for 10m"
        for one in sampled(metric, text, 15_000).series:
            labels = ",".join(f'{name}="{label}"' for name, label in one.labels)
            series.append(promtool.InputSeries(f"{metric}{one.suffix}{{{labels}}}", written(one.samples)))
        seen = f"histogram_quantile({quantile}, sum by (le) (rate({metric}_bucket[5m])))"
        exprs.append(promtool.ExprTest(600_000, f"abs({seen} - {value}) < bool 1e-9", (("{}", 1.0),)))
        exprs.append(promtool.ExprTest(600_000, f"abs(rate({metric}_count[5m]) - 40) < bool 1e-9", (("{}", 1.0),)))
        mean = f"rate({metric}_sum[5m]) / rate({metric}_count[5m])"
        exprs.append(
            promtool.ExprTest(600_000, f"({mean} > bool 0) * ({mean} < bool {bounds.split()[-1]})", (("{}", 1.0),))
        )
    group = promtool.TestGroup("latency", 15_000, tuple(series), (), tuple(exprs))
    (tmp_path / "r.yml").write_text("groups: []\n")
    (tmp_path / "t.test.yml").write_text(promtool.test_file("", ["r.yml"], [], 15_000, [group]))
    done = subprocess.run(
        [f"{folder}/promtool", "test", "rules", "t.test.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@each_version
def test_promtool_reads_what_is_no_number(folder: str, tmp_path: Path) -> None:
    series = promtool.InputSeries("x", notations("x", "1 for 5m, NaN for 5m, Inf for 5m, -Inf for 5m", 15_000)[0])
    exprs = [
        promtool.ExprTest(minute * 60_000, f"(x {test}) or vector(2)", (("{}", 1.0),))
        for minute, test in ((4, "* 1"), (9, "!= bool x"), (14, "> bool 1e300"), (19, "< bool -1e300"))
    ]
    group = promtool.TestGroup("x", 15_000, (series,), (), tuple(exprs))
    (tmp_path / "r.yml").write_text("groups: []\n")
    (tmp_path / "t.test.yml").write_text(promtool.test_file("", ["r.yml"], [], 15_000, [group]))
    done = subprocess.run(
        [f"{folder}/promtool", "test", "rules", "t.test.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_shares_of_what_no_histogram_can_show() -> None:
    assert shares(0.95, 5.1, (1.0, 5.0)) is None
    assert shares(0.95, 0.5, (1.0, 5.0)) is None
    assert shares(0.5, 0.5, (1.0, 5.0)) == (1.0, 1.0)
    assert shares(0.95, 2.0, (0.5, 1.0, 3.0)) == pytest.approx((0.45, 0.9, 1.0))


def test_buckets_are_given_once_and_traffic_may_stop() -> None:
    text = "latency p50 1 rate 1/s buckets 2 for 2m, freeze for 2m, latency p50 1 rate 2/s for 2m"
    assert notations("h", text) == ["0 60 120x2 240 360"] * 2 + ["0 60 120x2 240 360"] * 2


def test_too_many_samples() -> None:
    segments, _ = parse_series("0 for 2000h", unit_of_metric("x"))
    with pytest.raises(MistakeError, match="100000 samples"):
        build("x", segments, 15_000, _never)


def _never(file: str, column: str | None, segment: Segment) -> Recording:
    raise segment.mistake("AK814", file, "a file")


RECORDINGS = {
    "plain": ("time,value\n0,1\n60,2\n120,3\n", None, "1 2 3"),
    "seconds of a day": ("timestamp,value\n1709283600,1\n1709283660.5,\n1709283720,2.5e3\n", None, "1 _ 2500"),
    "iso": ("time,v\n2024-03-01T09:00:00Z,1\n2024-03-01T09:01:00+00:00,2\n2024-03-01 09:03:00,4\n", None, "1 2 _ 4"),
    "durations and columns": ("a,time,b\n1,0s,5\n2,1m,6\n3,2m,7\n", "b", "5 6 7"),
    "more often than the step": ("time,value\n0,1\n15,2\n30,3\n45,4\n60,5\n", None, "1 5"),
    "windows": ("\ufefftime,value\r\n0,1\r\n60,NaN\r\n", None, "1 NaN"),
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings(name: str, tmp_path: Path) -> None:
    text, column, expected = RECORDINGS[name]
    (tmp_path / "a b.csv").write_text(text, encoding="utf-8", newline="")
    words = f'from "{tmp_path}/a b.csv"' + (f" column {column}" if column else "")
    assert notations("x", words) == [expected]


MALFORMED = [
    ("", 0, "no data"), ("time,value\n", 0, "no data"), ("when,value\n0,1\n", 1, "no column is called `time`"),
    ("time\n0\n", 1, "no column of values"), ("time,value\n0,1\n0,2\n", 3, "not after"),
    ("time,value\n0,1\n1\n", 3, "a column is missing"), ("time,value\nyesterday,1\n", 2, "no time"),
    ("time,value\n0,1_0\n", 2, "no number"), ("time,value\n0,1\n\n5,x\n", 4, "no number"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message"), MALFORMED)
def test_malformed_recordings(text: str, line: int, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(RecordedError, match=message) as found:
        read_recording(path, None)
    assert found.value.line == line


def test_recordings_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"time,value\n0,\xff\n")
    with pytest.raises(RecordedError, match="not UTF-8"):
        read_recording(path, None)
    with pytest.raises(RecordedError, match="cannot be read"):
        read_recording(tmp_path, None)
