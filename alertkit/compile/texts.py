"""Labels and annotations of a rule: the compiler's own variables put in, Go templates checked and passed through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from alertkit.compile.read import Entry
from alertkit.compile.shown import NAME as VALUE
from alertkit.source import Problems, Span
from alertkit.spec.alert import SpecFile
from alertkit.spec.selector import LABEL_HELP, LABEL_NAME
from alertkit.spec.validate import nearest
from alertkit.template import TemplateError, go, own

if TYPE_CHECKING:
    from alertkit.promql.labels import Labels

RESERVED = frozenset({"alertname", "alertstate", "severity", "system", "team", "le", "quantile", "__name__"})
# Annotations that lead somewhere.
LINKS = ("runbook_url", "dashboard_url")


# Only few texts have a `<< >>`, so the variables are put together when one is met.
Variables = Callable[[], Mapping[str, object]]
# Name and text of an annotation, before `<< >>` is put in, and where it stands in the spec (empty: it does not).
Annotation = tuple[str, str, tuple[str, ...]]


def check_identity(entry: Entry, problems: Problems) -> None:
    """`by` must not name labels that the compiler or Prometheus sets."""
    by = entry.spec.by or ()
    for index, label in enumerate(by):
        if label in RESERVED:
            problems.add(
                "AK401", f"the label `{label}` is reserved", entry.value("by", index),
                "it is set by alertkit or Prometheus itself; leave it out of `by`",
            )  # fmt: skip
        elif label in by[:index]:
            problems.add("AK205", f"`{label}` stands here twice", entry.value("by", index), "remove one of them")
    for axis in entry.variables:
        if axis in RESERVED:
            problems.add(
                "AK401", f"the label `{axis}` is reserved", entry.key("for_each", axis),
                "each variable becomes a label of its copies; choose another name",
            )  # fmt: skip


def check_collisions(entry: Entry, file: SpecFile, identity: Sequence[str], problems: Problems) -> None:
    """Labels that would make alerts alike which must differ: Prometheus refuses to evaluate such a rule."""
    for label, text in {**file.labels, **entry.spec.labels}.items():
        if label in entry.variables:
            message = f"the label `{label}` is what tells the copies of `for_each` apart"
        elif label in identity and "{{" not in text:
            message = f"the label `{label}` tells these alerts apart, and would be the same for all"
        else:
            continue
        problems.add("AK401", message, entry.key("labels", label), "choose another name for the label")


# Annotation -> the key of an alert that says it.
_SAID_BY = {
    "summary": "summary", "description": "description", "runbook_url": "runbook", "dashboard_url": "dashboard",
}  # fmt: skip


def check_annotations(entry: Entry, problems: Problems) -> None:
    """Names of annotations, and none that a key of its own says already."""
    for name in entry.spec.annotations:
        key = _SAID_BY.get(name, "")
        if not LABEL_NAME.match(name):
            problems.add(
                "AK402", f"`{name}` is not the name of an annotation", entry.key("annotations", name),
                LABEL_HELP.replace("a label name", "it"),
            )  # fmt: skip
        elif key and getattr(entry.spec, key) is not None:
            problems.add(
                "AK208", f"`{key}:` says the annotation `{name}` already", entry.key("annotations", name),
                "keep one of them",
            )  # fmt: skip


def check_labels(labels: Mapping[str, object], place: Callable[[str], Span], problems: Problems) -> None:
    """Names of labels that users set, `place` gives the span of one."""
    for label in labels:
        span = place(label)
        if not LABEL_NAME.match(label):
            problems.add(
                "AK402", f"`{label}` is not a label name", span,
                LABEL_HELP,
            )  # fmt: skip
        elif label in RESERVED or label.startswith("__"):
            key = {"severity": "`severity:`", "system": "`system:`", "team": "`team:`"}.get(label)
            advice = f"say it with {key}" if key else "choose another name"
            problems.add("AK401", f"the label `{label}` is reserved", span, advice)


class Texts:
    """Puts texts of one alert into their final form; one problem for one mistake, also with several levels."""

    def __init__(self, entry: Entry, available: frozenset[str] | Labels | None, problems: Problems) -> None:
        self._entry = entry
        self._available = available
        self._problems = problems
        self._checked: set[tuple[str | int, ...]] = set()
        # Whether any text so far had a `<< >>`, so that levels may differ in what it says.
        self.vary = False

    def render(self, text: str, path: tuple[str | int, ...], variables: Variables, is_label: bool = False) -> str:
        """The text with `<< >>` put in; its Go template is checked once. `path` is where it stands in the spec."""
        if "{{" not in text and "<<" not in text:
            return text
        first = path not in self._checked
        self._checked.add(path)
        if first and "{{" in text:
            self._check(text, path, is_label)
        if "<<" not in text:
            return text
        self.vary = True
        try:
            return own.render(text, variables())
        except TemplateError as error:
            for mistake in own.mistakes(text, variables()) or [error] if first else ():
                self._mistake(mistake, text, path, variables)
            return text

    def annotations(self, said: Iterable[Annotation], variables: Variables) -> tuple[tuple[str, str], ...]:
        """Annotations in their final form."""
        return tuple([(name, self.render(text, path, variables) if path else text) for name, text, path in said])

    def _mistake(self, error: TemplateError, text: str, path: tuple[str | int, ...], variables: Variables) -> None:
        """Report what is wrong in one `<< >>`."""
        message = error.message
        if message.startswith("unknown variable"):
            if self._entry.may_name(text[error.offset : error.offset + error.length]):
                return
            message = message.partition(", there are ")[0]  # the help lists what there is
        span = self._place(error.offset, error.length, path)
        self._problems.add("AK404", message, span, "variables here: " + ", ".join(sorted(variables())))

    def _place(self, offset: int, length: int, path: tuple[str | int, ...]) -> Span:
        """A place inside a text; of a text that comes from the kind, the alert's name."""
        return self._entry.within(offset, length, *path) if self._entry.has(*path) else self._entry.span

    def _check(self, text: str, path: tuple[str | int, ...], is_label: bool) -> None:
        found, shift = go.analysed(text)
        for error in found.errors:
            span = self._place(error.offset, error.length, path)
            self._problems.add(
                "AK403",
                error.message,
                span,
                "Prometheus templates are Go templates: `{{ $labels.name }}`, `{{ $value }}`",
            )
        if found.queries:
            self._check_queries(text, path)
        if is_label and found.uses_value:
            self._problems.add(
                "AK405", "a label must not hold the value: each change would be a new alert and `for` never matures",
                self._entry.value(*path), "put it into an annotation",
            )  # fmt: skip
        for label in found.labels:
            if not self._may_have(label.name):
                span = self._place(label.offset + shift, label.length, path)
                self._lacks(label.name, span, self._advice(label.name), self._entry.is_own(*path))

    def _lacks(self, label: str, span: Span, help: str, own: bool) -> None:
        """The alert cannot have a label; of a text that several share, all of them that cannot are named."""
        rest = f" cannot have the label `{label}`"
        if own:
            self._problems.add("AK406", f"the alert{rest}", span, help)
            return
        name = f"`{self._entry.name}`"
        for index, other in enumerate(self._problems):
            if (other.code, other.span, other.help) == ("AK406", span, help) and other.message.endswith(rest):
                if name not in other.message:
                    names = other.message.removesuffix(rest)
                    self._problems[index] = replace(other, message=f"{names}, {name}{rest}")
                return
        self._problems.add("AK406", f"{name}{rest}", span, help)

    def _check_queries(self, text: str, path: tuple[str | int, ...]) -> None:
        """PromQL that a template asks: Prometheus finds its mistakes only when the alert fires."""
        for query in go.queries(text):
            if "<<" in query.text:
                continue
            from alertkit.promql import PromqlError, parse

            try:
                parse(query.text)
            except PromqlError as error:
                span = self._place(*go.place_in_query(text, query, error.offset, error.length), path)
                self._problems.add(
                    "AK411", error.message, span, "this query is not PromQL that all supported servers answer"
                )

    def _may_have(self, name: str) -> bool:
        available = self._available
        if isinstance(available, frozenset):
            return name in available
        return available is None or available.may_have(name)

    def _advice(self, name: str) -> str:
        """What to do about a label that the alert cannot have."""
        assert self._available is not None
        is_open = not isinstance(self._available, frozenset) and self._available.open
        available = self._available if isinstance(self._available, frozenset) else self._available.names
        available = frozenset() if is_open else available - {"__name__"}
        near = nearest(name, available)
        spec = self._entry.spec
        has = ", ".join(sorted(available)) or "none"
        if name in ("severity", "system", "team", "alertname"):
            help = f"labels of the rule are not in $labels; write `<< {'alert' if name == 'alertname' else name} >>`"
        elif name in self._entry.variables:
            help = f"it is a variable of `for_each`; write `<< {name} >>`"
        elif near:
            help = f"did you mean `{near}`?"
        elif is_open:
            help = "the expression removes it from its result"
        elif spec.label_advice:
            help = f"its labels: {has}; {spec.label_advice.format(name=name)}"
        else:
            help = f"its labels: {has}"
        return help


def annotations_of(entry: Entry, file: SpecFile, value: str | None) -> list[Annotation]:
    """The annotations of an alert: summary, description, the value as `value` shows it, links, then the user's own."""
    spec = entry.spec
    own, summary, description = spec.annotations, spec.summary, spec.description
    result: list[Annotation] = []
    if "summary" not in own:
        said = spec.default_summary(entry.name) if summary is None else summary
        result.append(("summary", said, ("summary",)))
    if description is not None:
        result.append(("description", description, ("description",)))
    if value is not None and VALUE not in own:
        result.append((VALUE, value, ()))
    runbook = spec.runbook
    if runbook is None and file.runbooks:
        base = file.runbooks
        runbook = base.replace("{alert}", entry.name) if "{alert}" in base else f"{base.rstrip('/')}/{entry.name}"
    if runbook and "runbook_url" not in own:
        result.append(("runbook_url", runbook, ("runbook",)))
    if dashboard := spec.dashboard:
        result.append(("dashboard_url", dashboard, ("dashboard",)))
    return result + [(name, text, ("annotations", name)) for name, text in sorted(own.items())] if own else result
