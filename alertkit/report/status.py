"""What `alertkit status` found, as a table for people: what all servers share is said once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from alertkit.deploy.status import BAD, FIRING, OK, PENDING, WARN, Row, group_text
from alertkit.source.problem import Style

_MANY_GROUPS = 20
_GRAVEST_FIRST = ("critical", "warning", "info")


def merged(rows: Sequence[Row], servers: Collection[str]) -> list[Row]:
    """One row for what all of these servers (URLs) agree on; where they differ, a row for each."""
    alike: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in rows:
        alike.setdefault(_said(row), {}).setdefault(row.where, row)
    found: list[Row] = []
    for places in alike.values():
        if len(servers) > 1 and set(places) == set(servers):
            found.append(_together(list(places.values())))
        else:
            found += places.values()
    return found


def _said(row: Row) -> tuple[str, str, str]:
    """What a row says, wherever; how long a group takes is never the same."""
    return row.check, row.state, row.details["group"] if row.check == "group" else row.text


def _together(rows: Sequence[Row]) -> Row:
    first = rows[0]
    text = first.text
    if first.check == "group":
        took = [row.details["took_ms"] for row in rows]
        text = group_text(first.details["group"], first.details["rules"], took, first.details["interval_ms"])
    return replace(first, where="both servers" if len(rows) == 2 else f"all {len(rows)} servers", text=text)


def status_lines(
    rows: Sequence[Row], servers: Collection[str], environment: str, style: Style, verbose: bool = False
) -> Iterator[str]:
    """Lines for a terminal; `verbose` also lists what is fine and of no interest."""
    listed = merged(rows, servers)
    groups = [row for row in listed if row.check == "group"]
    many = len(groups) > _MANY_GROUPS
    shown = [
        row for row in listed
        if verbose or row.state != OK or not (row.check == "secret" or (many and row.check == "group"))
    ]  # fmt: skip
    alerts = sorted((row for row in shown if row.check == "alert"), key=_gravity)
    rest = [row for row in shown if row.check != "alert"]
    colours = {BAD: style.error, WARN: style.bold, FIRING: style.error, PENDING: style.bold}
    check = max((len(row.check) for row in shown), default=0)
    where = max((len(row.where) for row in shown), default=0)
    for row in [*rest, *alerts]:
        mark = f"{colours.get(row.state, '')}{row.state:<7}{style.reset if row.state in colours else ''}"
        yield f"{mark}  {row.check:<{check}}  {row.where:<{where}}  {row.text}"
    if many and not verbose:
        yield f"{sum(row.state == OK for row in groups)} groups are evaluated in time; -v lists them"
    counts = {word: sum(row.state == word for row in listed) for word in (BAD, WARN, FIRING, PENDING)}
    said = [f"{counts[BAD]} bad", f"{counts[WARN]} to look at"]
    said += [f"{counts[word]} alert{'s' * (counts[word] != 1)} {word}" for word in (FIRING, PENDING) if counts[word]]
    yield f"{environment}: {', '.join(said)}"


def _gravity(row: Row) -> tuple[object, ...]:
    severity = row.details["severity"]
    order = _GRAVEST_FIRST.index(severity) if severity in _GRAVEST_FIRST else len(_GRAVEST_FIRST)
    return row.state != FIRING, order, row.details["group"], row.text
