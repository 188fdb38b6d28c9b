"""What happened in a scenario instead of what was expected."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from alertkit.prove.running.output import FileVerdict
from alertkit.prove.running.words import Alerts, compare
from alertkit.prove.scenarios.reads import holds
from alertkit.prove.scenarios.statement import EXACTLY, FIRES, INACTIVE, NOTHING, NOTHING_ELSE, PENDING, Statement
from alertkit.spec.duration import format_duration

_SAMPLE = re.compile(r'(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}) 1E\+00')
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
MOST = 6


@dataclass(slots=True)
class Reading:
    """What promtool got: by time all alerts with their `alertstate`; by alert and time the texts of those that fire."""

    states: dict[int, list[dict[str, str]]] = field(default_factory=dict)
    texts: dict[tuple[str, int], Alerts] = field(default_factory=dict)


def read(verdict: FileVerdict) -> Reading:
    """From the output of a file of `Prepared.reading`."""
    reading = Reading()
    for failure in verdict.failures:
        if not failure.expr:
            reading.texts[failure.alert, failure.time] = failure.alerts("got")
            continue
        got = next((line.strip() for line in failure.lines if line.strip().startswith("got:")), "")
        reading.states[failure.time] = [
            {name: re.sub(r"\\(.)", r"\1", value) for name, value in _PAIR.findall(sample) if name != "__name__"}
            for sample in _SAMPLE.findall(got)
        ]
    return reading


def wrong_texts(statement: Statement, time: int, reading: Reading) -> list[str]:
    """How the annotations of a statement's alert differ; nothing when they are as expected."""
    fitting = [
        (labels, texts) for labels, texts in reading.texts.get((statement.alert, time), []) if _fits(statement, labels)
    ]
    wanted = statement.annotations
    if not fitting:
        return [f"at {format_duration(time)} promtool did not say which annotations it has"]
    if any(all(texts.get(name) == value for name, value in wanted) for _, texts in fitting):
        return []
    lines = []
    for labels, texts in fitting[:MOST]:
        lines.append(f"at {format_duration(time)} {shown(labels)} fires, but differently:")
        lines += [
            f'  annotation {name}: expected "{value}", got {_quoted(texts.get(name))}'
            for name, value in wanted
            if texts.get(name) != value
        ]
    return lines


def _quoted(text: str | None) -> str:
    return "none" if text is None else f'"{text}"'


def _fits(statement: Statement, labels: dict[str, str]) -> bool:
    return labels.get("alertname") == statement.alert and all(
        holds(m.op, m.value, labels.get(m.label, "")) for m in statement.matchers
    )


def held(statement: Statement, now: list[dict[str, str]], beside: list[Statement]) -> bool:
    """Whether a partial expectation is true of the alerts that there are at a time."""
    firing = [labels for labels in now if labels.get("alertstate") == "firing"]
    if statement.state in (NOTHING, NOTHING_ELSE):
        others = beside if statement.state == NOTHING_ELSE else []
        return all(any(_fits(other, labels) for other in others) for labels in firing)
    mine = [labels for labels in now if _fits(statement, labels)]
    if statement.state == PENDING:
        return any(labels not in firing for labels in mine)
    if statement.state == INACTIVE:
        return not mine
    return any(labels in firing for labels in mine) == (statement.state == FIRES)


def wrong_state(
    statement: Statement, times: list[int], total: int, reading: Reading, beside: list[Statement]
) -> list[str]:
    """What an alert did instead, at the first of the times at which it failed; `beside` is what else was expected."""
    time = times[0]
    now = reading.states.get(time, [])
    firing = [labels for labels in now if labels.get("alertstate") == "firing"]
    pending = [labels for labels in now if labels.get("alertstate") == "pending"]
    when = f"at {format_duration(time)}"
    if total > 1:
        when += (
            f" ({len(times)} of {total} evaluations fail)" if len(times) > 1 else f" (one of {total} evaluations fails)"
        )
    if statement.state in (NOTHING, NOTHING_ELSE):
        said = beside if statement.state == NOTHING_ELSE else []
        others = [labels for labels in firing if not any(_fits(other, labels) for other in said)]
        return [f"{when} {len(others)} fire{'s' if len(others) == 1 else ''}:", *_list(others)]
    if statement.state == EXACTLY:
        return []
    mine = [labels for labels in now if _fits(statement, labels)]
    fires = [labels for labels in mine if labels in firing]
    if statement.state in (FIRES, PENDING):
        if statement.state == PENDING and fires:
            return [f"{when} it fires already:", *_list(fires)]
        if statement.state == FIRES and mine:
            return [f"{when} it is only pending:", *_list(mine)]
        lines = [f"{when} it is silent"]
        twins = [labels for labels in now if labels.get("alertname") == statement.alert]
        if twins:
            return [f"{lines[0]}; there is, with other labels:", *_list(twins, state=True)]
        rest = [("firing", firing), ("pending", pending)]
        lines += [f"  {word} then: {', '.join(map(shown, found[:MOST]))}" for word, found in rest if found]
        return lines
    return [f"{when} it {'fires' if fires else 'is pending'}:", *_list(fires or mine)]


def wrong_exactly(statements: list[Statement], got: Alerts, time: int) -> list[str]:
    """How all that fires of one alert differs from what `exactly` says."""
    expected = [({"alertname": s.alert, **dict(s.labels)}, dict(s.annotations)) for s in statements]
    return [f"at {format_duration(time)}:", *(f"  {line}" for line in compare(expected, got))]


def shown(labels: dict[str, str]) -> str:
    """`Name{label="value"}` without the state."""
    rest = ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k not in ("alertname", "alertstate"))
    return f"{labels.get('alertname', '')}{{{rest}}}"


def _list(alerts: list[dict[str, str]], state: bool = False) -> list[str]:
    lines = [f"  {shown(labels)}" + (f" is {labels.get('alertstate')}" if state else "") for labels in alerts[:MOST]]
    return lines + ([f"  and {len(alerts) - MOST} more"] if len(alerts) > MOST else [])
