"""The routing files: `alertmanager/routing.yaml`, and one more per team where a project wants it.

All `*.yaml` of the folder are read and merged: receivers, calendars and severities together, routes and inhibitions
one after the other (`routing.yaml` first, then by name). What two files define differently is a problem at both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from alertkit.source import Document, Problems, Span
from alertkit.source.yaml_files import yaml_files
from alertkit.spec.calendars import Calendar
from alertkit.spec.duration import Duration
from alertkit.spec.matchers import Match, Matchers, parse_matchers
from alertkit.spec.project import load_file
from alertkit.spec.reader import items
from alertkit.spec.receivers import INTEGRATIONS, SETTINGS, Defaults, Receiver
from alertkit.spec.salvage import Salvage, read
from alertkit.spec.synonyms import meant
from alertkit.spec.validate import Model, nearest

MAIN_FILE = "routing.yaml"


def _words(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _no_zero(value: int) -> int:
    if value == 0:
        raise PydanticCustomError("AK301", "this must be longer than 0s", {"help": "Alertmanager refuses 0s here"})
    return value


def _labels(names: list[str]) -> list[str]:
    """What a group is made of: names of labels, or `...` alone for all of them."""

    def label(name: str) -> str:
        if not name or "\n" in name or (name == "..." and len(names) > 1):
            raise PydanticCustomError(
                "AK525", "`{name}` is not a label to group by", {"name": name, "help": 'write names, or only ["..."]'}
            )
        return name

    return list(dict.fromkeys(items(names, label)))


Words = Annotated[list[str], BeforeValidator(_words)]
LabelNames = Annotated[list[str], BeforeValidator(_words), AfterValidator(_labels)]
Positive = Annotated[Duration, AfterValidator(_no_zero)]


class Timing(Model):
    """When a group is told: first after `group_wait`, of news every `group_interval`, again after `repeat`."""

    group_wait: Duration | None = None
    group_interval: Positive | None = None
    repeat: Positive | None = None


class Route(Timing):
    """Alerts that match all of `match` go to `to`; nested routes are tried first.

    `active` restricts the route to a calendar's times, `mute` silences it in them. `continue` goes on to the next
    routes of the same level.
    """

    match: Matchers = ()
    to: Words = Field(default_factory=list)
    continue_: bool = Field(default=False, alias="continue")
    group_by: LabelNames | None = None
    active: Words = Field(default_factory=list)
    mute: Words = Field(default_factory=list)
    routes: list[Route] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mutes:
    """What an inhibition silences: alerts that fit `matches` and have the labels `same` in common with the source."""

    matches: tuple[Match, ...]
    same: tuple[str, ...]


def _when(value: Any) -> tuple[Match, ...]:
    """An alert's name, a list of names, or matchers."""
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and names and all(isinstance(n, str) and _ALERT.match(n) for n in names):
        return parse_matchers({"alertname": names})
    matches = parse_matchers(value)
    if not matches:
        raise PydanticCustomError("AK506", "`when` names nothing", {"help": "write the name of an alert"})
    return matches


def _mutes(value: Any) -> Mutes:
    """`label: same` and `label: value` entries."""
    if not isinstance(value, dict) or not value:
        raise PydanticCustomError(
            "AK506", "`mutes` must be a mapping of labels", {"help": "write it like {system: same, job: same}"}
        )
    same = tuple(str(label) for label, wanted in value.items() if wanted == "same")
    rest = {label: wanted for label, wanted in value.items() if wanted != "same"}
    return Mutes(parse_matchers(rest), same)


_ALERT = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")


class Inhibition(Model):
    """While `when` fires, alerts that fit `mutes` are muted: `label: same`, or `label: value` as in a match."""

    when: Annotated[tuple[Match, ...], BeforeValidator(_when)]
    mutes: Annotated[Mutes, BeforeValidator(_mutes)]


class RoutingFile(Timing):
    """The keys of one routing file, every one optional.

    With `team`, its routes and inhibitions are about that team's alerts alone, and its `defaults` are for its own
    receivers; without, they are for all.
    """

    team: str | None = None
    insecure_inline_secrets: bool = False
    receivers: dict[str, Receiver] = Field(default_factory=dict)
    defaults: Defaults = Defaults()
    default: str | None = None
    group_by: LabelNames | None = None
    severities: dict[str, Timing] = Field(default_factory=dict)
    routes: list[Route] = Field(default_factory=list)
    calendars: dict[str, Calendar] = Field(default_factory=dict)
    inhibit: list[Inhibition] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One routing file with its places; of one with mistakes, what could be read of it."""

    file: RoutingFile
    document: Document
    reading: Salvage[RoutingFile]

    @property
    def path(self) -> str:
        return self.document.path

    def key(self, *path: str | int) -> Span:
        return self.document.key(self.reading.place(path))

    def value(self, *path: str | int) -> Span:
        return self.document.value(self.reading.place(path))

    def word(self, word: str, *path: str | int) -> Span:
        """Where a word of a list stands, which may stand there alone."""
        words = self.document.at(self.reading.place(path))
        return self.value(*path, words.index(word)) if isinstance(words, list) else self.value(*path)

    def sound(self, section: str, *path: str | int) -> bool:
        """Whether all that the file says there could be read."""
        return self.reading.sound(section, *path) and (bool(path) or section not in self.reading.doubts)

    def doubted_settings(self, *path: str) -> frozenset[str] | None:
        """Settings of integrations at a path of which it is not known what they say; None: any."""
        if path[0] in self.reading.doubts and not any(cut[0] == path[0] for cut in self.reading.cuts):
            return None
        found: set[str] = set()
        for cut in self.reading.cuts:
            if cut[: len(path)] == path[: len(cut)]:
                key = cut[-1]
                if len(cut) <= len(path) or not isinstance(key, str) or key in INTEGRATIONS:
                    return None
                words = {key} if key in SETTINGS else {nearest(key, SETTINGS), meant(key, SETTINGS)} - {None}
                if not words:
                    return None
                for word in words:
                    base = str(word).removesuffix("_file")
                    found |= {base, f"{base}_file"}  # a secret and the file that holds it stand for each other
        return frozenset(found)

    def names(self, section: str) -> tuple[str, ...] | None:
        """What a section defines, also with mistakes, in its order; None where that is not known."""
        given = self.document.data.get(section, {}) if isinstance(self.document.data, dict) else None
        if not isinstance(given, dict) or (section in self.reading.doubts and section not in self.document.data):
            return None
        return tuple(given)


def all_names(files: Iterable[Loaded], section: str) -> frozenset[str] | None:
    """What a section defines in all files together; None where that is not known."""
    found: frozenset[str] = frozenset()
    for loaded in files:
        names = loaded.names(section)
        if names is None:
            return None
        found |= frozenset(names)
    return found


def routing_paths(folder: Path) -> list[Path]:
    """The routing files of a project's `alertmanager/` folder in the order in which they are merged."""
    return sorted(yaml_files(folder), key=lambda path: path.name != MAIN_FILE)


def read_routing(folder: Path, problems: Problems) -> list[Loaded]:
    """Read and check the routing files one by one; problems are added, and what could be read is returned."""
    documents = (load_file(path, problems, partly=True) for path in routing_paths(folder))
    return [loaded for document in documents if document and (loaded := load_routing(document, problems))]


def load_routing(document: Document, problems: Problems) -> Loaded | None:
    """Check one routing file; on mistakes add problems. None where nothing of it can be read."""
    data = document.data
    if isinstance(data, dict) and "route" in data and isinstance(data.get("receivers"), list):
        problems.add(
            "AK203", "this is a configuration of Alertmanager itself", document.key(("route",)),
            "write `receivers:`, `default:` and `routes:` as docs/routing.md shows; alertkit makes this file from them",
        )  # fmt: skip
        return None
    insecure = isinstance(data, dict) and data.get("insecure_inline_secrets") is True
    reading = read(RoutingFile, document, (), data, problems, {"insecure_inline_secrets": insecure})
    file = reading.value
    if file is None:
        return None
    own = Loaded(file, document, reading)
    return own if file.team is None else replace(own, file=_of_team(file, file.team, document, problems))


def _of_team(file: RoutingFile, team: str, document: Document, problems: Problems) -> RoutingFile:
    """The file with each route and inhibition limited to its team's alerts."""
    for key in ("default", "group_by", "group_wait", "group_interval", "repeat"):
        if key in file.model_fields_set:
            problems.add(
                "AK526", f"`{key}` would hold for everybody, and this file is of the team `{team}`",
                document.key((key,)),
                "end `routes:` with one without `match:`, which takes the rest of the team's alerts",
            )  # fmt: skip
    own = Match("team", "=", team)
    routes = [route.model_copy(update={"match": (own, *route.match)}) for route in file.routes]
    inhibit = [
        entry.model_copy(update={"mutes": Mutes((own, *entry.mutes.matches), entry.mutes.same)})
        for entry in file.inhibit
    ]
    return file.model_copy(update={"routes": routes, "inhibit": inhibit})


def conflicts(files: Sequence[Loaded], problems: Problems) -> None:
    """Report what two files define, at each place: receivers, calendars, severities, single keys that differ."""
    for section in ("receivers", "calendars", "severities"):
        places: dict[str, list[Span]] = {}
        for loaded in files:
            for name in loaded.names(section) or ():
                places.setdefault(name, []).append(loaded.key(section, name))
        for name, spans in places.items():
            _at_each(
                spans, f"the {_SINGULAR[section]} `{name}` is defined in {len(spans)} files",
                "rename one of them, or remove it", problems,
            )  # fmt: skip
    for key in ("default", "group_by", "group_wait", "group_interval", "repeat", "defaults"):
        # A team's own `defaults` are for its own receivers; the other keys it may not have at all.
        given = [loaded for loaded in files if key in loaded.file.model_fields_set and loaded.file.team is None]
        given = [loaded for loaded in given if loaded.sound(key)]
        if any(getattr(loaded.file, key) != getattr(given[0].file, key) for loaded in given):
            spans = [loaded.key(key) for loaded in given]
            _at_each(spans, f"`{key}` is set differently in {len(spans)} files", "keep one of them", problems)


def _at_each(spans: Sequence[Span], message: str, help: str, problems: Problems) -> None:
    """A problem at each of several places, which names the others."""
    for span in spans if len(spans) > 1 else ():
        others = ", ".join(str(other) for other in spans if other is not span)
        problems.add("AK501", message, span, f"also at {others}; {help}")


_SINGULAR = {"receivers": "receiver", "calendars": "calendar", "severities": "severity"}


def walk(routes: Sequence[Route], *path: str | int) -> Iterator[tuple[Route, tuple[str | int, ...]]]:
    """All routes with their paths in the file, depth first."""
    for index, route in enumerate(routes):
        here = (*path, index)
        yield route, here
        yield from walk(route.routes, *here, "routes")


def name_problems(files: Sequence[Loaded], problems: Problems) -> None:
    """Names of receivers and calendars that could not be told apart from generated ones or drawn on one line."""
    for loaded in files:
        for section in ("receivers", "calendars"):
            for name in loaded.names(section) or ():
                if not _NAME.match(name):
                    problems.add(
                        "AK201", f"`{name}` is not a name for a {_SINGULAR[section]}", loaded.key(section, name),
                        "use letters, digits, `-`, `_` and `.`",
                    )  # fmt: skip


_NAME = re.compile(r"[\w.-]+\Z")
