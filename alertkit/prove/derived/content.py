"""What the proofs of an alert depend on, as a hash: what has not changed is neither derived nor proven again."""

from __future__ import annotations

import marshal
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import attrgetter
from os.path import commonprefix

from alertkit.compile.claim import Scheme
from alertkit.compile.ruleset import Alert, Record, Rule, System
from alertkit.kinds.stimulus import OPAQUE
from alertkit.source.digest import digest

_NAME = re.compile(r"[\w:]+")

_of_alert = attrgetter(*[name for name in Alert._fields if name not in ("span", "notes", "rules", "claim")])
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
    prefix = commonprefix([*records])  # noqa: RUF071 - of names, not of paths
    contents = {}
    for name, alerts in found.items():
        try:
            # Version 2 has no references: equal values are equal bytes, whoever shares them.
            text = marshal.dumps([program, *map(_anywhere, alerts), _read(alerts, records, prefix)], 2)
        except (TypeError, ValueError):
            continue  # what is neither text nor number, or cannot be told from another one
        contents[name] = digest(text)
    return contents


def _anywhere(alert: Alert) -> tuple[object, ...]:
    """The alert but for its places, as texts and numbers."""
    parts = (*_of_alert(alert), [*map(_of_rule, alert.rules)])
    claim = alert.claim
    if claim is None:
        return parts
    stimulus = claim.stimulus
    names = (claim.identity, claim.fixed_labels, claim.signal, claim.missing, stimulus.gone, stimulus.leave)
    inputs = [(str(selector), extra) for selector, extra in stimulus.inputs]
    scenery = [(str(source.selector), source.extra) for source in stimulus.scenery]
    return (*parts, names, [*map(str, claim.inputs)], inputs, scenery, _shown(claim.scheme))


@lru_cache(maxsize=4096)
def _shown(scheme: Scheme) -> str:
    """How Python shows it, as a hash, where that says all of it."""
    hash(scheme.motion)  # refuses a set, whose order is another one in every process
    text = repr(scheme)
    if OPAQUE in text:
        raise ValueError(text)
    return digest(text.encode())


def _read(alerts: Iterable[Alert], records: Mapping[str, Record], prefix: str) -> list[tuple[str, str]]:
    """The records that the alerts may read, by name: those whose names they hold, and what those hold in turn.

    `prefix` is what all their names begin with: most expressions do not hold it.
    """
    read: dict[str, str] = {}
    waiting = [rule.expr for alert in alerts for rule in alert.rules] if records else []
    while waiting:
        expr = waiting.pop()
        for name in records.keys() & _NAME.findall(expr) if prefix in expr else ():
            if name not in read:
                read[name] = records[name].expr
                waiting.append(read[name])
    return sorted(read.items())
