"""Kinds that a project defines itself, in `rules_src/kinds/NAME.yaml`: signal and stimulus are templates.

What such a file says is a `Definition`; `kind_of` makes a class of it that stands beside the built-in kinds.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

from pydantic import Field, create_model

from alertkit.kinds.base import Context, Kind, KindError, MeasuredKind
from alertkit.kinds.own_series import Line, LineError, parse_line
from alertkit.kinds.own_signal import (
    Motion,
    Signal,
    SignalError,
    in_string,
    keeps_unit,
    mark,
    motion_of,
    read_signal,
    restored_selector,
    unmark,
)
from alertkit.kinds.own_types import shown
from alertkit.kinds.question import Question
from alertkit.kinds.stimulus import Drive, Input, Pieces, Stimulus
from alertkit.promql import Expr, selectors
from alertkit.promql.reads import read_selectors, spec_selector
from alertkit.series import Gone, Piece
from alertkit.series.example import example_labels
from alertkit.spec.duration import format_duration, parse_duration
from alertkit.spec.quantity import NUMBER, Unit, unit_of_metric
from alertkit.spec.selector import Matcher, Selector, SelectorError, parse_selector, satisfies
from alertkit.template import Placed, TemplateError, mentions, render, render_placed

# What a kind's templates may name beside its parameters.
BY, VALUE = "by", "value"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its `type` as users write it, its `annotation` for pydantic, its checked default."""

    name: str
    type: str
    annotation: Any
    required: bool
    default: Any = None
    description: str = ""
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind file, checked. `stimulus` are pairs of templates: a series and what it does; None: not to be tested."""

    name: str
    path: str
    description: str
    parameters: tuple[Parameter, ...]
    by: tuple[str, ...]
    unit: Unit | None
    signal: str
    stimulus: tuple[tuple[str, str], ...] | None
    summary: str | None
    rise: str | None
    fall: str | None
    range: tuple[float, float]


class StimulusError(Exception):
    """What is wrong with a line of a stimulus: `series` says whether its left side is; the place is in its source.

    `what` is template, syntax or unread.
    """

    def __init__(
        self, what: str, line: int, series: bool, message: str, offset: int, length: int, help: str = ""
    ) -> None:
        super().__init__(message)
        self.what, self.line, self.series, self.message = what, line, series, message
        self.offset, self.length, self.help = offset, length, help


@dataclass(frozen=True, slots=True)
class Filled:
    """A definition with the values of one alert: what both question and stimulus are made from."""

    definition: Definition
    values: Mapping[str, Any]
    by: tuple[str, ...]
    where: tuple[Matcher, ...]

    def variables(self) -> dict[str, object]:
        """For the templates of signal and stimulus: metrics are marked, their matchers are put in afterwards."""
        variables: dict[str, object] = {BY: ", ".join(self.by)}
        for index, parameter in enumerate(self.definition.parameters):
            value = self.values[parameter.name]
            plain = shown(value, parameter.type, parameter.unit)
            variables[parameter.name] = mark(index, value.metric) if isinstance(value, Selector) else plain
        return variables

    def _matchers(self) -> dict[int, tuple[Matcher, ...]]:
        values = [self.values[parameter.name] for parameter in self.definition.parameters]
        return {index: value.matchers for index, value in enumerate(values) if isinstance(value, Selector)}

    def signal(self) -> Signal:
        """Raises SignalError."""
        return read_signal(self.definition.signal, self.variables(), self._matchers(), self.by, self.where)

    def sources(self, tree: Expr) -> list[tuple[Selector, Line]]:
        """The lines of the stimulus. Raises StimulusError for the first that is wrong."""
        return [self.source(number, tree) for number in range(len(self.definition.stimulus or ()))]

    def source(self, number: int, tree: Expr | None) -> tuple[Selector, Line]:
        """One line of the stimulus; `tree` (None: not known) must read the series it names. Raises StimulusError."""
        lines = self.definition.stimulus or ()
        series, what = lines[number]
        variables = self.variables()
        try:
            line = parse_line(what)
            line.piece(variables, 1.0)
            line.piece(variables, 2.0)
        except LineError as error:
            raise StimulusError(
                "syntax", number, False, error.message, error.offset, error.length, error.help
            ) from None  # fmt: skip
        selector = self._series(number, series, variables)
        for other in range(number):
            if self._labels(other, lines[other][0], variables) == self._labels(number, series, variables):
                raise StimulusError(
                    "syntax", number, True, f"this is the same series as `{lines[other][0]}`", 0, len(series),
                    "tell them apart by a label in braces",
                )  # fmt: skip
        if tree is not None:
            self._check_read(number, series, selector, tree)
            selector = self._without_identity(selector, tree)
        return selector, line

    def _labels(self, number: int, series: str, variables: dict[str, object]) -> tuple[str, object] | None:
        try:
            selector = self._series(number, series, variables)
        except StimulusError:
            return None
        return selector.metric, example_labels(selector.matchers) or {}

    def _series(self, number: int, source: str, variables: dict[str, object]) -> Selector:
        placed = Placed(source, ())
        try:
            placed = render_placed(source, variables, in_string)
            selector = parse_selector(placed.text)
        except TemplateError as error:
            raise StimulusError("template", number, True, error.message, error.offset, error.length) from None
        except SelectorError as error:
            offset, length, _ = placed.source_of(error.offset)
            raise StimulusError(
                "syntax", number, True, unmark(str(error)), offset, length,
                "a series is a metric's name, with labels in braces if needed",
            ) from None  # fmt: skip
        return restored_selector(selector, self._matchers(), self.where)

    def _check_read(self, number: int, source: str, series: Selector, tree: Expr) -> None:
        read = [use.selector for use in selectors(tree)]
        named = [s for s in read if s.name in (series.metric, None)]
        if not named:
            names = ", ".join(sorted({s.name for s in read if s.name})) or "none"
            raise StimulusError(
                "unread", number, True, f"the signal does not read `{series.metric}`", 0, len(source),
                f"it reads {names}",
            )  # fmt: skip
        labels = {"__name__": series.metric, **(example_labels(series.matchers) or {})}
        wrong: Matcher | None = None
        for selector in named:
            wrong = next((m for m in spec_selector(selector).matchers if not self._has(labels, m)), None)
            if wrong is None:
                return
        raise StimulusError(
            "unread", number, True, f"the signal does not read this series: it wants {wrong}", 0, len(source),
            "give the series the labels that the signal's matchers want",
        )  # fmt: skip

    def _has(self, labels: dict[str, str], matcher: Matcher) -> bool:
        if matcher.label not in labels and matcher.label in self.by:
            return True
        try:
            return satisfies(labels.get(matcher.label, ""), matcher)
        except ValueError:  # a pattern that does not parse, of which promtool will tell
            return True

    def _without_identity(self, series: Selector, tree: Expr) -> Selector:
        """Identity labels are the compiler's to give, unless the signal itself wants one value of them."""
        pinned = {m.label for use in selectors(tree) for m in use.selector.matchers}
        free = frozenset(self.by) - pinned
        return Selector(series.metric, tuple(m for m in series.matchers if m.label not in free))

    def duration(self, key: str) -> int | None:
        """`rise` or `fall` in milliseconds; None when the file does not say it. Raises TemplateError, ValueError."""
        text: str | None = getattr(self.definition, key)
        if text is None:
            return None
        rendered = render(text, self.variables()).strip()
        milliseconds = parse_duration(rendered)
        if milliseconds is None:
            raise ValueError(f"`{rendered[:40]}` is not a duration")
        return milliseconds


class OwnKind(MeasuredKind):
    """A kind that the project defines."""

    definition: ClassVar[Definition]
    fields: ClassVar[dict[str, str]] = {}
    user_promql: ClassVar[bool] = True

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, field) for name, field in self.fields.items()}

    def _filled(self) -> Filled:
        return Filled(self.definition, self._values(), self.identity, self.where)

    def _signal(self) -> Signal:
        try:
            return self._filled().signal()
        except SignalError as error:
            raise self._kind_error(error) from None

    def _kind_error(self, error: SignalError) -> KindError:
        own = self.definition
        if error.what == "labels":
            return KindError(
                "AK426", f"kind `{own.name}` cannot tell alerts apart by `{error.label}`: its signal has no such label",
                "by", f"leave it out, or write `by (<< by >>)` into the signal in {own.path}",
            )  # fmt: skip
        named = [n for n in mentions(f"<< {error.expression} >>") if n in self.fields] if error.expression else []
        return KindError(
            "AK429", f"with these parameters the signal of kind `{own.name}` cannot be used: {error.message}",
            named[0] if len(named) == 1 else "", f"the signal is in {own.path}",
        )  # fmt: skip

    def question(self, context: Context) -> Question:
        signal = self._signal()
        inputs, metric = read_selectors(signal.tree), _metric(signal.tree)
        motion = motion_of(signal.tree)
        if 0 < motion.window < 2 * context.scrape_interval:
            key = next((n for n, v in self._values().items() if v == motion.window and n != "window"), "")
            raise KindError(
                "AK312",
                f"the window {format_duration(motion.window)} is shorter than two scrapes: it would never hold data",
                key or ("window" if "window" in self.fields else ""),
                f"use at least {format_duration(4 * context.scrape_interval)}",
            )
        return Question(
            signal=signal.text, identity=self.identity, metric=metric, operations=self.definition.name, inputs=inputs,
            unit=self._unit(signal), worst=signal.worst, range=self.definition.range,
        )  # fmt: skip

    def _unit(self, signal: Signal) -> Unit:
        unit = self.unit or self.definition.unit
        return unit or (unit_of_metric(_metric(signal.tree)) if keeps_unit(signal.tree) else NUMBER)

    def stimulus(self, context: Context) -> Stimulus | None:
        own, filled = self.definition, self._filled()
        if own.stimulus is None:
            return None
        signal = self._signal()
        if self._is_hit_by_accident(signal):
            return None
        try:
            sources = filled.sources(signal.tree)
            rise, fall = filled.duration("rise"), filled.duration("fall")
        except (StimulusError, TemplateError, ValueError) as error:
            message = str(getattr(error, "message", error))
            raise KindError(
                "AK429", f"with these parameters kind `{own.name}` cannot be tested: {message}", "",
                f"its stimulus is in {own.path}; `tests: off` compiles the alert untested",
            ) from None  # fmt: skip
        return _stimulus(sources, filled.variables(), motion_of(signal.tree), rise, fall)

    def _is_hit_by_accident(self, signal: Signal) -> bool:
        """Whether it fires, or does not, at a number that what is computed may miss by its last bit."""
        motion = motion_of(signal.tree)
        if motion.exact or not {"equals", "not_equals"} & dict(self.conditions).keys():
            return False
        # Sums, differences and products of whole numbers are whole; rates are extrapolated.
        unit = self._unit(signal)
        return any(value != 0 and (motion.window or not value.is_integer()) for value in self.thresholds(unit))

    def why_unproven(self) -> str:
        if self.definition.stimulus is None:
            return f"kind `{self.kind}` says no `stimulus:`: write a scenario or a promtool test for it"
        return f"what kind `{self.kind}` computes hits such a number exactly by accident only: use `above` or `below`"

    def default_summary(self, alert: str) -> str:
        if self.definition.summary is not None:
            return self.definition.summary
        return f"{alert}: {self.definition.description.rstrip('.')} ({{{{ $value | humanize }}}})"

    def variables(self) -> dict[str, object]:
        types = {p.name: p for p in self.definition.parameters}
        return {name: shown(v, types[name].type, types[name].unit) for name, v in self._values().items()}


def _metric(tree: Expr) -> str:
    """The metric that names the signal; empty where it reads none by name."""
    inputs = read_selectors(tree)
    return inputs[0].metric if inputs else next((s.name for use in selectors(tree) if (s := use.selector).name), "")


def _stimulus(
    sources: list[tuple[Selector, Line]], variables: dict[str, object], motion: Motion, rise: int | None,
    fall: int | None,
) -> Stimulus:  # fmt: skip
    varying = [line for _, line in sources if line.varies]
    slopes = [line.word == "rate" for line in varying]
    told = rise is not None or fall is not None
    lines = tuple([line for _, line in sources])
    read = {name for line in lines for name in mentions(line.number)}
    known = tuple([(name, value) for name, value in variables.items() if name in read])
    return Stimulus(
        inputs=tuple(Input(selector) for selector, _ in sources),
        drive=Drive(_driven, (lines, known)),
        rise=motion.rise if rise is None else rise,
        fall=motion.fall if fall is None else fall,
        late=bool(slopes) and all(slopes),
        sticky=motion.sticky and not told,
        exact=motion.exact and all(line.is_value for line in varying) and len(varying) == 1,
        far=motion.far or told or len(set(slopes)) > 1,
        window=motion.window,
        instant=motion.instant and not told,
    )


def _driven(value: float, lines: tuple[Line, ...], variables: tuple[tuple[str, object], ...]) -> Pieces:
    """What the lines say; `variables` are those that they read."""
    result: list[Piece] = []
    for line in lines:
        try:
            result.append(line.piece(dict(variables), value))
        except LineError:  # such as a division by the value 0: the series cannot be
            result.append(Gone())
    return tuple(result)


def kind_of(own: Definition) -> type[Kind]:
    """The class of a definition: its fields are the parameters, its docstring the reference page."""
    fields: dict[str, Any] = {"kind": (Literal[own.name], own.name)}
    names: dict[str, str] = {}
    for parameter in own.parameters:
        field = parameter.name
        if keyword.iskeyword(field) or hasattr(OwnKind, field):
            field += "_"
        names[parameter.name] = field
        default = ... if parameter.required else parameter.default
        alias = parameter.name if field != parameter.name else None
        fields[field] = (parameter.annotation, Field(default, alias=alias, description=parameter.description or None))
    class_name = "".join(part.title() for part in own.name.split("_"))
    kind = cast("type[OwnKind]", create_model(class_name, __base__=OwnKind, __module__=__name__, **fields))
    kind.definition, kind.fields, kind.default_by = own, names, own.by
    kind.__doc__ = _page(own)
    return kind


def _page(own: Definition) -> str:
    """The reference page, in the form of the built-in kinds' docstrings."""
    rows = [own.description.strip(), "", "Parameters"]
    width = max((len(p.name) for p in own.parameters), default=0)
    for p in own.parameters:
        text = p.description or p.type
        rows.append(f"  {p.name:<{width}}  {text}")
    if not own.parameters:
        rows.append("  none")
    rows += ["", "PromQL: `" + " ".join(own.signal.split()) + "`."]
    if own.stimulus is None:
        rows += ["", "Pitfalls: it has no stimulus, so no tests are derived: write scenarios."]
    rows += ["", f"Source: {own.path}."]
    return "\n".join(rows)
