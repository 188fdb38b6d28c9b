"""What somebody asks `alertkit route`: `ALERT [label=value ...]`, or labels alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic_core import PydanticCustomError

from alertkit.routing.answer import Answer, Oracle
from alertkit.routing.situations import Situation
from alertkit.source import Problems
from alertkit.spec.matchers import Match, parse_matcher
from alertkit.spec.validate import suggest

Question = tuple[dict[str, str], frozenset[str]]
"""Labels, and the names of labels whose value is not known."""


def named(name: str, alerts: Sequence[Situation], problems: Problems) -> list[Situation]:
    """The levels of `Alert` or `system/Alert`, mildest first; none is a problem."""
    system, _, alert = name.rpartition("/")
    found = [s for s in alerts if s.alert.name == alert and system in ("", s.alert.system)]
    if not found:
        known = {f"{s.alert.system}/{s.alert.name}" if system else s.alert.name for s in alerts}
        problems.add("AK523", f"there is no alert `{name}`", help=suggest(name, known))
    return found


def questions(words: Sequence[str], alerts: Sequence[Situation], problems: Problems) -> list[Question]:
    """Label sets to ask for: those of an alert, narrowed by the labels given with it, or the labels as they are."""
    if words and "=" not in words[0]:
        levels = named(words[0], alerts, problems)
        given = _pairs(words[1:], problems)
        return _narrowed(words[0], levels, given, problems) if levels and given is not None else []
    given = _pairs(words, problems)
    return [] if given is None else [(given, frozenset())]


def _narrowed(
    name: str, levels: Sequence[Situation], given: Mapping[str, str], problems: Problems
) -> list[Question]:  # fmt: skip
    fitting = [s for s in levels if all(_may_have(s, *pair) for pair in given.items())]
    if not fitting:
        for label, value in given.items():
            if any(_may_have(s, label, value) for s in levels):
                continue
            has = sorted({s.labels[label] for s in levels if label in s.labels})
            if has:
                problems.add("AK523", f"`{name}` never has {label}={value}", help=suggest(value, has))
            else:
                labels = {label for s in levels for label in (*s.labels, *s.free)}
                problems.add("AK523", f"`{name}` has no label `{label}`", help=suggest(label, labels))
            break
        else:
            problems.add("AK523", f"no level of `{name}` has all these labels", help="give fewer of them")
    return [({**s.labels, **given}, s.free - set(given)) for s in fitting]


def _may_have(situation: Situation, label: str, value: str) -> bool:
    if label in situation.free or (situation.open and label not in situation.labels):
        return True
    return situation.labels.get(label, "") == value


def _pairs(words: Sequence[str], problems: Problems) -> dict[str, str] | None:
    """`label=value` words; an empty value is a label that is not there, as in Alertmanager."""
    found: dict[str, str] = {}
    for word in words:
        match = _pair(word, problems)
        if match is None:
            return None
        if match.label in found:
            problems.add("AK506", f"the label `{match.label}` is given twice", help="keep one of them")
            return None
        found[match.label] = match.value
    return {label: value for label, value in found.items() if value}


def _pair(word: str, problems: Problems) -> Match | None:
    if "=" not in word:
        problems.add("AK506", f"`{word}` is not label=value", help="give one alert, then labels: `Alert label=value`")
        return None
    try:
        match = parse_matcher(word)
    except PydanticCustomError as error:
        help = str((error.context or {}).get("help", ""))
        problems.add("AK506", error.message().replace("a matcher", "label=value"), help=help)
        return None
    if match.op != "=":
        problems.add(
            "AK506", f"`{word}` is a matcher, and an alert's label has one value", help=f"write {match.label}=VALUE"
        )
        return None
    return match


def note(answer: Answer, oracle: Oracle, alerts: Sequence[Situation]) -> str | None:
    """What the project's own alerts say to a label set that was asked for; None when nothing.

    A label set is taken as it is, so one that leaves out a label may go elsewhere than the alerts that were meant.
    """
    fitting = [s for s in alerts if all(_may_have(s, *pair) for pair in answer.labels.items())]
    if not fitting:
        for label, value in answer.labels.items():
            if not any(_may_have(s, label, value) for s in alerts):
                known = {s.labels[label] for s in alerts if label in s.labels}
                near = f"; {suggest(value, known)}" if known else ""
                return f"no alert of this project has {label}={value}{near}"
        return "no alert of this project has all these labels"
    reached = [tuple(dict.fromkeys(oracle.router.receivers({**s.labels, **answer.labels}))) for s in fitting]
    literal = tuple(dict.fromkeys(told.receiver for told in answer.told))
    more = sorted({label for s in fitting for label in s.labels} - set(answer.labels) - {"alertname", "severity"})
    if not more or all(names == literal for names in reached):
        return None
    names = ", ".join(dict.fromkeys(name for names in reached for name in names))
    count = f"{len(fitting)} alert levels" if len(fitting) > 1 else "one alert level"
    have, reach = ("have", "reach") if len(fitting) > 1 else ("has", "reaches")
    return f"{count} of this project with these labels also {have} {', '.join(more)}, and {reach} {names}"
