"""Kind `expr`: what it refuses and where, what it knows of the labels of its result."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kinds.compiled import compiled, expressions

HEAD = "system: shop\nalerts:\n  A:\n    kind: expr\n"


def spec(*rows: str) -> str:
    return HEAD + "".join(f"    {row}\n" for row in rows)


def problems(folder: Path, *rows: str) -> str:
    system, drawn = compiled(spec(*rows), {}, folder)
    assert system is None
    return drawn


def test_the_users_own_line_breaks_stay(tmp_path: Path) -> None:
    system, drawn = compiled(
        spec("expr: |", "  sum by (job) (rate(errors_total[5m]))", "    / sum by (job) (rate(all_total[5m])) > 0.05"),
        {}, tmp_path,
    )  # fmt: skip
    assert drawn == ""
    assert expressions(system) == [
        "sum by (job) (rate(errors_total[5m]))\n  / sum by (job) (rate(all_total[5m])) > 0.05"
    ]
    assert system is not None and system.alerts[0].identity == ("job",)
    assert system.alerts[0].claim is None


def test_a_long_line_is_laid_out(tmp_path: Path) -> None:
    part = "sum by (job) (rate(http_requests_failed_total[5m]))"
    system, _ = compiled(spec(f"expr: {part} / {part} > 0.05"), {}, tmp_path)
    assert "\n" in expressions(system)[0]


def test_the_place_of_bad_promql(tmp_path: Path) -> None:
    drawn = problems(tmp_path, "expr: sum by (job) (rate(errors_total[5m]) > 1")
    assert "spec.yaml:5:24: error[AK411]: `(` is never closed" in drawn
    assert "\n      |                        ^\n" in drawn


def test_the_place_of_bad_promql_in_a_block(tmp_path: Path) -> None:
    drawn = problems(tmp_path, "expr: |", "  up == 0", "  and rat(errors_total[5m]) > 1")
    assert "spec.yaml:7:11: error[AK411]: there is no function `rat`, did you mean `rate`?" in drawn


def test_the_place_behind_a_variable_of_for_each(tmp_path: Path) -> None:
    drawn = problems(
        tmp_path, "for_each: {exchange: [hyperliquid]}", "expr: 'up{e=\"<< exchange >>\"} == 0 and rat(x[5m])'"
    )
    assert "spec.yaml:6:44: error[AK411]" in drawn


@pytest.mark.parametrize(
    ("rows", "place", "code"),
    [
        (["expr: errors_total[5m]"], "5:11", "AK412"),
        (["expr: 1 > bool 0"], "5:11", "AK412"),
        (["expr: rate(errors_total[5m])"], "5:11", "AK410"),
        (["expr: errors > bool 5"], "5:11", "AK410"),
        (["expr: vector(1)"], "5:11", "AK410]: nothing in this expression is compared"),
        (["expr: foo + bar > 1 or on () vector(1)"], "5:34", "AK410]: nothing in the branch `vector(1)` is compared"),
        (["expr: a > 1 or a{x='y'} or a > 2"], "5:20", 'AK410]: nothing in the branch `a{x="y"}` is compared'),
        (["expr: (a or b > 1) or c > 1"], "5:12", "AK410]: nothing in the branch `a` is compared"),
        (["expr: up == 0", "by: [job]"], "6:5", "AK208"),
        (["expr: up == 0", "where: {job: a}"], "6:5", "AK208"),
        (["expr: up == 0", "for_each: {job: [a]}"], "3:3", "AK208"),
        (["expr: up == << down >>"], "5:17", "AK404"),
        (["expr: absent(up)", "missing: alert"], "6:5", "AK208"),
        (["expr: 5"], "5:11", "AK412"),
        (["expr: ''"], "5:11", "AK411"),
        (["expr: absent(up)", "for: 29s"], "6:10", "AK313"),
        (["expr: absent(up)"], "3:3", "AK313"),
        (["expr: 'up == 1 and count(x) == 0'"], "5:24", "AK415"),
        (["summary: x"], "3:3", "AK202"),
    ],
)
def test_refused(tmp_path: Path, rows: list[str], place: str, code: str) -> None:
    assert f"spec.yaml:{place}: error[{code}" in problems(tmp_path, *rows)


@pytest.mark.parametrize("expr", ["absent(up)", "a unless b", "up == 0", "ALERTS{severity='critical'}", "sum(up) < 3"])
def test_accepted(tmp_path: Path, expr: str) -> None:
    assert expressions(compiled(spec(f"expr: {expr}", "for: 30s"), {}, tmp_path)[0]) == [expr]


def test_labels_of_an_open_result(tmp_path: Path) -> None:
    """Any label may be there, except those that the expression removes."""
    system, drawn = compiled(spec("expr: up == 0", 'summary: "{{ $labels.anything }}"'), {}, tmp_path)
    assert drawn == "" and system is not None and system.alerts[0].identity is None
    drawn = problems(tmp_path, "expr: sum without (pod) (up) < 1", 'summary: "{{ $labels.pod }}"')
    assert "spec.yaml:6:26: error[AK406]: the alert cannot have the label `pod`" in drawn


def test_labels_of_a_closed_result(tmp_path: Path) -> None:
    drawn = problems(tmp_path, "expr: sum by (job) (up) < 1", 'summary: "{{ $labels.jobs }}"')
    assert "error[AK406]: the alert cannot have the label `jobs`" in drawn
    assert "did you mean `job`?" in drawn


def test_missing_data(tmp_path: Path) -> None:
    system, _ = compiled(spec("expr: sum by (job) (up) < 1", "missing: alert"), {}, tmp_path)
    assert "absent_over_time(up[1h])" in expressions(system)[1]


def test_by_of_the_files_defaults_does_not_reach_it(tmp_path: Path) -> None:
    text = "system: s\ndefaults: {by: [job]}\nalerts: {A: {kind: expr, expr: up == 0}}\n"
    assert compiled(text, {}, tmp_path)[1] == ""
