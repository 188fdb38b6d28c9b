"""What the proofs of an alert depend on, as a hash: what has not changed is neither derived nor proven again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from operator import attrgetter

from alertkit.compile.ruleset import Alert, Record, Rule, System
from alertkit.kinds.stimulus import OPAQUE
from alertkit.source.digest import digest

_of_alert = attrgetter(*[field.name for field in fields(Alert) if field.name not in ("span", "rules")])
_of_rule = attrgetter(*[name for name in Rule._fields if name != "span"])


def contents_of(system: System, program: str) -> dict[str, str]:
    """A hash for each alert name of a system, wherever it stands in its spec; `program` is what derives the proofs.

    A name stands for all copies of `for_each`, each with its companion, and the records that they read. Alerts that
    hold what cannot be written down, such as a function of a user's own kind, have none.
    """
    found: dict[str, list[Alert]] = {}
    for alert, companion in system.with_companions():
        found.setdefault(alert.name, []).extend([alert] if companion is None else [alert, companion])
    records = {record.name: record for record in system.records}
    contents = {}
    for name, alerts in found.items():
        text = repr([*map(_anywhere, alerts), *_read(alerts, records)])
        if OPAQUE not in text:
            contents[name] = digest(program.encode(), text.encode())
    return contents


def _anywhere(alert: Alert) -> tuple[object, ...]:
    """The alert but for its places."""
    return (*_of_alert(alert), *map(_of_rule, alert.rules))


def _read(alerts: Iterable[Alert], records: Mapping[str, Record]) -> list[tuple[str, str]]:
    """The records that the alerts may read, by name: those whose names they hold, and what those hold in turn."""
    read: dict[str, str] = {}
    waiting = [rule.expr for alert in alerts for rule in alert.rules] if records else []
    while waiting:
        expr = waiting.pop()
        for name, record in records.items():
            if name not in read and name in expr:
                read[name] = record.expr
                waiting.append(record.expr)
    return sorted(read.items())
