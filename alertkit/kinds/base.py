"""What every kind is: a spec model that can ask its question and drive it."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import ClassVar, NamedTuple

from alertkit.kinds.question import Comparison, Question
from alertkit.kinds.stimulus import Stimulus
from alertkit.spec.alert import AlertSpec, Measured
from alertkit.spec.quantity import Unit
from alertkit.spec.selector import Selector


class Context(NamedTuple):
    """What a kind may know of its surroundings: the scrape interval in milliseconds, and who asks."""

    scrape_interval: int
    system: str
    alert: str


class KindError(Exception):
    """A mistake that only the kind can see; `key` is the spec's key it is about (empty: the whole alert).

    With `offset` (0-based, in characters of the key's text) and `length`, it is about a place inside the value; with
    `item`, about that item of a list or that key of a mapping.
    `more` are other mistakes that were seen at once.
    """

    def __init__(
        self, code: str, message: str, key: str = "", help: str = "", offset: int | None = None, length: int = 1,
        item: int | str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.code = code
        self.message = message
        self.key = key
        self.help = help
        self.offset = offset
        self.length = length
        self.item = item
        self.more: list[KindError] = []


def gauge(metric: Selector, key: str = "metric") -> Selector:
    """The metric, which must not be a counter by its name: a counter only ever rises."""
    if metric.metric.endswith(("_total", "_bucket")):
        raise KindError(
            "AK310", f"`{metric.metric}` is a counter, which only ever rises: this is for gauges", key,
            "use kind `rate` or `increase` with `counter:`, or record its rate and name that",
        )  # fmt: skip
    return metric


class Kind(AlertSpec, ABC):
    """An alert of some kind. The docstring of a kind is its reference page."""

    # Labels that identify one result when the spec gives no `by`.
    default_by: ClassVar[tuple[str, ...]] = ()
    # Common keys that mean nothing to this kind, so `defaults:` of a file do not reach it.
    without_defaults: ClassVar[frozenset[str]] = frozenset()
    # How a template gets a label that the alert lacks; empty where it cannot.
    label_advice: ClassVar[str] = "add `{name}` to `by` to keep it"
    # Why there may be no stimulus: "it has no stimulus ..."
    unproven: ClassVar[str] = "that every promtool can replay"
    # Users wrote PromQL of their own: what is compiled from it is parsed once more.
    user_promql: ClassVar[bool] = False

    @cached_property
    def identity(self) -> tuple[str, ...]:
        by = self.by
        return self.default_by if by is None else by

    @abstractmethod
    def question(self, context: Context) -> Question:
        """The PromQL to compare; raises `KindError`."""

    @abstractmethod
    def stimulus(self, context: Context) -> Stimulus | None:
        """How to drive the question; None when it has no input. Raises `KindError`."""

    def why_unproven(self) -> str:
        """Why nothing is derived where `stimulus` is None."""
        return f"kind `{self.kind}` has no stimulus {self.unproven}"

    def default_summary(self, alert: str) -> str:
        """What the notification of `alert` says when the spec gives no summary; a Go template."""
        return f"{alert} is firing"

    def variables(self) -> dict[str, object]:
        """What `<< >>` in texts may name beside the variables that every alert has."""
        return {}


class MeasuredKind(Measured, Kind, ABC):
    """A kind whose signal is a value that users compare with `above`, `below` and the rest."""

    def fires_at(self, value: float, unit: Unit) -> bool:
        """Whether a signal of this value, in `unit`, meets any of the conditions; what does not fit `unit` does not."""
        return any(comparison.holds(value) for comparison in self.comparisons(unit))

    def comparisons(self, unit: Unit) -> tuple[Comparison, ...]:
        """All that the conditions ask of a signal in `unit`, any of which fires; what does not fit is left out."""
        return tuple([Comparison(op, limit) for op, limit in self.asked(unit)])
