"""Answers as lines of text."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from alertkit.routing.answer import Answer, Oracle, shown_labels, shown_matchers
from alertkit.routing.router import Node
from alertkit.routing.situations import Situation
from alertkit.spec.duration import format_duration


def answer_lines(answer: Answer, oracle: Oracle, at: datetime.datetime | None) -> list[str]:
    """One answer: labels, each path through the tree, who is told when, what mutes it and why."""
    lines = [shown_labels(answer.labels, answer.free)]
    for told in answer.told:
        lines += _path(told.node)
        node = told.node
        grouped = ", ".join(node.group_by) or "nothing, all in one"
        lines.append(
            f"      after {format_duration(node.group_wait)}, news every {format_duration(node.group_interval)}, "
            f"again every {format_duration(node.repeat)}; grouped by {grouped}"
        )
        if told.silenced and at:
            again = oracle.calendar.until(node, at)
            until = f", until {_moment(again)}" if again else ", and not within a year"
            lines.append(f"      not told at {_moment(at)}: {told.silenced}{until}")
        if at and (last := oracle.calendar.unknown(node, at)):
            lines.append(f"      market holidays are known until {last}; later ones count as trading days")
        if not at:
            lines += [f"      only within {name}" for name in node.route.active]
            lines += [f"      {_limit(name)}" for name in node.route.mute]
    if answer.muted:
        by = answer.muted
        place = f"{by.rule.span.path}:{by.rule.span.line}"
        lines.append(f"  muted by {shown_labels(by.source)}: {by.rule.origin} ({place})")
    else:
        for rule in answer.mutable:
            same = f" with the same {', '.join(rule.equal)}" if rule.equal else ""
            lines.append(f"  muted while {shown_matchers(rule.source)} fires{same} ({rule.origin})")
    if answer.depends:
        lines.append(f"  depends on the value of {', '.join(answer.depends)}; give it as label=value")
    names = answer.notified
    moment = f" at {_moment(at)}" if at else ""
    lines.append(f"  told{moment}: {', '.join(names) if names else 'nobody'}")
    return lines


def _limit(name: str) -> str:
    calendar = name.removesuffix(":closed")
    return f"only within {calendar}" if calendar != name else f"not in {name}"


def _path(node: Node) -> list[str]:
    lines = []
    for depth, step in enumerate(node.path):
        words = shown_matchers(step.route.matchers) if depth else "default"
        origin = f"  {step.route.origin}" if step.route.origin else ""
        place = f"  {step.route.span.path}:{step.route.span.line}" if step.route.span else ""
        arrow = f"  -> {node.receiver}" if step is node else ""
        lines.append(f"  {'  ' * depth}{words}{origin}{place}{arrow}")
    return lines


def _moment(at: datetime.datetime | None) -> str:
    return at.isoformat(timespec="minutes") if at else ""


def matrix_lines(
    oracle: Oracle,
    alerts: Sequence[Situation],
    at: datetime.datetime | None,
    markdown: bool = False,
    short: bool = False,
) -> list[str]:
    """Every alert and level against the receivers that any of them reaches.

    `x`: told; `-`: not at `at`; `(x)`: told only in the times of a calendar. With `short`, alerts of one system and
    severity that reach the same share a row: one alone is named, of several the number is given.
    """
    rows: list[tuple[list[str], dict[str, str]]] = []
    for situation in alerts:
        cells: dict[str, str] = {}
        for told in oracle.answer(situation.labels, at, (), situation.free).told:
            limited = told.node.route.active or told.node.route.mute
            mark = "-" if told.silenced else "(x)" if limited and not at else "x"
            if cells.get(told.receiver) != "x":
                cells[told.receiver] = mark
        rows.append(([situation.alert.system, situation.labels.get("alertname", ""), situation.severity], cells))
    if short:
        rows = _together(rows)
    used = {name for _, cells in rows for name in cells}
    receivers = [receiver.name for receiver in oracle.routing.receivers if receiver.name in used]
    table = [["system", "alerts" if short else "alert", "severity", *receivers]]
    table += [[*head, *(cells.get(name, "") for name in receivers)] for head, cells in rows]
    if markdown:
        body = [f"| {' | '.join(row)} |" for row in table]
        return [body[0], f"|{' --- |' * len(table[0])}", *body[1:]]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _together(rows: Sequence[tuple[list[str], dict[str, str]]]) -> list[tuple[list[str], dict[str, str]]]:
    groups: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[str]] = {}
    for (system, alert, severity), cells in rows:
        groups.setdefault((system, severity, tuple(sorted(cells.items()))), []).append(alert)
    return [
        ([system, names[0] if len(set(names)) == 1 else str(len(set(names))), severity], dict(cells))
        for (system, severity, cells), names in groups.items()
    ]
