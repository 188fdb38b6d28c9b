"""The intermediate form between specs and files: frozen data that every later layer reads and none changes.

All durations are whole milliseconds. Labels and annotations are tuples of pairs in the order in which they are
written to files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from alertkit.source import Span

if TYPE_CHECKING:
    from alertkit.compile.claim import Claim

Pairs = tuple[tuple[str, str], ...]


class Record(NamedTuple):
    """A recording rule."""

    name: str
    expr: str
    span: Span


class Rule(NamedTuple):
    """An alerting rule as Prometheus has it; `labels` are the rule's own, templates unexpanded."""

    alert: str
    expr: str
    for_: int
    keep_firing_for: int
    labels: Pairs
    annotations: Pairs
    span: Span

    @property
    def severity(self) -> str:
        for name, value in self.labels:
            if name == "severity":
                return value
        return ""


class Alert(NamedTuple):
    """What a user wants to be told: one spec entry, compiled to one rule for each severity level.

    `rules` run from the mildest level to the gravest. `identity` are the labels that tell one firing instance
    from another (None: not known, an `expr` whose result may carry any label), beside `variables`: those of `for_each`,
    which are labels of the rules and tell copies apart. `unless` names alerts of the same system that explain this one
    away; `notify` receivers that are told beside those the routes choose; `active` a calendar outside which the alert
    is muted, `mute` one inside which it is. `heartbeat` is the receiver of an alert that always fires. `claim` is what
    the proofs are made from (None: nothing to derive, and `unproven` says why). `notes` say what its author should know
    though it may be right, each with its place.
    """

    name: str
    system: str
    rules: tuple[Rule, ...]
    identity: tuple[str, ...] | None
    span: Span
    variables: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    active: str | None = None
    mute: str | None = None
    companion: bool = False
    heartbeat: str | None = None
    unproven: str = ""
    notes: tuple[str, ...] = ()
    claim: Claim | None = None


class System(NamedTuple):
    """One spec file: one rule group named `name`, records before alerts."""

    name: str
    team: str
    path: str
    interval: int | None
    records: tuple[Record, ...]
    alerts: tuple[Alert, ...]

    def with_companions(self) -> list[tuple[Alert, Alert | None]]:
        """Each alert with the companion that watches over its data; it follows its alert, and copies share names."""
        following = [*self.alerts[1:], None][: len(self.alerts)]
        return [
            (alert, after if after is not None and after.companion else None)
            for alert, after in zip(self.alerts, following, strict=True)
            if not alert.companion
        ]
