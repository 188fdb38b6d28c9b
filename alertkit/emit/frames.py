"""Test groups without names: what alerts that differ in nothing else have in common, and its text with blanks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple

from alertkit.emit.promtool import (
    AlertTests,
    Expected,
    ExprTest,
    InputSeries,
    Moments,
    TestGroup,
    group_form,
    literally,
    samples,
    single,
    told,
)
from alertkit.emit.scalar import quote

# Stands in no YAML file.
NO_TEXT = "\0"

Samples = tuple[tuple[str, float], ...]


class Parts(NamedTuple):
    """What one alert puts into its frames.

    alerts    its own name, and that of its companion if it has one
    series    its input series
    expected  what promtool may be told to expect
    exprs     PromQL with its samples, for promtool to compare
    """

    alerts: Sequence[str]
    series: Sequence[str]
    expected: Sequence[Expected]
    exprs: Sequence[tuple[str, Samples]]


class Frame(NamedTuple):
    """A test group with places in `Parts` for names.

    series  the place of each input series, and its values
    alerts  the place of each alert, its moments, and the place of each thing that these expect
    exprs   the place of each PromQL, its time (milliseconds) and its comment
    """

    title: str
    interval: int
    series: tuple[tuple[int, str], ...]
    alerts: tuple[tuple[int, Moments, tuple[int, ...]], ...]
    exprs: tuple[tuple[int, int, str], ...] = ()

    def group(self, parts: Parts) -> TestGroup:
        """The test group of one alert."""
        return TestGroup(
            f"{parts.alerts[0]} {self.title}".rstrip(), self.interval,
            tuple([InputSeries(parts.series[place], values) for place, values in self.series]),
            tuple([
                AlertTests(parts.alerts[place], moments, tuple([parts.expected[one] for one in expected]))
                for place, moments, expected in self.alerts
            ]),
            tuple([ExprTest(time, *parts.exprs[place], comment) for place, time, comment in self.exprs]),
        )  # fmt: skip


class Form:
    """The text of frames: written once with blanks, each a `%s`, and only filled in for each alert."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        # What is filled in: the title's beginning, and places of series, of what is told of alerts, of PromQL.
        series: dict[int, int] = {}
        tellings: dict[tuple[int, int], int] = {}
        exprs: dict[int, int] = {}
        blanks = []
        for frame in frames:
            blanks.append((0, 0))
            blanks += [(1, series.setdefault(place, len(series))) for place, _ in frame.series]
            for alert, moments, expected in frame.alerts:
                pairs = [(alert, expected[place]) for place in moments.places]
                blanks += [(2, tellings.setdefault(pair, len(tellings))) for pair in pairs]
            for place, _, _ in frame.exprs:
                at = exprs.setdefault(place, len(exprs))
                blanks += [(3, at), (4, at)]
        self._series, self._tellings, self._exprs = tuple(series), tuple(tellings), tuple(exprs)
        first = [0, *accumulate((1, len(series), len(tellings), len(exprs)))]
        self._ordered = itemgetter(*[first[sort] + place for sort, place in blanks], 0)  # a tuple, of one blank too
        # Joining is several times faster than what `%` does.
        between = ("".join(map(_blank, frames)) % ((NO_TEXT,) * len(blanks))).split(NO_TEXT)
        self._pieces = [piece for text in between for piece in (text, "")]

    def filled(self, parts: Parts) -> str:
        """The text of the test groups of one alert, the same as `test_groups` writes."""
        known: dict[int, str] = {}
        alerts, expected = parts.alerts, parts.expected
        exprs = [parts.exprs[place] for place in self._exprs]
        filled = [
            quote(alerts[0])[1:-1],
            *[single(parts.series[place]) for place in self._series],
            *[told(alerts[alert], expected[place], known) for alert, place in self._tellings],
            *[single(expr) for expr, _ in exprs],
            *[samples(given) for _, given in exprs],
        ]
        pieces = self._pieces.copy()
        pieces[1::2] = self._ordered(filled)
        pieces.pop()
        return "".join(pieces)


def _blank(frame: Frame) -> str:
    title = f'"%s {literally(quote(frame.title)[1:])}' if frame.title else '"%s"'
    return group_form(
        title, frame.interval, tuple([values for _, values in frame.series]),
        [moments for _, moments, _ in frame.alerts], [(time, comment) for _, time, comment in frame.exprs],
    )  # fmt: skip
