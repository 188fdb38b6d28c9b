"""Reading `rules_src/kinds/NAME.yaml`: every mistake in it is found before any alert uses the kind."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from alertkit.kinds.base import Kind, MeasuredKind
from alertkit.kinds.own import BY, VALUE, Definition, Filled, Parameter, StimulusError, kind_of
from alertkit.kinds.own_signal import SignalError
from alertkit.kinds.own_types import EXAMPLES, TYPES, annotation
from alertkit.kinds.registry import BUILT_IN, Registry
from alertkit.promql import Expr
from alertkit.source import Document, Problems, Span
from alertkit.source.yaml_files import yaml_files
from alertkit.spec.alert import Text, UnitField
from alertkit.spec.project import load_file, shown_path
from alertkit.spec.quantity import parse_quantity
from alertkit.spec.salvage import StandIns, read
from alertkit.spec.selector import LabelName, Selector
from alertkit.spec.validate import Model, field_names, suggest
from alertkit.template import TemplateError, go, mentions, render

FOLDER = "kinds"
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z", re.ASCII)
# Variables that every text of an alert has; a parameter must not hide them.
_COMMON = frozenset({"alert", "system", "team", "severity", "threshold"})
_OPERATORS = ("not", "and", "or", "in", "is", "if", "else", "true", "false", "none")
# `receiver` is how the rest of the compiler knows a heartbeat.
_TAKEN = frozenset((*field_names(MeasuredKind), *_COMMON, *_OPERATORS, BY, VALUE, "receiver"))
_PROBE = "alertkit_probe"


def _type(value: Any) -> str:
    if not isinstance(value, str) or value not in TYPES:
        raise PydanticCustomError(
            "AK421", "`{shown}` is not a type of parameters",
            {"shown": str(value)[:40], "help": suggest(str(value), TYPES)},
        )  # fmt: skip
    return value


def _line(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value
    raise PydanticCustomError("AK427", "expected what the series does", {"help": "write `<< value >>`"})


def _bounds(value: Any) -> tuple[float, float]:
    if isinstance(value, list) and len(value) == 2:
        ends = [_bound(end, sign) for end, sign in zip(value, (-1, 1), strict=True)]
        if None not in ends and ends[0] < ends[1]:  # type: ignore[operator]
            return ends[0], ends[1]  # type: ignore[return-value]
    raise PydanticCustomError(
        "AK302", "expected the lowest and the highest value",
        {"help": "write `range: [0, 1]`; `[0, null]` has no upper end"},
    )  # fmt: skip


def _bound(value: Any, sign: int) -> float | None:
    if value is None:
        return sign * float("inf")
    if isinstance(value, bool):
        return None
    quantity = parse_quantity(str(value))
    if quantity is None:
        return float(value) if isinstance(value, float) and value == value else None
    return float(quantity.amount * quantity.unit.scale)


# A range may have no end.
End = Annotated[float, Field(allow_inf_nan=True)]


class ParameterSpec(Model):
    """One entry of `parameters:`."""

    type: Annotated[str, BeforeValidator(_type)]
    default: Any = None
    choices: tuple[Text, ...] = ()
    unit: UnitField | None = None
    description: Text = ""


class KindFile(Model):
    """The keys of a kind file."""

    description: Text
    parameters: dict[str, ParameterSpec] = Field(default_factory=dict)
    by: tuple[LabelName, ...] = ()
    unit: UnitField | None = None
    signal: Text
    stimulus: dict[str, Annotated[str, BeforeValidator(_line)]] | None = None
    summary: Text | None = None
    rise: Text | None = None
    fall: Text | None = None
    range: Annotated[tuple[End, End], BeforeValidator(_bounds)] = (float("-inf"), float("inf"))


def read_kinds(folder: Path, problems: Problems) -> Registry:
    """The built-in kinds and those of `folder` (it need not exist); mistakes become problems."""
    own: dict[str, type[Kind]] = {}
    files = yaml_files(folder)
    for path in files:
        kind = _read(path, own, problems)
        if kind is not None:
            own[path.stem] = kind
    broken = frozenset(path.stem for path in files if path.stem not in own)
    return Registry(own, _digest(files), broken)


def _digest(files: list[Path]) -> str:
    """Stands for the names and texts of all files."""
    content = hashlib.sha256()
    for path in files:
        try:
            raw = path.read_bytes()
        except OSError:  # it is a problem already
            raw = b""
        content.update(os.fsencode(path.name) + f"\0{len(raw)}\0".encode() + raw)
    return content.hexdigest()


def _read(path: Path, own: dict[str, type[Kind]], problems: Problems) -> type[Kind] | None:
    name, top = path.stem, Span(shown_path(path), 1, 1)
    before = len(problems)
    if not _NAME.match(name):
        problems.add(
            "AK420", f"`{name}` cannot be the name of a kind", top,
            "name the file by small letters, digits and `_`, beginning with a letter",
        )  # fmt: skip
    elif name in BUILT_IN:
        problems.add("AK420", f"there is a built-in kind `{name}`", top, "rename this file")
    elif name in own:
        problems.add("AK420", f"two files define the kind `{name}`", top, "keep one of them")
    document = load_file(path, problems, partly=True)
    if document is None:
        return None
    if not isinstance(document.data, dict):
        problems.add("AK203", "a kind file is a mapping", document.value(()), "begin with `description:`")
        return None
    file, _, doubts = read(KindFile, document, (), document.data, problems, stand_ins=lambda: _STAND_INS)
    if file is None:
        return None
    definition = _Check(name, file, document, doubts, problems).definition()
    return kind_of(definition) if len(problems) == before else None


# Of a file whose own keys have mistakes, the rest is checked all the same.
_STAND_INS: StandIns = {"description": ("unread",), "signal": ("unread",)}


class _Check:
    """Everything about one file that its model cannot tell; `doubts` are keys that could not be read."""

    def __init__(
        self, name: str, file: KindFile, document: Document, doubts: frozenset[str], problems: Problems
    ) -> None:
        self.name, self.file, self.document, self.doubts, self.problems = name, file, document, doubts, problems

    def definition(self) -> Definition:
        file = self.file
        before = len(self.problems)
        parameters = tuple(self._parameter(name, spec) for name, spec in file.parameters.items())
        sound = len(self.problems) == before
        definition = Definition(
            name=self.name, path=self.document.path, description=file.description, parameters=parameters, by=file.by,
            unit=file.unit, signal=file.signal, summary=file.summary, rise=file.rise, fall=file.fall, range=file.range,
            stimulus=None if file.stimulus is None else tuple(file.stimulus.items()),
        )  # fmt: skip
        if not self.doubts & {"parameters", "signal", "stimulus", "summary", "rise", "fall"}:
            self._unused(definition)
        self._summary(definition)
        if sound and not self.doubts & {"parameters", "signal", "stimulus", "by", "rise", "fall"}:
            self._templates(definition)
        return definition

    def _parameter(self, name: str, spec: ParameterSpec) -> Parameter:
        path = ("parameters", name)
        add = self.problems.add
        if not _NAME.match(name):
            help = "use small letters, digits and `_`, beginning with a letter"
            add("AK421", f"`{name}` cannot be the name of a parameter", self.document.key(path), help)
        elif name in _TAKEN:
            add("AK421", f"`{name}` means something else already", self.document.key(path), "choose another name")
        if (spec.type == "choice") != bool(spec.choices):
            place = self.document.key((*path, "choices"))
            if spec.choices:
                add("AK421", f"`choices` has no effect on type {spec.type}", place, "write `type: choice`")
            else:
                add("AK421", "a choice needs `choices`", place, "write `choices: [a, b]`")
                return Parameter(name, "text", Text, True)
        if spec.unit is not None and spec.type != "quantity":
            place = self.document.key((*path, "unit"))
            add("AK421", f"`unit` has no effect on type {spec.type}", place, "write `type: quantity`")
        kind = annotation(spec.type, spec.choices, spec.unit)
        required = "default" not in spec.model_fields_set
        default = None if required else self._default(kind, spec, path)
        return Parameter(name, spec.type, kind, required, default, spec.description, spec.unit)

    def _default(self, kind: Any, spec: ParameterSpec, path: tuple[str, ...]) -> Any:
        try:
            return TypeAdapter(kind).validate_python(spec.default)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            help = str((first.get("ctx") or {}).get("help", "")) or first["msg"]
            word = "one of its choices" if spec.type == "choice" else f"of its type {spec.type}"
            place = self.document.value((*path, "default"))
            self.problems.add("AK422", f"the default is not {word}", place, f"{help[:1].lower()}{help[1:]}")
            return None

    def _unused(self, definition: Definition) -> None:
        """A parameter that nothing mentions is a slip of the pen."""
        texts = [definition.signal, definition.summary or "", definition.rise or "", definition.fall or ""]
        texts += [text for pair in definition.stimulus or () for text in pair]
        used = {name for text in texts for name in mentions(text)}
        for parameter in definition.parameters:
            if parameter.name not in used and _readable(texts):
                self.problems.add(
                    "AK421", f"the parameter `{parameter.name}` is used nowhere",
                    self.document.key(("parameters", parameter.name)),
                    f"write `<< {parameter.name} >>` into the signal, or remove it",
                )  # fmt: skip

    def _summary(self, definition: Definition) -> None:
        text = definition.summary
        if text is None:
            return
        for error in go.check(text):
            span = self.document.within(("summary",), error.offset, error.length)
            self.problems.add("AK403", error.message, span, "write Go templates like `{{ $value | humanize }}`")
        if "parameters" in self.doubts:
            return
        known: dict[str, Any] = dict.fromkeys((*_COMMON, "for", *(p.name for p in definition.parameters)), "x")
        self._render("summary", text, known)

    def _render(self, key: str, text: str, variables: dict[str, Any]) -> str | None:
        try:
            return render(text, variables)
        except TemplateError as error:
            # With stand-ins for values, only what does not depend on them is certain.
            if "unknown" in error.message or not _readable([text]):
                span = self.document.within((key,), error.offset, error.length)
                self.problems.add("AK423", error.message, span, _known(variables))
            return None

    def _templates(self, definition: Definition) -> None:
        """Fill in the defaults, and an example where there is none; then all must hold."""
        values = {}
        for p in definition.parameters:
            example = self.file.parameters[p.name].choices[0] if p.type == "choice" else EXAMPLES[p.type]
            if isinstance(example, Selector):  # two metrics are seldom the same
                example = Selector(f"{example.metric}_{p.name}")
            values[p.name] = example if p.required else p.default
        by = tuple(dict.fromkeys([*definition.by, _PROBE])) if BY in mentions(definition.signal) else definition.by
        filled = Filled(definition, values, by, ())
        for key in ("rise", "fall"):
            self._duration(filled, key)
        try:
            signal = filled.signal()
        except SignalError as error:
            self._signal_problem(error, filled)
            self._lines(filled, None)
        else:
            self._lines(filled, signal.tree)

    def _duration(self, filled: Filled, key: str) -> None:
        text: str | None = getattr(filled.definition, key)
        try:
            filled.duration(key)
        except TemplateError as error:
            span = self.document.within((key,), error.offset, error.length)
            self.problems.add("AK423", error.message, span, _known(filled.variables()))
        except ValueError as error:
            help = "write a duration like 5m, or a parameter: `<< window >>`"
            self.problems.add("AK301", str(error), self.document.value((key,)), help if text else "")

    def _signal_problem(self, error: SignalError, filled: Filled) -> None:
        span = self.document.within(("signal",), error.offset, error.length or 1)
        if error.what == "template":
            self.problems.add("AK423", error.message, span, _known(filled.variables()))
        elif error.what == "promql":
            help = "the signal is PromQL with `<< >>`"
            if error.expression is not None:
                help = "a text stands inside quotes; for other parts of an expression use type label, choice or number"
            self.problems.add("AK424", error.message, span, help)
        elif error.what == "vector":
            self.problems.add(
                "AK425", error.message, self.document.value(("signal",)),
                "use a function over the range, like `rate(x[5m])`, or a metric",
            )  # fmt: skip
        else:
            label = "labels of `by`" if error.label == _PROBE else f"label `{error.label}`"
            self.problems.add(
                "AK426", f"the result of the signal lacks the identity: it has lost the {label}",
                self.document.value(("signal",)), "keep them in every aggregation: `max by (<< by >>) (...)`",
            )  # fmt: skip

    def _lines(self, filled: Filled, tree: Expr | None) -> None:
        lines = filled.definition.stimulus
        before = len(self.problems)
        for number in range(len(lines or ())):
            try:
                filled.source(number, tree)
            except StimulusError as error:
                self._stimulus_problem(error, filled)
        if lines is not None and len(self.problems) == before and not any(VALUE in mentions(what) for _, what in lines):
            self.problems.add(
                "AK427", "nothing in the stimulus depends on `value`, so it cannot drive the signal",
                self.document.key(("stimulus",)), "write `<< value >>` on the right side of a line",
            )  # fmt: skip

    def _stimulus_problem(self, error: StimulusError, filled: Filled) -> None:
        key, _ = (filled.definition.stimulus or ())[error.line]
        path = ("stimulus", key)
        if error.series:
            span = self.document.key(path)
            line = self.document.text.split("\n")[span.line - 1]
            quoted = line[span.column - 1 : span.column] in ("'", '"')
            span = Span(span.path, span.line, span.column + error.offset + quoted, error.length)
        else:
            span = self.document.within(path, error.offset, error.length)
        code = {"template": "AK423", "unread": "AK428"}.get(error.what, "AK427")
        self.problems.add(code, error.message, span, error.help or _known(filled.variables()))


def _readable(texts: list[str]) -> bool:
    """Whether every `<< >>` in them can be read at all."""
    for text in texts:
        try:
            render(text, {})
        except TemplateError as error:
            if not error.message.startswith("unknown variable"):
                return False
    return True


def _known(variables: dict[str, Any]) -> str:
    return "known here: " + ", ".join(sorted(variables))
