from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic_core import PydanticCustomError

from alertkit.kinds.base import Context, Kind, KindError
from alertkit.kinds.question import Comparison, Form, Question
from alertkit.kinds.stimulus import Drive, Input, Pieces, Source, Stimulus
from alertkit.series import Gone, Level
from alertkit.spec.duration import format_duration
from alertkit.spec.reader import Reader
from alertkit.spec.selector import LABEL_NAME, Matcher, Metric, Selector, contradiction


def _sets(value: object) -> tuple[tuple[tuple[str, str], ...], ...]:
    items = [value] if isinstance(value, dict) else value
    fine = isinstance(items, list) and bool(items) and all(isinstance(item, dict) and item for item in items)
    fine = (
        fine
        and isinstance(items, list)
        and all(LABEL_NAME.match(k) and isinstance(v, (str, int)) for item in items for k, v in item.items())
    )
    if not fine or not isinstance(items, list):
        raise PydanticCustomError(
            "AK207",
            "expected label sets",
            {"help": "write `expected: [{exchange: hyperliquid}, {exchange: coinbase}]`"},
        )
    return tuple(tuple((name, str(text)) for name, text in item.items()) for item in items)


LabelSets = Annotated[tuple[tuple[tuple[str, str], ...], ...], Reader(_sets)]


class Absent(Kind):
    """A metric that should be there is not.

    Parameters
      metric    the metric, with matchers if needed
      expected  label sets of which each must be there; without it, any series will do

    `for` must last at least two scrapes.

    PromQL: `absent(<metric>{<labels>})` for each expected set, joined with `or`.

    Pitfalls: `absent(sum(x))` loses every label; here the alert carries the labels of the set that is gone. With a
    shorter `for` it would fire at each restart.

    Example
      NoFeed: {kind: absent, metric: feed_up, expected: [{exchange: kraken}, {exchange: coinbase}], for: 5m}

    Source: Prometheus documentation, "Query functions", absent.
    """

    label_advice: ClassVar[str] = "what is gone has the labels of `expected` and of the metric's own matchers"

    # Its own labels identify it, and what it misses is what `missing` would.
    without_defaults: ClassVar[frozenset[str]] = frozenset({"by", "missing"})

    kind: Literal["absent"] = "absent"
    metric: Metric
    expected: LabelSets = ()

    @cached_property
    def identity(self) -> tuple[str, ...]:
        if self.by is not None:
            return self.by
        return tuple(dict.fromkeys(name for labels in self.expected for name, _ in labels))

    def _selectors(self) -> tuple[Selector, ...]:
        metric = self.metric.where(self.where)
        sets = self.expected or ((),)
        return tuple(metric.where(Matcher(name, "=", value) for name, value in labels) for labels in sets)

    def question(self, context: Context) -> Question:
        if self.by is not None:
            raise KindError("AK208", "`by` has no effect here", "by", "the labels of `expected` are the identity")
        if self.missing == "alert":
            raise KindError(
                "AK208", "`missing` has no effect here", "missing", "the alert itself fires when data is gone"
            )
        if self.for_ < 2 * context.scrape_interval:
            raise KindError(
                "AK313", "`for` is shorter than two scrapes: the alert would fire at each restart", "for",
                f"use at least `for: {format_duration(2 * context.scrape_interval)}`",
            )  # fmt: skip
        for labels in self.expected:
            if {name for name, _ in labels} != set(self.identity):
                raise KindError(
                    "AK207", "the label sets name different labels", "expected",
                    "name the same labels in each, or write an alert of its own for the others",
                )  # fmt: skip
        for index, labels in enumerate(self.expected):
            if labels in self.expected[:index]:
                raise KindError(
                    "AK205", "this label set stands here twice", "expected", "remove one of them", item=index
                )  # fmt: skip
        selectors = self._selectors()
        for index, selector in enumerate(selectors):
            if (found := contradiction(selector.matchers)) is not None:
                raise KindError(
                    "AK306", f"this would always fire: no series is both `{found[0]}` and `{found[1]}`",
                    "expected" if self.expected else "metric", "keep one of the two matchers",
                    item=index if self.expected else None,
                )  # fmt: skip
        names = set(self.identity)
        fixed = tuple((k, v) for k, v in self.metric.where(self.where).equalities().items() if k not in names)
        return Question(
            signal=str(selectors[0]), identity=self.identity, metric=self.metric.metric, operations="",
            inputs=(selectors[0],), fixed_labels=fixed,
            forms=(Form(None, "\nor\n".join(f"absent({s})" for s in selectors), Comparison("==", 1.0)),),
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus:
        watched, *others = self._selectors()
        present = tuple(Source(other, Level(1.0)) for other in others)
        return Stimulus(
            inputs=(Input(watched),), drive=Drive(_gone), exact=True, rest=0.0,
            inside=0.0, bad=1.0, absence=True, scenery=present,
        )  # fmt: skip

    def default_summary(self, alert: str) -> str:
        which = "".join(f" {{{{ $labels.{name} }}}}" for name in self.identity)
        return f"{self.metric.metric} is absent{':' if which else ''}{which}"


def _gone(value: float) -> Pieces:
    return (Gone() if value else Level(1.0),)
