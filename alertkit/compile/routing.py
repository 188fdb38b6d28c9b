"""The intermediate form of routing: what `alertmanager.yml` says, as frozen data.

All durations are whole milliseconds, all times of day minutes. A label that an alert lacks has the value "".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alertkit.source import Span
from alertkit.spec.matchers import Match
from alertkit.spec.version import OLDEST as OLDEST
from alertkit.spec.version import Version as Version

Matcher = Match
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Routable:
    """What routing needs to know of an alert.

    `levels` holds the static labels of each level's rule, mildest first, with alertname, severity, system and team;
    a value with `{{` is a template, so not known. `identity` are the labels that the series bring (None: any),
    `variables` those of the levels that tell copies of `for_each` apart.
    `heartbeat_receiver` is the one receiver of an alert that always fires.
    """

    name: str
    system: str
    levels: tuple[Mapping[str, str], ...]
    identity: tuple[str, ...] | None
    span: Span
    unless: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    active: str | None = None
    companion: bool = False
    heartbeat_receiver: str | None = None
    mute: str | None = None
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Others:
    """Alerts of which routing knows no more than their names, and the severities that they may have."""

    names: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()


NO_OTHERS = Others()


@dataclass(frozen=True, slots=True)
class Integration:
    """One entry of a receiver; `kind` is its key there (`slack_configs`), `settings` are as Alertmanager names them."""

    kind: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Receiver:
    name: str
    integrations: tuple[Integration, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree; None and () where it inherits. `origin` says in words why it is there."""

    receiver: str | None
    matchers: tuple[Matcher, ...] = ()
    routes: tuple[Route, ...] = ()
    continue_: bool = False
    group_by: tuple[str, ...] | None = None
    group_wait: int | None = None
    group_interval: int | None = None
    repeat: int | None = None
    active: tuple[str, ...] = ()
    mute: tuple[str, ...] = ()
    origin: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class InhibitRule:
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]
    origin: str
    span: Span


@dataclass(frozen=True, slots=True)
class Window:
    """Times that fit all of its parts; an empty part does not restrict. `location` None is UTC.

    `times` are [begin, end) in minutes of the day; the other ranges are inclusive, weekdays counted from Sunday as 0.
    """

    times: tuple[Range, ...] = ()
    weekdays: tuple[Range, ...] = ()
    days_of_month: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()
    location: str | None = None


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """A named set of times: those that fit any of `windows`.

    `last_year` is the last one that its holidays are known for (None: it has none).
    """

    name: str
    windows: tuple[Window, ...]
    comment: str = ""
    last_year: int | None = None


@dataclass(frozen=True, slots=True)
class Routing:
    """A whole `alertmanager.yml`; `sources` are the routing files as the user would type them.

    `templates` are the files of notification templates, relative to `alertmanager.yml`, in the order of reading.
    """

    root: Route
    receivers: tuple[Receiver, ...]
    inhibit_rules: tuple[InhibitRule, ...]
    intervals: tuple[TimeInterval, ...]
    sources: tuple[str, ...]
    templates: tuple[str, ...] = ()
    version: Version = OLDEST
