"""`notified:` expectations of the scenarios in `promtool_tests/*.yaml`.

`notified: {Alert: [receiver, ...]}` stands in a scenario's `expect`; a key may carry labels:
`Alert{severity="critical"}`, and `nobody` stands for no receiver.

    when  = "notified" ["at" TIME [ZONE]] ["while" alert {"and" alert}]
    alert = [SYSTEM "/"] NAME ["{" LABEL="VALUE" ... "}"]
"""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import PydanticCustomError

from alertkit.routing.check import Expectation
from alertkit.source import Document, Problems, Span
from alertkit.source.yaml_files import yaml_files
from alertkit.spec.matchers import parse_matcher
from alertkit.spec.project import load_file

NOBODY = "nobody"
_ALERT = r'(?:([\w.-]+)/)?([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?'
_KEY = re.compile(rf"\s*{_ALERT}\s*\Z", re.DOTALL)
_LABEL = re.compile(r'[^,"]*"(?:[^"\\]|\\.)*"|[^,]+')
_WHEN = re.compile(r"notified(?:\s+at\s+(?P<at>(?:(?!\swhile\s).)+?))?(?:\s+while\s+(?P<firing>.+))?\s*\Z", re.DOTALL)
_AND = re.compile(r"\s+and\s+")
MOMENT_HELP = "write it like 2026-12-25T15:00-05:00, or with a zone: 2026-12-25T15:00 America/New_York"
_FORMS = "write `notified`, `notified at 2026-12-25T15:00-05:00` or `notified while ALERT`"


def is_notified(key: str) -> bool:
    """Whether a key of `expect` is about who is notified."""
    return key.split()[:1] == ["notified"]


def read_expectations(folder: Path, problems: Problems) -> list[Expectation]:
    """All expectations of a folder of scenario files; plain promtool tests have none."""
    found: list[Expectation] = []
    for path in yaml_files(folder):
        document = load_file(path, problems)
        if document and isinstance(document.data, dict) and isinstance(document.data.get("scenarios"), dict):
            found += expectations_of(document, problems)
    return found


def expectations_of(document: Document, problems: Problems, only: str | None = None) -> Iterator[Expectation]:
    """The expectations of one scenario file, or of the scenario `only` in it."""
    system = str(document.data.get("system") or "")
    for name, scenario in document.data["scenarios"].items():
        expect = scenario.get("expect") if isinstance(scenario, dict) and only in (None, name) else None
        for key in expect if isinstance(expect, dict) else ():
            if is_notified(str(key)):
                yield from _entries(document, ("scenarios", name, "expect", key), system, problems)


def _entries(
    document: Document, base: tuple[str | int, ...], system: str, problems: Problems
) -> Iterator[Expectation]:  # fmt: skip
    when = _when(str(base[-1]), document, base, system, problems)
    notified = document.data
    for part in base:
        notified = notified[part]
    if not isinstance(notified, dict) or not notified:
        problems.add(
            "AK524", f"`{base[-1]}` must be a mapping of alert to receivers", document.value(base),
            "write it like {HighErrorRate: [team-slack]}",
        )  # fmt: skip
        return
    for key, receivers in notified.items():
        labels = read_alert(str(key), system)
        names = [receivers] if isinstance(receivers, str) else receivers
        if labels is None or not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            problems.add(
                "AK524", f"`{key}` is not an expectation of who is notified", document.key((*base, key)),
                'write it like Alert: [receiver], Alert{severity="critical"}: [receiver] or Alert: nobody',
            )  # fmt: skip
        elif when is not None:
            told = () if names == [NOBODY] else tuple(names)
            words = " ".join(str(base[-1]).split())
            yield Expectation(labels, told, document.key((*base, key)), when.at, when.firing, words)


@dataclass(frozen=True, slots=True)
class _When:
    at: datetime.datetime | None
    firing: tuple[Mapping[str, str], ...]


def _when(
    key: str, document: Document, path: tuple[str | int, ...], system: str, problems: Problems
) -> _When | None:  # fmt: skip
    """What follows `notified` in a key."""
    found = _WHEN.match(key)
    if found is None:
        problems.add("AK524", f"`{key}` does not say when", document.key(path), _FORMS)
        return None
    at = None
    if found["at"]:
        try:
            at = moment(found["at"])
        except ValueError as error:
            problems.add(
                "AK524", str(error), _part(document, path, key, found.start("at"), found["at"]),
                MOMENT_HELP,
            )  # fmt: skip
            return None
    firing, start = [], found.start("firing")
    for text in _split(found["firing"] or ""):
        start = key.index(text, start)
        labels = read_alert(text, system)
        if labels is None:
            problems.add(
                "AK524", f"`{text}` is not an alert", _part(document, path, key, start, text),
                'write it like Alert, Alert{job="api"} or system/Alert; several with `and` between them',
            )  # fmt: skip
            return None
        firing.append(labels)
    return _When(at, tuple(firing))


def moment(text: str) -> datetime.datetime:
    """An aware moment of an ISO 8601 text, in UTC if it names no offset and no zone; ValueError says what is wrong."""
    time, _, zone = text.strip().partition(" ")
    if zone and re.match(r"\d", zone):  # a blank between date and time
        clock, _, zone = zone.strip().partition(" ")
        time = f"{time}T{clock}"
    try:
        at = datetime.datetime.fromisoformat(time)
    except ValueError:
        raise ValueError(f"`{text}` is not a time") from None
    if at.tzinfo is not None and zone:
        raise ValueError(f"`{text}` has both an offset and a zone")
    try:
        where = zoneinfo.ZoneInfo(zone.strip()) if zone else datetime.UTC
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"`{zone.strip()}` is not a time zone") from None
    return at if at.tzinfo else at.replace(tzinfo=where)


def _split(text: str) -> Iterator[str]:
    """The alerts of `A and B{x="y and z"}`."""
    at = begin = 0
    while at < len(text):
        quoted = re.compile(r'\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}').match(text, at)
        both = _AND.match(text, at)
        if quoted:
            at = quoted.end()
        elif both:
            yield text[begin:at].strip()
            at = begin = both.end()
        else:
            at += 1
    if text[begin:].strip():
        yield text[begin:].strip()


def _part(document: Document, path: tuple[str | int, ...], key: str, offset: int, text: str) -> Span:
    """Where a part of a key stands."""
    whole = document.key(path)
    drawn = document.text.split("\n")[whole.line - 1][whole.column - 1 :]
    inside = drawn.find(text, offset)
    return whole if inside < 0 else Span(whole.path, whole.line, whole.column + inside, len(text))


def read_alert(text: str, system: str) -> dict[str, str] | None:
    """The labels of `Alert`, `system/Alert` or `Alert{label="value"}`; None when it is none of them."""
    found = _KEY.match(text)
    if not found:
        return None
    of = found[1] or system
    labels = {"alertname": found[2]} | ({"system": of} if of else {})
    for part in _LABEL.findall(found[3] or ""):
        if part.strip():
            try:
                matcher = parse_matcher(part)
            except PydanticCustomError:
                return None
            if matcher.op != "=":
                return None
            labels[matcher.label] = matcher.value
    return labels
