"""Two mistakes in one file are told like each alone: neither hides the other, and together they make no third."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from alertkit.compile.route_tree import draft_routing
from alertkit.compile.settings import Settings
from alertkit.compile.system import compile_system
from alertkit.kinds import Registry
from alertkit.kinds.own_file import read_kinds
from alertkit.source import Problems, load
from alertkit.spec.routing import load_routing
from tests.routing.helpers import alert

SPECS = sorted((Path(__file__).parent.parent / "rules_src").glob("*.yaml"))
# ALERTKIT_FUZZ=3000 tries more.
PAIRS = int(os.environ.get("ALERTKIT_FUZZ", "60"))

# Each of the same length as what it replaces, so that all mistakes stay where they are.
SLIPS = [
    (r"^    (for|severity|window|above|below|summary|description|unless|notify|active|runbook):", "key"),
    (r"(?<=[: ])\d+(m|h|s|%|ms|MB|min)\b", "value"),
    (r"(?<=severity: )\w+", "name"),
    (r"\b(warning|critical)(?=: )", "name"),
    (r"(?<=unless: )\w+", "name"),
    (r"(?<=\$labels\.)\w+", "name"),
    (r"(?<=<< )\w+(?= >>)", "name"),
    (r"\{\{(?= )", "value"),
    (r"(?<=kind: )\w+", "name"),
]
# What decides which labels an alert has, or may be meant to: with that in doubt, nobody knows what else is wrong.
DECISIVE = [
    (
        r"^    (by|where|metric|counter|histogram|bad|good|total|for_each|expr|up|job|timestamp|current|peak|gate):",
        "key",
    ),
    (r"^    ([a-z_]+):", "lost"),
    (r"^(team|defaults|labels|runbooks|interval):", "key"),
    (r"^  (\w+):", "key"),
    (r"(?<=: )[a-z_]{4,}$", "hole"),
    (r"(?<=[: ])\[(?=\w)", "hole"),
    (r"(?<=: )[\"'\[{](?=\w)", "syntax"),
]


Slip = tuple[int, int, str]
Told = set[tuple[str, str, str]]


def slips(text: str, patterns: list[tuple[str, str]]) -> list[Slip]:
    """(line, begin, what stands there after the slip) in the text."""
    found = []
    for number, line in enumerate(text.split("\n")):
        if line.lstrip().startswith("#"):
            continue
        for pattern, what in patterns:
            for match in re.finditer(pattern, line):
                word = match[0]
                if what == "key":
                    word = match[0].replace(match[1], match[1][:-2] + match[1][-1] + match[1][-2])
                elif what == "lost":
                    word = match[0].replace(match[1], match[1][::-1])
                elif what == "hole":
                    word = "{" + "x" * (len(word) - 1) if len(word) == 1 else "5" * len(word)
                elif what == "syntax":
                    word = "]"
                elif what == "name":
                    word = word[:-1] + ("y" if word[-1] != "y" else "z")
                else:
                    word = word[:-1] + ("(" if word[0] == "{" else "q")
                found.append((number, match.start(), word))
    return found


def slipped(text: str, *chosen: Slip) -> str:
    lines = text.split("\n")
    for number, begin, word in chosen:
        lines[number] = lines[number][:begin] + word + lines[number][begin + len(word) :]
    return "\n".join(lines)


@cache
def registry() -> Registry:
    return read_kinds(SPECS[0].parent / "kinds", Problems())


def told(text: str) -> Told:
    problems = Problems()
    document = load(text, "a.yaml", problems, partly=True)
    if document is not None:
        compile_system(document, "a.yaml", registry(), Settings(), problems)
    return {(problem.code, str(problem.span), problem.message) for problem in problems}


ROUTING = """\
defaults:
  slack: {webhook_file: /etc/slack}
  pagerduty: {component: desk}
severities:
  page: {group_wait: 5s, repeat: 1h}
receivers:
  chat: {slack: {channel: "#chat"}}
  oncall:
    slack: {channel: "#oncall", send_resolved: true}
    pagerduty: {routing_key_file: /etc/pager}
  mail:
    email: {to: a@example.com, from: b@example.com, smarthost: mail.example.com:587}
  hook: {webhook: {url: "https://hooks.example.com/in", max_alerts: 5}}
default: chat
group_by: [system, alertname]
group_wait: 30s
routes:
  - match: {team: trading}
    to: [chat, mail]
    routes:
      - {match: {severity: critical}, to: oncall, active: office}
      - {match: {severity: info}, to: hook, mute: lunch}
  - match: {severity: page}
    to: oncall
    repeat: 2h
calendars:
  office: {weekdays: "mon:fri", times: "09:00-18:00", timezone: Europe/Berlin}
  lunch: {times: "12:00-13:00"}
inhibit:
  - when: HostDown
    mutes: {system: same, instance: same}
  - when: {alertname: Slow}
    mutes: {system: same, alertname: Slow}
"""
ROUTING_SLIPS = [
    (r"(?<=to: )\w+", "name"),
    (r"(?<=default: )\w+", "name"),
    (r"(?<=to: \[)\w+(?=, )", "name"),
    (r"(?<=active: )\w+", "name"),
    (r"(?<=mute: )\w+", "name"),
    (r"(?<=when: )\w+", "name"),
    (r"(?<=alertname: )\w+", "name"),
    (r"(?<=severity: )\w+", "name"),
    (r"(?<=[: ])\d+(s|m|h)\b", "value"),
    (r"(?<=channel: )\"#", "value"),
    (r"(?<=weekdays: \")\w+", "name"),
    (r"(?<=\{)(match|times|weekdays):", "key"),
]
ROUTING_DECISIVE = [
    (r"^(\w+):", "key"),
    (r"^(\w+):", "lost"),
    (r"^  (\w+):", "key"),
    (r"^  - (\w+):", "key"),
    (r"^    (\w+):", "key"),
    (r"(?<=[{ ])(\w+):", "key"),
    (r"(?<=: )\w+$", "hole"),
    (r"(?<=[: ])\{", "hole"),
    (r"(?<=[: ])[\"\[{]", "syntax"),
]
ALERTS = [alert(name, "info", "critical", team="trading", identity=("instance",)) for name in ("HostDown", "Slow")]


def told_of_routing(text: str) -> Told:
    problems = Problems()
    document = load(text, "routing.yaml", problems, partly=True)
    loaded = document and load_routing(document, problems)
    if loaded:
        draft_routing([loaded], ALERTS, problems)
    return {(problem.code, str(problem.span), problem.message) for problem in problems}


def test_two_mistakes_in_the_routing_are_told_like_each_alone() -> None:
    assert told_of_routing(ROUTING) == set()
    for first, second, both, each in pairs(ROUTING, ROUTING_SLIPS, told_of_routing):
        assert both == each, (first, second)


def test_two_mistakes_in_the_routing_make_no_third() -> None:
    for first, second, both, each in pairs(ROUTING, ROUTING_SLIPS + ROUTING_DECISIVE, told_of_routing):
        places = {(code, place) for code, place, _ in each}
        assert {(code, place) for code, place, _ in both} <= places, (first, second)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_two_mistakes_are_told_like_each_alone(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert told(text) == set()
    for first, second, both, each in pairs(text, SLIPS):
        assert both == each, (first, second)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_two_mistakes_make_no_third(path: Path) -> None:
    for first, second, both, each in pairs(path.read_text(encoding="utf-8"), SLIPS + DECISIVE):
        # The words differ where an alert's name or the variables that it offers do.
        places = {(code, place) for code, place, _ in each}
        assert {(code, place) for code, place, _ in both} <= places, (first, second)


def pairs(
    text: str, patterns: list[tuple[str, str]], told: Callable[[str], Told] = told
) -> Iterator[tuple[Slip, Slip, Told, Told]]:
    """Two slips beside each other, what is told of both at once, and what of one and the other."""
    every = slips(text, patterns)
    alone = cache(lambda slip: told(slipped(text, slip)))
    draw = random.Random(len(text))
    for _ in range(PAIRS):
        first = draw.choice(every)
        second = draw.choice([slip for slip in every if 0 < abs(slip[0] - first[0]) <= 8] or [first])
        yield first, second, told(slipped(text, first, second)), alone(first) | alone(second)
