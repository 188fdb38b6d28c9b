"""The readable series language: `0 for 5m, ramp 0 to 10 over 5m, freeze for 10m`.

    series  = segment {"," segment}
    segment = shape ["for" D | "over" D | "until" T]
    shape   = X | "ramp" [A] "to" B | "rate" X"/s" ["from" A] | "spike to" X | "freeze" | "clock" ["lag" D]
            | "walk" ["from" A] ["drift" P"%/h"] ["vol" P"%"["/h"]] ["seed" N]
            | "sine" A "to" B "every" D | "noise" A "to" B ["seed" N] | "gap" | "stale" | "reset"
            | "latency" "p"Q V "rate" X"/s" ["buckets" B {B}] | "from" FILE ["column" NAME]

Numbers carry units where the metric's name tells one: `250ms` on `..._seconds` is 0.25. `until T` counts from the
start of the scenario.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from alertkit.series.shapes import (
    Clock,
    Constant,
    Freeze,
    Gap,
    Latency,
    MistakeError,
    Noise,
    Ramp,
    Rate,
    Recorded,
    Reset,
    Segment,
    Shape,
    Sine,
    Spike,
    Stale,
    Walk,
)
from alertkit.spec.duration import parse_duration, unit_help
from alertkit.spec.quantity import NUMBER, Unit, parse_quantity
from alertkit.spec.validate import suggest

_WORD = re.compile(r'"[^"]*"|[^\s,]+')
_SHARE = re.compile(r"([-+]?[0-9]+(?:\.[0-9]*)?|[-+]?\.[0-9]+)%(?:/(s|m|min|h|d))?\Z")
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SPECIAL = {"NaN": float("nan"), "Inf": float("inf"), "+Inf": float("inf"), "-Inf": float("-inf")}
_TIMES = ("for", "over", "until")
_EXAMPLE = "write segments like `0 for 5m, ramp 0 to 10 over 5m, rate 20/s for 10m`"


def parse_series(text: str, unit: Unit) -> tuple[list[Segment], list[MistakeError]]:
    """Read a series of a metric in `unit`; of each wrong segment the first mistake."""
    segments: list[Segment] = []
    mistakes: list[MistakeError] = []
    offset = 0
    for part in _split(text):
        words = [(m[0], offset + m.start()) for m in _WORD.finditer(part)]
        try:
            if words:
                segments.append(_Reader(words, unit).segment())
            else:
                raise MistakeError(
                    "AK810", "a segment is missing here", min(offset, max(len(text) - 1, 0)), 1, _EXAMPLE
                )
        except MistakeError as mistake:
            mistakes.append(mistake)
        offset += len(part) + 1
    return segments, mistakes


def _split(text: str) -> list[str]:
    """The text between commas; a quoted file name may hold some."""
    return re.findall(r'(?:\A|,)((?:"[^"]*"|[^,])*)', text)


class _Reader:
    """Reads the words of one segment."""

    def __init__(self, words: list[tuple[str, int]], unit: Unit) -> None:
        self.words, self.unit = words, unit
        self.index = 0
        self.shapes: dict[str, Callable[[], Shape]] = {
            "ramp": self._ramp, "rate": self._rate, "walk": self._walk, "sine": self._sine, "noise": self._noise,
            "spike": self._spike, "freeze": Freeze, "clock": self._clock, "gap": Gap, "stale": Stale,
            "reset": Reset, "latency": self._latency, "from": self._recorded,
        }  # fmt: skip

    def segment(self) -> Segment:
        shape = self._shape()
        duration = until = None
        begin = self.words[0][1]
        time = (self.words[-1][1], len(self.words[-1][0]))
        word = self._peek()
        if word in _TIMES:
            self._take("")
            time = self._place(self.index) or time
            value = self._duration(f"`{word}`")
            duration, until = (None, value) if word == "until" else (value, None)
        elif word is None and not isinstance(shape, (Reset, Stale, Recorded)):
            text = " ".join(word for word, _ in self.words)
            length = time[0] + time[1] - begin
            raise MistakeError(
                "AK810", f"`{text}` does not say for how long", begin, length, f"write `{text} for 5m`"
            )  # fmt: skip
        if self.index < len(self.words):
            raise self._fail(f"`{self._peek()}` is one word too many", self._surplus(shape))
        if isinstance(shape, Reset) and (duration or until):
            raise MistakeError("AK810", "a reset takes no time", *time, "write `reset`, then what comes after it")
        end = self.words[-1][1] + len(self.words[-1][0])
        return Segment(shape, duration, until, begin, end - begin, *time)

    def _surplus(self, shape: Shape) -> str:
        if isinstance(shape, Constant):
            return "put a unit right behind its number (`2GiB`), and a comma between segments"
        return "put a comma between segments"

    def _shape(self) -> Shape:
        word = self.words[0][0]
        if word in self.shapes:
            self.index += 1
            return self.shapes[word]()
        if word[0].isdigit() or word[0] in "+-." or word in _SPECIAL:
            return Constant(self._number("a value"))
        raise self._fail(f"`{word}` is no shape of a series", suggest(word, [*self.shapes]))

    def _ramp(self) -> Shape:
        start = None
        self._skip("from")
        if self._peek() != "to":
            start = self._number("the value to begin at")
        self._expect("to", "`ramp 0 to 10 over 5m`")
        return Ramp(start, self._number("the value to reach"))

    def _rate(self) -> Shape:
        at = self._place(self.index)
        value = self._number("a rate", self.unit.per_second())
        if not math.isfinite(value) and at:
            raise MistakeError("AK811", "a rate must be finite", *at, "write it like 20/s")
        if value < 0 and at:
            raise MistakeError(
                "AK811", "a counter cannot fall: its rate is negative", *at,
                "write a rate of 0 or more; a restart is `reset`, and a gauge that falls is `ramp 10 to 5 over 5m`",
            )  # fmt: skip
        start = None
        if self._skip("from"):
            start = self._number("the count to begin at")
        return Rate(value, start)

    def _walk(self) -> Shape:
        start: float | None = None
        drift, vol, per, seed = 0.0, 0.0, None, 1
        while (word := self._peek()) is not None and word not in _TIMES:
            self.index += 1
            if word == "from":
                start = self._number("the value to begin at")
            elif word == "drift":
                share, seconds = self._share("drift -2%/h", True)
                drift = share / (seconds or 1.0)
            elif word == "vol":
                vol, per = self._share("vol 0.5%", False)
            elif word == "seed":
                seed = self._seed()
            else:
                self.index -= 1
                raise self._fail(
                    f"`{word}` is no part of a walk", suggest(word, ["from", "drift", "vol", "seed", "for"])
                )
        return Walk(start, drift, vol, per, seed)

    def _sine(self) -> Shape:
        low, high = self._between("sine 10 to 20 every 1h for 6h")
        self._expect("every", "`sine 10 to 20 every 1h for 6h`")
        return Sine(low, high, self._duration("`every`"))

    def _noise(self) -> Shape:
        low, high = self._between("noise 10 to 20 for 1h")
        return Noise(low, high, self._seed() if self._skip("seed") else 1)

    def _spike(self) -> Shape:
        self._expect("to", "`spike to 500 over 2m`")
        return Spike(self._number("the peak"))

    def _clock(self) -> Shape:
        return Clock(self._duration("`lag`") if self._skip("lag") else 0)

    def _latency(self) -> Shape:
        word, offset = self._take("a quantile like `p95`")
        match = re.fullmatch(r"p(\d{1,2}(?:\.\d+)?)", word)
        if match is None or not 0 < float(match[1]) < 100:
            raise MistakeError(
                "AK810", f"`{word}` is no quantile", offset, len(word), "write p50, p95, p99.9: the share in percent"
            )  # fmt: skip
        at = self._place(self.index)
        value = self._number("the latency")
        if not value > 0 and at:
            raise MistakeError("AK811", "a latency must be more than 0", *at, "write it like `p95 250ms`")
        self._expect("rate", "`latency p95 2s rate 50/s buckets 0.1 0.5 1 2.5 5 for 10m`")
        at = self._place(self.index)
        rate = self._number("a rate", NUMBER.per_second())
        if not math.isfinite(rate) and at:
            raise MistakeError("AK811", "a rate must be finite", *at, "write it like 20/s")
        if rate < 0 and at:
            raise MistakeError("AK811", "a counter cannot fall: its rate is negative", *at, "write 0/s or more")
        buckets: list[float] = []
        if self._skip("buckets"):
            while (peek := self._peek()) is not None and peek not in _TIMES:
                place = self._place(self.index)
                bound = self._number("the bound of a bucket")
                if place and not (buckets[-1] if buckets else 0.0) < bound < math.inf:
                    raise MistakeError(
                        "AK811", f"the bound {peek} is not above the one before", *place,
                        "write finite upper bounds in rising order; the last, +Inf, is added",
                    )  # fmt: skip
                buckets.append(bound)
            if not buckets:
                raise self._fail("`buckets` without bounds", "write them like `buckets 0.1 0.5 1 2.5 5`")
        return Latency(float(match[1]) / 100, value, rate, tuple(buckets))

    def _recorded(self) -> Shape:
        file, _ = self._take("a file like `data/outage.csv`")
        column = self._take("the column's name")[0].strip('"') if self._skip("column") else None
        return Recorded(file.strip('"'), column)

    # Words

    def _peek(self) -> str | None:
        return self.words[self.index][0] if self.index < len(self.words) else None

    def _place(self, index: int) -> tuple[int, int] | None:
        """Offset and length of a word."""
        return (self.words[index][1], len(self.words[index][0])) if index < len(self.words) else None

    def _take(self, wanted: str) -> tuple[str, int]:
        if self.index >= len(self.words):
            word, offset = self.words[-1]
            raise MistakeError("AK810", f"{wanted} is missing after `{word}`", offset, len(word), _EXAMPLE)
        self.index += 1
        return self.words[self.index - 1]

    def _skip(self, word: str) -> bool:
        """Go past `word` if it comes next."""
        found = self._peek() == word
        self.index += found
        return found

    def _expect(self, word: str, example: str) -> None:
        if not self._skip(word):
            raise self._fail(f"`{word}` is missing", f"write it like {example}")

    def _fail(self, message: str, help: str) -> MistakeError:
        offset, length = self._place(min(self.index, len(self.words) - 1)) or (0, 1)
        return MistakeError("AK810", message, offset, length, help)

    def _number(self, wanted: str, unit: Unit | None = None) -> float:
        unit = unit or self.unit
        word, offset = self._take(wanted)
        if word in _SPECIAL:
            return _SPECIAL[word]
        quantity = parse_quantity(word)
        if quantity is None:
            raise MistakeError(
                "AK811", f"`{word}` is not {wanted}", offset, len(word),
                "write a number, with a unit if it has one: 5, 250ms, 2GiB, 80%, 20/s",
            )  # fmt: skip
        value = quantity.in_unit(unit)
        if value is None:
            if unit.dimension == "number":
                help = "the metric's name tells no unit: write a plain number"
            elif unit.dimension == "rate":
                help = "the metric's name tells no unit: write a number a second or a minute, like 20/s"
            elif unit.dimension == "ratio":
                help = "this is a share: write it like 80%"
            else:
                help = f"the metric's name says that it is measured in {unit.name}"
            raise MistakeError("AK811", f"`{word}` does not fit this metric", offset, len(word), help)
        return value

    def _between(self, example: str) -> tuple[float, float]:
        self._skip("from")
        low = self._number("the lower value")
        self._expect("to", f"`{example}`")
        return low, self._number("the upper value")

    def _share(self, example: str, needs_time: bool) -> tuple[float, float | None]:
        word, offset = self._take(f"a share like `{example}`")
        match = _SHARE.match(word)
        if match is None or (needs_time and match[2] is None):
            raise MistakeError(
                "AK811", f"`{word}` is no share{' of change over time' if needs_time else ''}", offset, len(word),
                f"write it like `{example}`",
            )  # fmt: skip
        return float(match[1]) / 100, _SECONDS[match[2]] if match[2] else None

    def _seed(self) -> int:
        word, offset = self._take("a seed")
        if not re.fullmatch(r"[0-9]{1,9}", word):
            raise MistakeError(
                "AK811", f"`{word}` is no seed", offset, len(word), "write a whole number, like `seed 7`"
            )
        return int(word)

    def _duration(self, after: str) -> int:
        if self._peek() is None:
            self._take(f"a duration after {after}")
        word, offset = self._take("a duration")
        value = parse_duration(word)
        if value is None or value == 0:
            help = unit_help(word) or "write it like 30s, 5m, 1h30m or 2d"
            raise MistakeError("AK812", f"`{word}` is not a duration", offset, len(word), help)
        return value
