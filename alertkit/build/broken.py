"""Spec files with mistakes: what can be told of them all the same, so that routing and tests can be checked too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from alertkit.build.inputs import spec_paths
from alertkit.source import Problems, Span, load
from alertkit.spec.duration import parse_duration
from alertkit.spec.project import Project, read_text
from alertkit.spec.root import shown_path

if TYPE_CHECKING:
    from alertkit.compile.routing import Others
    from alertkit.compile.settings import Settings


class Broken(NamedTuple):
    """A spec file with mistakes: the system and the names of alerts that it surely defines."""

    span: Span
    system: str
    alerts: frozenset[str]


def broken_file(text: str, shown: str) -> Broken | None:
    """What a file with mistakes surely defines; None where its alerts cannot be told."""
    data = _mapping(text, shown)
    system, alerts = data.get("system"), data.get("alerts")
    if not isinstance(alerts, dict):
        return None
    every = "missing" in str(data.get("defaults")) or not isinstance(data.get("defaults", {}), dict)
    watched = [name for name, raw in alerts.items() if every or not isinstance(raw, dict) or "missing" in raw]
    names = frozenset(alerts).union(f"{name}Missing" for name in watched)
    return Broken(Span(shown, 1, 1), system if isinstance(system, str) else "", names)


def others_of(broken: Sequence[Broken | None], settings: Settings) -> Others | None:
    """What routing may know of the alerts that could not be compiled; None where not all of them are known."""
    from alertkit.compile.routing import NO_OTHERS, Others

    if not broken:
        return NO_OTHERS
    names: frozenset[str] = frozenset()
    for one in broken:
        if one is None:
            return None
        names |= one.alerts
    return Others(names, frozenset(settings.severities))


class Named(NamedTuple):
    """What is known of a system, whatever mistakes its spec has.

    interval  its own evaluation interval in milliseconds (None: the default)
    alerts    names of alerts, as far as they can be read
    words     all words of the spec: what is none of them is the name of no alert
    """

    interval: int | None
    alerts: frozenset[str]
    words: frozenset[str]

    def may_have(self, alert: str) -> bool:
        """Whether an alert of that name may be there, also one that watches for missing data."""
        return alert in self.words or alert.removesuffix("Missing") in self.words


def named_systems(project: Project) -> dict[str, Named] | None:
    """All systems that the specs name; None where not all can be told."""
    if "specs" in project.doubts:
        return None
    found: dict[str, Named] = {}
    for path in spec_paths(project):
        text = read_text(path, Problems()) or ""
        data = _mapping(text, shown_path(path))
        system, alerts = data.get("system"), data.get("alerts")
        if not isinstance(system, str):
            return None
        names = frozenset(map(str, alerts)) if isinstance(alerts, dict) else frozenset[str]()
        interval = parse_duration(str(data.get("interval", "")))
        found[system] = Named(interval, names, frozenset(re.findall(r"\w+", text)))
    return found


def _mapping(text: str, shown: str) -> dict[str, Any]:
    """The keys of a file, whatever is wrong with them; none where it cannot be read."""
    document = load(text, shown, Problems(), partly=True)
    return document.data if document is not None and isinstance(document.data, dict) else {}
