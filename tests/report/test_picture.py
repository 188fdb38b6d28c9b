"""The picture of a failure: what is beyond the threshold is seen, at any width, in blocks and in plain ASCII."""

from __future__ import annotations

import pytest

from alertkit.kinds import Comparison
from alertkit.prove.running.results import Moment, Trace
from alertkit.report.picture import ASCII, BLOCKS, marks_for, picture


def trace(values: list[float | None], op: str = ">", limit: float = 1.0, failed_at: int = 0) -> Trace:
    states = {0: "", 1: "pending", 2: "firing"}
    moments = [
        Moment(60_000 * i, value, states[min(2, i * 3 // len(values))]) for i, value in enumerate(values)
    ]  # fmt: skip
    return Trace(tuple(moments), (("critical", Comparison(op, limit)),), 60_000 * failed_at)


def test_a_step_just_beyond_the_threshold_is_seen() -> None:
    rows = picture(trace([0.5] * 20 + [1.0] * 10 + [1.001] * 10, failed_at=35), 120)
    assert rows[0] == "signal " + "▁" * 20 + "▄" * 10 + "█" * 10 + "  0.5 to 1.001, critical > 1"
    assert rows[1] == "alert  " + "·" * 14 + "░" * 13 + "█" * 13 + "  ░ pending █ firing"
    assert rows[2] == " " * (7 + 35) + "▲ 35m"


@pytest.mark.parametrize(("op", "value", "above"), [("<", 1.0, True), ("<=", 1.0, False), (">=", 1.0, True)])
def test_the_threshold_itself_is_on_its_side(op: str, value: float, above: bool) -> None:
    row = picture(trace([value] * 10, op), 17)[0]
    assert set(row.removeprefix("signal ")) == {"▅" if above else "▄"}


def test_plain_terminals_get_plain_characters() -> None:
    rows = picture(trace([0.5] * 20 + [None] * 5 + [2.0] * 15, failed_at=30), 120, ASCII)
    assert "".join(rows).isascii()
    assert rows[0].startswith("signal " + "_" * 20 + " " * 5 + "#" * 15)
    assert marks_for("UTF-8") is BLOCKS and marks_for("utf8") is BLOCKS
    assert marks_for("ascii") is ASCII and marks_for("latin-1") is ASCII and marks_for(None) is ASCII


@pytest.mark.parametrize("width", range(17, 130))
@pytest.mark.parametrize("failed_at", [0, 20, 39])
def test_it_fits_and_shows_the_failure_at_any_width(width: int, failed_at: int) -> None:
    values: list[float | None] = [0.5] * 40
    values[failed_at] = 2.0
    rows = picture(trace(values, failed_at=failed_at), width)
    assert all(len(row) <= width for row in rows)
    assert rows[2].index("▲") == rows[0].index("█")
    assert f"{failed_at}m" in rows[2] or (failed_at == 0 and "0s" in rows[2])


def test_without_room_there_is_none() -> None:
    assert picture(trace([0.5] * 40), 12) == []


def test_few_evaluations_are_drawn_wide_and_infinity_is_drawn_at_all() -> None:
    rows = picture(trace([0.5, float("inf"), 2.0, float("-inf")], failed_at=1), 80)
    assert len(rows[0].split("  ")[0]) == len("signal ") + 16
    assert rows[2].index("▲") == len("signal ") + 4
