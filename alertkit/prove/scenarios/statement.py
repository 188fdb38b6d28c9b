"""What a scenario expects, one line at a time: `CircuitBreakerOpen{severity="critical"} fires`, `nothing fires`.

    statement = "nothing fires" | "nothing else fires" | alert state ["with" ANNOTATION TEXT {"," ANNOTATION TEXT}]
    alert     = NAME ["{" matchers "}"]
    state     = "fires" | "is pending" | "is silent" | "is inactive"

`is silent` means not firing, `is inactive` not pending either. As a mapping: `alert:` or `exactly:` with `labels` and
`annotations`, and `is:` for the state. All but `exactly` compare only what is named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alertkit.source import Document, Problems, Span
from alertkit.spec.selector import METRIC_NAME, Matcher, SelectorError, parse_matchers
from alertkit.spec.validate import suggest

FIRES, PENDING, SILENT, INACTIVE, EXACTLY = "fires", "is pending", "is silent", "is inactive", "exactly"
NOTHING, NOTHING_ELSE = "nothing fires", "nothing else fires"
_STATES = {
    FIRES: FIRES, "is firing": FIRES, "fire": FIRES, PENDING: PENDING, SILENT: SILENT, "does not fire": SILENT,
    INACTIVE: INACTIVE,
}  # fmt: skip
_WORDS = {"fires": FIRES, "firing": FIRES, "pending": PENDING, "silent": SILENT, "inactive": INACTIVE}
_NAME = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*")
_BRACES = re.compile(r"""\{((?:[^"'}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*)\}""")
_TEXT = re.compile(r"""\s*([a-zA-Z_][a-zA-Z0-9_]*)\s+("(?:[^"\\]|\\.)*"|'[^']*')\s*(,|\Z)""")
_HELP = 'write `Alert fires`, `Alert{label="value"} is pending`, `Alert is silent` or `nothing fires`'


@dataclass(frozen=True, slots=True)
class Statement:
    """One expectation, at every evaluation from `begin` to `end` (milliseconds).

    `labels` are those of `exactly`, `matchers` of everything else; `text` is what the user wrote, `when` likewise.
    """

    state: str
    alert: str
    matchers: tuple[Matcher, ...]
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    begin: int
    end: int
    when: str
    text: str
    span: Span
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class When:
    """A key of `expect`: `at 6m` or `from 8m to 15m`."""

    begin: int
    end: int
    text: str


class _BadError(Exception):
    def __init__(self, message: str, offset: int, length: int, help: str = _HELP) -> None:
        super().__init__(message)
        self.message, self.offset, self.length, self.help = message, offset, length, help


def read_statements(
    document: Document, path: Sequence[str | int], when: When, data: Any, problems: Problems
) -> list[Statement]:
    """What stands at one key of `expect`: one statement or a list of them."""
    entries = [((*path, i), entry) for i, entry in enumerate(data)] if isinstance(data, list) else [((*path,), data)]
    if not entries:
        problems.add("AK817", "nothing is expected here", document.key(path), _HELP)
    found = []
    for place, entry in entries:
        statement = None
        if isinstance(entry, str):
            try:
                statement = _parsed(entry, when, document.value(place), place)
            except _BadError as bad:
                problems.add("AK817", bad.message, document.within(place, bad.offset, bad.length), bad.help)
        elif isinstance(entry, dict):
            statement = _mapped(document, place, entry, when, problems)
        else:
            problems.add("AK817", "this is no expectation", document.value(place), _HELP)
        if statement is not None:
            found.append(statement)
    return found


def _parsed(text: str, when: When, span: Span, path: tuple[str | int, ...]) -> Statement:
    words = " ".join(text.split())
    if words in (NOTHING, NOTHING_ELSE):
        return Statement(words, "", (), (), (), when.begin, when.end, when.text, words, span, path)
    match = _NAME.match(text)
    if match is None:
        raise _BadError(f"`{text[:40]}` is no expectation", 0, len(text))
    name, at = match[1], match.end()
    if name == "nothing":
        raise _BadError(f"`{text[:40]}` is no expectation", 0, len(text), suggest(words, [NOTHING, NOTHING_ELSE]))
    matchers: tuple[Matcher, ...] = ()
    if text[at : at + 1] == "{":
        braces = _BRACES.match(text, at)
        if braces is None:
            raise _BadError("the `{` is not closed", at, 1)
        try:
            matchers = parse_matchers(braces[1], at + 1)
        except SelectorError as error:
            raise _BadError(str(error), error.offset, 1, 'write labels like {exchange="binance"}') from None
        at = braces.end()
    rest = text[at:]
    state_text, with_, texts = rest.partition(" with ")
    state = _STATES.get(" ".join(state_text.split()))
    if state is None:
        begin = at + len(rest) - len(rest.lstrip())
        shown = state_text.strip()
        if not shown:
            raise _BadError(f"`{name}` does what?", 0, len(text.rstrip()))
        raise _BadError(f"`{shown[:40]}` is nothing that an alert does", begin, len(shown), suggest(shown, [*_STATES]))
    annotations = _texts(texts, at + len(state_text) + len(with_)) if with_ else ()
    if annotations and state != FIRES:
        raise _BadError("only an alert that fires has annotations", at, len(rest.rstrip()), "write `fires with ...`")
    return Statement(state, name, matchers, (), annotations, when.begin, when.end, when.text, words, span, path)


def _texts(text: str, base: int) -> tuple[tuple[str, str], ...]:
    found = []
    at = 0
    while at < len(text):
        match = _TEXT.match(text, at)
        if match is None:
            raise _BadError("expected annotations", base + at, len(text) - at, 'write them like: with summary "..."')
        value = match[2][1:-1]
        found.append((match[1], re.sub(r"\\(.)", r"\1", value) if match[2][0] == '"' else value))
        at = match.end()
    return tuple(found)


def _mapped(
    document: Document, path: tuple[str | int, ...], entry: dict[str, Any], when: When, problems: Problems
) -> Statement | None:
    known = ("alert", "exactly", "is", "labels", "annotations")
    before = len(problems)
    for key in entry:
        if key not in known:
            problems.add("AK201", f"unknown key `{key}`", document.key((*path, key)), suggest(key, known))
    exact = "exactly" in entry
    name = entry.get("exactly", entry.get("alert"))
    if ("alert" in entry) == exact:
        problems.add(
            "AK817", "say one of `alert` and `exactly`", document.key(path),
            "`alert` compares what is named, `exactly` all labels and annotations",
        )  # fmt: skip
    elif not isinstance(name, str) or not METRIC_NAME.match(name):
        where = "exactly" if exact else "alert"
        problems.add("AK817", "this is no name of an alert", document.value((*path, where)), "write its name alone")
    word = entry.get("is", "fires")
    state = _WORDS.get(str(word), _STATES.get(str(word)))
    if state is None:
        place = document.value((*path, "is"))
        problems.add("AK817", f"`{word}` is nothing that an alert is", place, suggest(str(word), [*_WORDS]))
    labels = _pairs(document, path, entry, "labels", problems)
    annotations = _pairs(document, path, entry, "annotations", problems)
    if state != FIRES and (exact or annotations) and len(problems) == before:
        problems.add(
            "AK817", "only an alert that fires has annotations", document.value((*path, "is")), "leave out `is:`"
        )
    if len(problems) > before or not isinstance(name, str) or state is None:
        return None
    shown = f"exactly {name}" if exact else f"{name}{_braces(labels)} {state}"
    return Statement(
        EXACTLY if exact else state, name, tuple(Matcher(*pair) for pair in _equal(labels)),
        labels if exact else (), annotations, when.begin, when.end, when.text, shown, document.key(path), path,
    )  # fmt: skip


def _equal(labels: tuple[tuple[str, str], ...]) -> list[tuple[str, str, str]]:
    return [(name, "=", value) for name, value in labels]


def _braces(labels: tuple[tuple[str, str], ...]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""


def _pairs(
    document: Document, path: tuple[str | int, ...], entry: dict[str, Any], key: str, problems: Problems
) -> tuple[tuple[str, str], ...]:
    data = entry.get(key, {})
    if not isinstance(data, dict):
        problems.add("AK203", "expected a mapping", document.value((*path, key)), f"write `{key}: {{name: value}}`")
        return ()
    found = []
    for name, value in data.items():
        if isinstance(value, (dict, list, bool)) or value is None:
            problems.add(
                "AK203", "expected text", document.value((*path, key, name)), "write text, in quotes if need be"
            )
        else:
            found.append((str(name), value if isinstance(value, str) else str(value)))
    return tuple(found)
