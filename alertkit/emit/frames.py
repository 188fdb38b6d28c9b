"""Test groups without names: what alerts that differ in nothing else have in common, and its text with blanks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple

from alertkit.emit.promtool import (
    BLANK,
    AlertTests,
    Expected,
    ExprTest,
    InputSeries,
    Moments,
    TestGroup,
    group_form,
    samples,
    single,
    told,
)
from alertkit.emit.scalar import quote

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
    """The texts of all frames of an alert: written once with blanks, which are only filled in for each alert.

    `frames` are those that stand in one file, for each such file.
    """

    def __init__(self, frames: Mapping[int, Sequence[Frame]]) -> None:
        # What is filled in: the title's beginning, and places of series, of what is told of alerts, of PromQL.
        series: dict[int, int] = {}
        tellings: dict[tuple[int, int], int] = {}
        exprs: dict[int, int] = {}
        texts = []
        for file, some in frames.items():
            blanks = []
            for frame in some:
                blanks.append((0, 0))
                blanks += [(1, series.setdefault(place, len(series))) for place, _ in frame.series]
                for alert, moments, expected in frame.alerts:
                    pairs = [(alert, expected[place]) for place in moments.places]
                    blanks += [(2, tellings.setdefault(pair, len(tellings))) for pair in pairs]
                for place, _, _ in frame.exprs:
                    at = exprs.setdefault(place, len(exprs))
                    blanks += [(3, at), (4, at)]
            texts.append((file, "".join(map(_blank, some)), blanks))
        self._series, self._tellings, self._exprs = tuple(series), tuple(tellings), tuple(exprs)
        first = [0, *accumulate((1, len(series), len(tellings), len(exprs)))]
        # The pieces of each text, with room between them, and what stands there: a tuple, of one blank, too.
        self._texts = [
            (
                file,
                [piece for piece in text.split(BLANK) for piece in (piece, "")],
                itemgetter(*[first[sort] + place for sort, place in blanks], 0),
            )
            for file, text, blanks in texts
        ]

    def filled(self, parts: Parts) -> dict[int, str]:
        """The texts of the test groups of one alert by file, the same as `test_groups` writes."""
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
        found = {}
        for file, text, ordered in self._texts:
            pieces = text.copy()
            pieces[1::2] = ordered(filled)
            pieces.pop()
            found[file] = "".join(pieces)  # several times faster than what `%` does
        return found


def _blank(frame: Frame) -> str:
    title = f'"{BLANK} {quote(frame.title)[1:]}' if frame.title else f'"{BLANK}"'
    return group_form(
        title, frame.interval, tuple([values for _, values in frame.series]),
        [moments for _, moments, _ in frame.alerts], [(time, comment) for _, time, comment in frame.exprs],
    )  # fmt: skip
