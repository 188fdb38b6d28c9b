"""A failed expectation in the spec's words."""

from __future__ import annotations

from alertkit.prove.derived.script import Check
from alertkit.prove.running.batch import Job
from alertkit.prove.running.output import Failure
from alertkit.spec.duration import format_duration
from alertkit.spec.quantity import format_number

Alerts = list[tuple[dict[str, str], dict[str, str]]]


def details_of(failure: Failure, job: Job, checks: list[Check]) -> list[str]:
    """What was expected at that time and what happened instead."""
    check = next((c for c in checks if c.time == failure.time), None)
    when = format_duration(failure.time)
    held = ""
    if check is not None and check.value is not None:
        boundaries = job.proof.alert.claim.boundaries if job.proof.alert.claim else ()
        limits = ", ".join(f"{b.severity} {b.comparison}" for b in boundaries)
        held = f" with the signal at {format_number(check.value)}" + (f" ({limits})" if limits else "")
    expected, got = failure.alerts("exp"), failure.alerts("got")
    if failure.expr:
        return [f"at {when}{held}: {failure.lines[0].strip()}", *(line.strip() for line in failure.lines[1:])]
    return [f"at {when}{held}:", *compare(expected, got)]


def compare(expected: Alerts, got: Alerts) -> list[str]:
    """Lines that say how two sets of firing alerts differ."""
    left = [alert for alert in expected if alert not in got]
    right = [alert for alert in got if alert not in expected]
    lines = []
    for labels, texts in left:
        twin = next((other for other in right if other[0] == labels), None) or _closest(labels, right)
        if twin is None:
            lines.append(f"expected to fire: {_show(labels)}; it is silent")
            continue
        right.remove(twin)
        lines.append(f"expected to fire: {_show(labels)}; it fires, but differently:")
        lines += _diff("label", labels, twin[0])
        lines += _diff("annotation", texts, twin[1])
    lines += [f"expected to be silent: {_show(labels)}; it fires" for labels, _ in right]
    return lines


def _closest(labels: dict[str, str], others: Alerts) -> tuple[dict[str, str], dict[str, str]] | None:
    """The alert that differs in the fewest labels, if it shares the severity."""
    same = [other for other in others if other[0].get("severity") == labels.get("severity")]
    return min(same, key=lambda other: len(set(other[0].items()) ^ set(labels.items())), default=None)


def _diff(word: str, expected: dict[str, str], got: dict[str, str]) -> list[str]:
    lines = []
    for name in sorted(expected.keys() | got.keys()):
        a, b = expected.get(name), got.get(name)
        if a != b:
            lines.append(f"  {word} {name}: expected {_quoted(a)}, got {_quoted(b)}")
    return lines


def _quoted(text: str | None) -> str:
    return "none" if text is None else f'"{text}"'


def _show(labels: dict[str, str]) -> str:
    name = labels.get("alertname", "")
    rest = ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k != "alertname")
    return f"{name}{{{rest}}}"
