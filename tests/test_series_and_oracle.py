"""Series in promtool's notation, the clock of proofs, and the oracle against Prometheus' own alert states."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from itertools import pairwise, product
from math import gcd
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertkit.prove.derived.grid import choose
from alertkit.prove.derived.oracle import Run, Stage, Timing, condition, firing, follow, keeping
from alertkit.series import Gone, Level, Missed, Piece, Slope, notation

calm = settings(derandomize=True, max_examples=200, database=None, deadline=None)


def expand(values: str) -> list[float | None]:
    """What promtool makes of its notation: increments are added one by one."""
    samples: list[float | None] = []
    for text in values.split():
        if text == "stale":
            samples.append(None)
        elif text.startswith("_"):
            samples += [None] * int(text[2:] or 1)
        else:
            number = r"[-+]?(?:Inf|NaN|[0-9.]+(?:e[-+]?[0-9]+)?)"
            found = re.fullmatch(rf"({number})(?:([-+][0-9.]+(?:e[-+]?[0-9]+)?))?(?:x(\d+))?", text)
            assert found, text
            value = float(found[1])
            for _ in range(int(found[3] or 0) + 1):
                samples.append(value)
                value += float(found[2] or 0)
    return samples


slopes = st.builds(Slope, st.one_of(st.just(0.0), st.floats(1e-3, 1e6)))
steps = st.sampled_from([1000, 5000, 15_000, 60_000, 100_000])


@calm
@given(st.lists(st.tuples(slopes, st.integers(1, 300)), min_size=1, max_size=6), steps)
def test_a_counter_never_falls_and_no_sum_is_rounded(timeline: list[tuple[Piece, int]], step: int) -> None:
    values = expand(notation(timeline, step))
    assert len(values) == sum(count for _, count in timeline)
    numbers = [value for value in values if value is not None]
    assert len(numbers) == len(values) and numbers == sorted(numbers)
    position = 0
    for piece, count in timeline:
        assert isinstance(piece, Slope)
        run = numbers[position : position + count]
        rises = {after - before for before, after in pairwise(run)}
        assert len(rises) <= 1, "the same increment throughout, to the last bit"
        for rise in rises:
            assert rise == pytest.approx(piece.per_second * step / 1000, rel=1e-3)
        position += count


@calm
@given(
    st.lists(
        st.tuples(st.one_of(st.builds(Level, st.floats(-1e9, 1e9)), st.just(Gone())), st.integers(0, 9)), max_size=6
    )
)
def test_gauges_and_gaps_are_where_they_should_be(timeline: list[tuple[Piece, int]]) -> None:
    wanted = [piece.value if isinstance(piece, Level) else None for piece, count in timeline for _ in range(count)]
    values = expand(notation(timeline, 15_000))
    values += [None] * (len(wanted) - len(values))
    assert values == wanted


def test_a_counter_counts_on_while_scrapes_are_missed_and_restarts_without_a_loss() -> None:
    timeline: list[tuple[Piece, int]] = [(Slope(1), 3), (Missed(), 2), (Slope(1), 2), (Slope(1, anew=True), 3)]
    assert expand(notation(timeline, 1000)) == [0, 1, 2, None, None, 5, 6, 1, 2, 3]


@pytest.mark.parametrize(
    ("timeline", "text"),
    [
        ([(Level(7.0), 3), (Level(7.0), 2), (Level(8.0), 1)], "7x4 8"),
        ([(Slope(1.0), 3), (Slope(1.0), 2), (Slope(1.0, anew=True), 2), (Slope(1.0), 1)], "0+1x4 1+1x2"),
        ([(Level(7.0), 1), (Gone(), 2), (Gone(), 3), (Level(7.0), 1)], "7 stale _x4 7"),
        ([(Slope(1.0), 2), (Missed(), 1), (Missed(), 1), (Slope(1.0), 2)], "0+1x1 _x2 4+1x1"),
    ],
)
def test_what_stays_as_it_is_is_one_run(timeline: list[tuple[Piece, int]], text: str) -> None:
    assert notation(timeline, 1000) == text


durations = st.one_of(st.just(0), st.integers(1, 240).map(lambda n: n * 15_000))


@calm
@given(st.lists(durations, max_size=4), st.lists(durations, max_size=3), st.booleans(), durations)
def test_the_clock_of_a_proof_rounds_nothing(
    holds: list[int], windows: list[int], hysteresis: bool, dense: int
) -> None:
    grid = choose(holds, windows, hysteresis, dense)
    assert grid.evaluation % grid.step == 0 and grid.samples >= 2
    for hold in filter(None, holds):
        assert hold % grid.evaluation == 0 and hold // grid.evaluation >= 2
    rounded = [window for window in windows if window % grid.evaluation]
    assert not rounded or gcd(*holds, *windows) * 8 < min(filter(None, [*holds, *windows])) // 2
    for window in filter(None, [*windows, dense]):
        assert window // grid.step >= 4
    assert grid.evaluation <= 1_800_000 and grid.step <= 120_000


def naive(values: list[float | None], hold: int, keep: int) -> list[bool]:
    """Prometheus' rules/alerting.go for one series, one evaluation after the other."""
    state, active_at, kept_since = "inactive", 0, None
    result = []
    for now, value in enumerate(values):
        if value is not None and value > 1:
            kept_since = None
            if state == "inactive":
                state, active_at = "pending", now
            if state == "pending" and now - active_at >= hold:
                state = "firing"
        elif state == "firing" and keep:
            kept_since = now if kept_since is None else kept_since
            if now - kept_since >= keep:
                state = "inactive"
        else:
            state = "inactive"
        result.append(state == "firing")
    return result


plans = st.tuples(
    st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.0, None]), st.integers(1, 6)), min_size=1, max_size=8),
    st.integers(0, 4), st.integers(0, 4),
)  # fmt: skip
Plan = tuple[list[tuple[float | None, int]], int, int]


def told(plan: Plan) -> list[bool | None]:
    stages = tuple(
        Stage(holds=(value is not None and value > 1,), near=(False,), keeps=False, length=length)
        for value, length in plan[0]
    )  # fmt: skip
    return [states[0] for states in firing(stages, (Timing(plan[1], plan[2]),), False)]


@calm
@given(plans)
def test_the_oracle_agrees_with_a_naive_simulation(plan: Plan) -> None:
    values = [value for value, length in plan[0] for _ in range(length)]
    assert told(plan) == naive(values, plan[1], plan[2])


def test_where_a_signal_is_on_its_way_nothing_is_claimed() -> None:
    quiet = Stage((False,), (False,), False, 3)
    rising = Stage((True,), (False,), False, 6, arrival=3)
    states = [s[0] for s in firing((quiet, rising), (Timing(0, 0),), False)]
    assert states == [False] * 3 + [None] * 3 + [True] * 3
    early = rising._replace(sticky=True, early=True)  # it keeps the old value until it has perhaps arrived
    states = [s[0] for s in firing((quiet, early), (Timing(0, 0),), False)]
    assert states == [False] * 5 + [None] + [True] * 3


def evaluated(runs: list[Run], timing: Timing) -> list[bool | None]:
    """The states of one level, one evaluation after the other; of what is open both is followed."""
    states: set[tuple[str, int]] = {("inactive", 0)}
    result: list[bool | None] = []
    for holds, keeps in [(run.holds, run.keeps) for run in runs for _ in range(run.length)]:
        now, after = len(result), set()
        for (word, since), held, kept in product(states, either(holds), either(keeps)):
            if held or (kept and word in ("firing", "kept")):
                since = since if word == "pending" else now
                after.add(
                    ("pending", since) if word in ("inactive", "pending") and now - since < timing.hold else FIRES
                )
            else:
                since = since if word == "kept" else now
                stays = word in ("firing", "kept") and now - since < timing.keep
                after.add(("kept", since) if stays else ("inactive", 0))
        states = after
        outcomes = {word in ("firing", "kept") for word, _ in states}
        result.append(outcomes.pop() if len(outcomes) == 1 else None)
    return result


FIRES = ("firing", 0)


def either(known: bool | None) -> tuple[bool, ...]:
    return (True, False) if known is None else (known,)


open_or_not = st.sampled_from([True, False, None])
runs_of_one_level = st.lists(st.builds(Run, open_or_not, open_or_not, st.integers(0, 12)), max_size=8)


@calm
@given(runs_of_one_level, st.builds(Timing, st.integers(0, 9), st.integers(0, 9)))
def test_what_the_oracle_jumps_over_changes_nothing(runs: list[Run], timing: Timing) -> None:
    assert list(follow(tuple(runs), timing)) == evaluated(runs, timing)


@calm
@given(
    st.lists(
        st.builds(
            Stage, holds=st.tuples(st.booleans()), near=st.tuples(st.booleans()), keeps=st.booleans(),
            length=st.integers(1, 9), arrival=st.integers(0, 9), late=st.booleans(), sticky=st.booleans(),
            eager=st.tuples(st.booleans()), early=st.booleans(),
        ),
        min_size=1, max_size=5,
    ),
    st.builds(Timing, st.integers(0, 4), st.integers(0, 4)), st.booleans(),
)  # fmt: skip
def test_a_stage_changes_only_at_its_beginning_and_around_its_arrival(
    stages: list[Stage], timing: Timing, hysteresis: bool
) -> None:
    runs = [
        Run(condition(before, stage, at, 0), keeping(before, stage, at) if hysteresis else False, 1)
        for before, stage in pairwise([None, *stages])
        if stage is not None
        for at in range(stage.length)
    ]
    assert [states[0] for states in firing(tuple(stages), (timing,), hysteresis)] == evaluated(runs, timing)


PROMTOOL = shutil.which("promtool")


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_the_oracle_agrees_with_promtool(tmp_path: Path) -> None:
    """Random plans in one promtool run: rule i is `xi > 1`, checked at every evaluation."""
    found: list[Plan] = []

    @settings(derandomize=True, max_examples=60, database=None, deadline=None)
    @given(plans)
    def collect(plan: Plan) -> None:
        found.append(plan)

    collect()
    rules, series, tests = [], [], []
    for i, plan in enumerate(found):
        rules.append(f"{{alert: A{i}, expr: x{i} > 1, for: {plan[1]}m, keep_firing_for: {plan[2]}m}}")
        timeline = [(Gone() if value is None else Level(value), length) for value, length in plan[0]]
        values = notation(timeline, 60_000)
        if values:
            series.append(f"{{series: x{i}, values: '{values}'}}")
        for now, fires in enumerate(told(plan)):
            expected = "[{exp_labels: {}}]" if fires else "[]"
            # After its last sample a gauge is still looked back at; the plan ends before that matters.
            tests.append(f"{{eval_time: {now}m, alertname: A{i}, exp_alerts: {expected}}}")
    listed = "\n      - "
    (tmp_path / "rules.yml").write_text("groups:\n  - name: g\n    rules:\n      - " + listed.join(rules) + "\n")
    (tmp_path / "test.yml").write_text(
        "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n      - "
        + listed.join(series) + "\n    alert_rule_test:\n      - " + listed.join(tests) + "\n"
    )  # fmt: skip
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[:2000]
