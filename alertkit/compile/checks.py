"""What is wrong with one alert though each of its keys is right: names, windows, selectors, its own PromQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from alertkit.compile.read import Entry
from alertkit.compile.records import Drafted
from alertkit.compile.ruleset import Alert
from alertkit.compile.settings import Settings
from alertkit.kinds import Question
from alertkit.source import Problems
from alertkit.spec.duration import LOOKBACK, format_duration
from alertkit.spec.selector import Selector, contradiction
from alertkit.spec.validate import suggest


def check_window(entry: Entry, settings: Settings, problems: Problems) -> None:
    """A window holds two samples or more, or nothing can be said about it."""
    window = entry.given("window")
    if isinstance(window, int) and window < 2 * settings.scrape_interval:
        problems.add(
            "AK312", f"the window {format_duration(window)} is shorter than two scrapes: it would never hold data",
            entry.value("window"), f"use at least {format_duration(4 * settings.scrape_interval)}",
        )  # fmt: skip


def check_memory(entry: Entry, interval: int, problems: Problems) -> None:
    """What a rule asks of `ALERTS` was written by the evaluation before it, `interval` ms ago: not forgotten yet?"""
    if interval < LOOKBACK:
        return
    keys = [("clear",)] if entry.given("clear") is not None else []
    keys += [("unless",)] if any(not other.pending for other in entry.spec.unless) else []
    for key in keys:
        problems.add(
            "AK316", f"evaluated every {format_duration(interval)}, the rule would not see whether an alert fires: "
            "that is forgotten after 5m", entry.value(*key),
            f"evaluate more often than that, or do without what needs it in `{key[0]}`",
        )  # fmt: skip


def check_inputs(entry: Entry, question: Question, problems: Problems) -> None:
    """A selector that can select nothing makes an alert that never fires."""
    for selector in question.inputs:
        found = contradiction(selector.matchers)
        if found is not None:
            own = [k for k, v in vars(entry.spec).items() if isinstance(v, Selector) and contradiction(v.matchers)]
            place = entry.value(own[0]) if own else entry.key("where") if entry.has("where") else entry.span
            problems.add(
                "AK306", f"this selects nothing: no series is both `{found[0]}` and `{found[1]}`", place,
                "keep one of the two matchers",
            )  # fmt: skip
            return


def check_names_of_routing(entry: Entry, settings: Settings, problems: Problems) -> None:
    """Receivers and calendars that an alert names are there, where it is known which are."""
    spec = entry.spec
    receivers, calendars = settings.receivers, settings.calendars
    if receivers is not None:
        for index, name in enumerate(spec.notify):
            if name not in receivers:
                place = entry.value("notify", index)
                problems.add("AK500", f"there is no receiver `{name}`", place, suggest(name, receivers))
    for key, calendar in (("active", spec.active), ("mute", spec.mute)):
        if calendars is not None and calendar is not None and calendar not in calendars:
            help = suggest(calendar, calendars)
            problems.add("AK513", f"there is no calendar `{calendar}`", entry.value(key), help)


def check_companions(drafted: Sequence[Drafted], problems: Problems) -> None:
    """A companion must not take the name of another alert."""
    names = {d.entry.name for d in drafted}
    for d in drafted:
        if d.companion and d.companion.alert in names:
            problems.add(
                "AK211", f"`missing: alert` would add a second alert `{d.companion.alert}`",
                d.entry.key("missing"), "rename the other one",
            )  # fmt: skip


def check_promql(drafted: Drafted, alerts: Sequence[Alert], names: Collection[str], problems: Problems) -> None:
    """What was made of a user's own PromQL must still be PromQL."""
    from alertkit.promql import PromqlError, parse

    recorded = [s for *_, d in drafted.rules for s in d.signals if s in names]
    for expr in dict.fromkeys([*recorded, *(rule.expr for alert in alerts for rule in alert.rules)]):
        try:
            parse(expr)
        except PromqlError as error:
            problems.add(
                "AK413", f"what is compiled from it is no PromQL: {error.message}", drafted.entry.span,
                "put parentheses around the whole expression; if that does not help, please report it",
            )  # fmt: skip
            return
