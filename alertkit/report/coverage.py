"""What coverage found: a table with a row for each alert, and what no case shows; or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from alertkit.prove.coverage.points import (
    ANNOTATION,
    FALSE,
    FIRING,
    LABEL,
    LEVEL,
    QUIET,
    RESOLVES,
    SOURCES,
    TRUE,
    Covered,
    Point,
    percent,
)
from alertkit.report.terminal import counted
from alertkit.source.problem import Style

if TYPE_CHECKING:
    from rich.console import Console

# Heading of a column -> the kinds of points it counts.
COLUMNS = {
    "fires": (FIRING,), "silent": (QUIET,), "resolves": (RESOLVES,), "levels": (LEVEL,), "labels": (LABEL,),
    "texts": (ANNOTATION,), "branches": (TRUE, FALSE),
}  # fmt: skip
_SINGLE = (FIRING, QUIET, RESOLVES)
_WORDS = {
    FIRING: "no case sees it fire",
    QUIET: "no case sees it stay silent",
    RESOLVES: "no case sees it resolve after it fired",
    LEVEL: "no case sees the level `{}` fire",
    LABEL: "no case compares the label `{}`",
    ANNOTATION: "no case compares the annotation `{}`",
    TRUE: "never true in a case: {}",
    FALSE: "never false in a case: {}",
}


def words(point: Point) -> str:
    """What is missing, in a sentence."""
    return _WORDS[point.kind].format(point.name)


def show(alerts: Sequence[Covered], console: Console, say: Callable[[str], None], style: Style, note: str) -> None:
    """The report for people: the table, what is not seen of each alert, the total."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("alert", overflow="fold")
    for name in (*SOURCES, *COLUMNS, "seen"):
        table.add_column(name.replace("hand-written", "written"), justify="right", no_wrap=True)
    system = ""
    for one in alerts:
        if one.system != system:
            system = one.system
            table.add_row(f"[bold]{system}[/bold]")
        cells = [_cell(one, kinds) for kinds in COLUMNS.values()]
        cases = [f"{one.cases[source] or '-'}" for source in SOURCES]
        table.add_row(f"  {one.alert}", *cases, *cells, _whole(one.percent))
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().rstrip("\n").split("\n"):
        say(line.rstrip())
    for one in alerts:
        if one.unseen:
            say("")
            say(f"{style.bold}{one.system} {one.alert}{style.reset}  {style.dim}{one.span}{style.reset}")
            for point in one.unseen:
                say(f"  {words(point)}")
    seen, total = _counts(alerts)
    say("")
    of = f"{counted(total, 'point')} of {counted(len(alerts), 'alert')}"
    say(f"{percent(alerts):.1f}% seen: {seen:,} of {of}, {note}")


def _cell(one: Covered, kinds: tuple[str, ...]) -> str:
    seen, total = one.of(*kinds)
    if not total:
        return "-"
    text = ("yes" if seen else "no") if kinds[0] in _SINGLE else f"{seen}/{total}"
    return text if seen == total else f"[red]{text}[/red]"


def _whole(value: float) -> str:
    """100% only where all is seen."""
    return f"{int(value)}%" if value == 100 else f"[red]{min(99, round(value))}%[/red]"


def _counts(alerts: Sequence[Covered]) -> tuple[int, int]:
    points = [point for one in alerts for point in one.points]
    return sum(bool(point.seen_by) for point in points), len(points)


def as_json(alerts: Sequence[Covered], failed: Sequence[str]) -> str:
    """Everything as one JSON object: totals, failed cases, and each alert with all its points and who saw them."""
    seen, total = _counts(alerts)
    body = {
        "percent": round(percent(alerts), 2), "seen": seen, "points": total, "failed": list(failed),
        "alerts": [
            {
                "system": one.system, "alert": one.alert, "file": one.span.path, "line": one.span.line,
                "cases": one.cases, "percent": round(one.percent, 2),
                "points": [
                    {
                        "kind": point.kind, "name": point.name, "seen_by": list(point.seen_by),
                        **({} if point.seen_by else {"missing": words(point)}),
                    }
                    for point in one.points
                ],
            }
            for one in alerts
        ],
    }  # fmt: skip
    return json.dumps(body, indent=2, ensure_ascii=False)
