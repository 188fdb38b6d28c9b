"""Cases that an alert cannot have, and why: they are told, not left out silently."""

from __future__ import annotations

from alertkit.compile.claim import Claim, is_reached_low
from alertkit.compile.ruleset import Alert
from alertkit.prove.derived.cases import has_second_identity
from alertkit.prove.derived.clock import is_coarse, overloads
from alertkit.prove.derived.names import BORN, CASES, GAP
from alertkit.prove.derived.script import shape_of

TOO_LONG = "it looks back too far beside its `for`: promtool does not load as many samples as a proof would need"


def inapplicable(
    alert: Alert, claim: Claim, companion: Alert | None, cases: set[tuple[str, str]]
) -> list[tuple[str, str]]:
    """(case, reason) of every generated case that is not among the alert's `cases`, which are (severity, case)."""
    found = {case for _, case in cases}
    lost = [case for case in CASES if case not in found]
    shape = shape_of(claim, alert.rules, companion.rules[0] if companion else None)
    if overloads(shape):
        return [(case, TOO_LONG) for case in lost]
    missing = [(case, _reason(case, claim)) for case in lost if case != "blip"]
    if claim.stimulus.always:
        return [*missing, ("blip", _reason("blip", claim))]
    for rule in alert.rules:
        if (rule.severity, "blip") not in cases:
            level = f"`{rule.severity}`: " if len(alert.rules) > 1 else ""
            missing.append(("blip", level + _no_blip(rule.for_, is_coarse(shape, rule.for_))))
    return missing


def _no_blip(hold: int, coarse: bool) -> str:
    if not hold:
        return "it has no `for`, so that nothing is too short to fire"
    if coarse:
        return "it looks back so far that its `for` is proven at evaluations too far apart for anything shorter"
    return "whatever takes its signal past the threshold keeps it there for as long as `for`"


def _reason(case: str, claim: Claim) -> str:
    if claim.stimulus.always:
        return "it fires always, whatever the series"
    if case == "identity" and not has_second_identity(claim):
        if claim.identity:
            return f"only one {' and '.join(f'`{name}`' for name in claim.identity)} can exist: its selector names it"
        return "it has one instance only, as no label tells two apart"
    if case == "levels":
        return "its levels are no values of one signal" if len(claim.boundaries) > 1 else "it has one level only"
    if case == GAP:
        return _no_gap(claim)
    if case in ("no-data", BORN) and claim.stimulus.absence:
        return "the absence of data is what it watches"
    if case == "between" and claim.clear is not None:
        return "its signal cannot be held between `clear` and the threshold"
    return _REASONS.get(case, "its kind has no such case")


def _no_gap(claim: Claim) -> str:
    stimulus = claim.stimulus
    if stimulus.relative:
        return "it compares with its own past, and a gap in that is no gap in the present"
    if stimulus.instant and stimulus.prelude:
        return "an age goes on growing while scrapes are missed, so that each moment has a value of its own"
    if any(is_reached_low(boundary.comparison) for boundary in claim.boundaries) and not stimulus.instant:
        return "over its window a signal with fewer samples may come out too low, as it does when something is wrong"
    if stimulus.far:
        return "how much of its window a gap hides depends on which scrapes are missed"
    if stimulus.instant or stimulus.rise or stimulus.fall or stimulus.absence:
        return "its `for` and windows are proven at evaluations so far apart that a gap of less than 5m is not seen"
    return "it looks back over a window, and what a gap leaves of that tells nothing for sure"


_REASONS = {
    "between": "it has no `clear`: it resolves at the threshold at which it fires",
    "no-data": "its proof ends before the data does",
    "reset": "none of its series is a counter",
    "thin": "it has no guard against too little traffic",
    "idle": "it has no traffic that could stop",
    "recovers": "its signal cannot come back",
    "just-inside": "no value is just inside its threshold",
}
