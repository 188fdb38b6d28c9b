"""One spec file to one `System`: the compiler's main path."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from alertkit.compile import claim as claims
from alertkit.compile.asking import ask, ask_doubtful
from alertkit.compile.checks import (
    check_companions,
    check_inputs,
    check_memory,
    check_names_of_routing,
    check_promql,
    check_window,
)
from alertkit.compile.expression import Draft, draft, firing, gone, guarded
from alertkit.compile.levels import Level, by_gravity, check_quantities, check_severities, levels_of
from alertkit.compile.read import Entry, numeric, read_spec
from alertkit.compile.records import Drafted, DraftedRule, recorded
from alertkit.compile.ruleset import Alert, Pairs, Rule, System
from alertkit.compile.settings import Settings
from alertkit.compile.shown import shown_value
from alertkit.compile.texts import (
    LINKS,
    Annotation,
    Texts,
    Variables,
    annotations_of,
    check_annotations,
    check_collisions,
    check_identity,
    check_labels,
)
from alertkit.compile.unless import Copy, Identity, check_unless, explained
from alertkit.kinds import Comparison, Context, KindError, Question, Registry, Stimulus
from alertkit.kinds.base import MeasuredKind
from alertkit.source import Document, Problems
from alertkit.spec.alert import SpecFile
from alertkit.spec.duration import format_duration

if TYPE_CHECKING:
    from alertkit.promql.labels import Labels

# Keys that other checks of an alert do not depend on, so that they hold whatever was meant to stand there.
FREE = frozenset({
    "for", "keep_firing_for", "severity", "labels", "annotations", "summary", "description", "runbook", "dashboard",
    "active", "mute", "notify", "unless", "missing", "enabled", "tests",
})  # fmt: skip


def compile_system(
    document: Document, path: str, registry: Registry, settings: Settings, problems: Problems
) -> System | None:
    """Compile one spec file; `path` is its name as comments show it. None after any problem in it."""
    before = len(problems)
    read = read_spec(document, registry, problems)
    if read is None:
        return None
    file, entries = read
    check_labels(file.labels, lambda label: document.key(("labels", label)), problems)
    check_labels(file.defaults.labels, lambda label: document.key(("defaults", "labels", label)), problems)
    compiler = _Compiler(file, document, settings, problems, registry)
    # Not by `map`: a StopIteration in a kind would end it without a word.
    drafted = [d for d in [compiler.alert(entry) for entry in entries] if d is not None and d.entry.spec.enabled]
    check_unless(entries, file.alerts.keys(), problems)
    check_companions(drafted, problems)
    records, names = recorded(file.system, drafted)
    explaining = {other.alert for d in drafted for other in d.entry.spec.unless}
    others: dict[str, list[Copy]] = {}
    for d in drafted:
        if d.entry.name in explaining:
            identity = Identity(d.question.identity, tuple(d.entry.variables))
            others.setdefault(d.entry.name, []).append(Copy(identity, d.entry.variables))
    alerts = []
    for d in drafted:
        finished = compiler.finish(d, names, others)
        if d.entry.spec.user_promql or registry.is_plugin(d.entry.spec.kind):
            check_promql(d, finished, names, problems)
        alerts += finished
    if len(problems) > before:
        return None
    return System(
        name=file.system, team=file.team, path=path, interval=file.interval, records=records, alerts=tuple(alerts)
    )


class _Compiler:
    def __init__(
        self, file: SpecFile, document: Document, settings: Settings, problems: Problems, registry: Registry
    ) -> None:
        self.registry = registry
        self.file = file
        self.document = document
        self.settings = settings
        self.problems = problems

    def alert(self, entry: Entry) -> Drafted | None:
        """Draft one alert; None after a problem."""
        before = len(self.problems)
        spec = entry.spec
        check_identity(entry, self.problems)
        check_annotations(entry, self.problems)
        check_labels(spec.labels, lambda label: entry.key("labels", label), self.problems)
        check_severities(entry, self.settings.severities, self.problems)
        check_names_of_routing(entry, self.settings, self.problems)
        if entry.doubts - FREE:
            self._check_doubtful(entry)
            return None
        check_window(entry, self.settings, self.problems)
        check_memory(entry, self.file.interval or self.settings.evaluation_interval, self.problems)
        asked = ask(entry, self._context(entry), self.registry, self.problems)
        if asked is None:
            self._check_texts(entry)
            return None
        question, stimulus = asked
        question = by_gravity(question, self.settings.severities)
        check_inputs(entry, question, self.problems)
        check_collisions(entry, self.file, question.known_identity, self.problems)
        levels, clear = levels_of(entry, question, self.settings.severities, self.problems)
        if not levels:
            self._check_texts(entry, _labels_of(question))
            return None
        said = annotations_of(entry, self.file, self._value(entry, question, levels, stimulus))
        rules = self._rules(entry, question, levels, clear, said)
        companion = self._companion(entry, question, levels[0].severity, said) if spec.missing == "alert" else None
        if len(self.problems) > before:
            return None
        claim, unproven = None, ""
        if stimulus is not None:
            unproven = claims.obstacle(entry.name, question, stimulus, not spec.user_promql)
        if stimulus is not None and not unproven:
            claim = claims.derive(question, stimulus, levels, clear, companion.alert if companion else None)
        return Drafted(entry, question, rules, companion, claim, unproven)

    def _context(self, entry: Entry) -> Context:
        return Context(self.settings.scrape_interval, self.file.system, entry.name)

    def _check_doubtful(self, entry: Entry) -> None:
        """Of an alert of which not all keys could be read: what is wrong with it, whatever they were meant to say."""
        question, doubts = None, entry.doubts - FREE
        if doubts <= numeric(type(entry.spec)):
            question = ask_doubtful(entry, self._context(entry), self.registry, self.problems)
        if question is not None:
            check_inputs(entry, question, self.problems)
            check_collisions(entry, self.file, question.known_identity, self.problems)
            if "unit" not in doubts:
                check_quantities(entry, question, self.settings.severities, self.problems)
        self._check_texts(entry, None if question is None else _labels_of(question))

    def _check_texts(self, entry: Entry, labels: frozenset[str] | Labels | None = None) -> None:
        """Of an alert that cannot be compiled: what is wrong with its texts, with any labels or with these."""
        if self.registry.is_plugin(entry.spec.kind):
            return  # who knows what its summary does
        severity = entry.spec.severity or "warning"
        texts = Texts(entry, labels, self.problems)

        def variables() -> dict[str, object]:
            return self._variables(entry, Level(severity, (), ""))

        with suppress(KindError):  # from a summary that needs what is wrong
            texts.annotations(annotations_of(entry, self.file, None), variables)
            self._labels(entry, severity, texts, variables)

    def _rules(
        self,
        entry: Entry,
        question: Question,
        levels: tuple[Level, ...],
        clear: Comparison | None,
        said: list[Annotation],
    ) -> list[DraftedRule]:
        texts = Texts(entry, _labels_of(question), self.problems)
        rules = []
        annotations: Pairs | None = None
        for index, level in enumerate(levels):
            if question.forms:
                drafted = Draft(guarded(question.forms[index].expr, question), ())
            elif level.comparisons:
                keep = None
                if clear is not None and index == 0:
                    identity, system = question.known_identity, self.file.system
                    keep = (clear, firing(entry.name, level.severity, system, identity, entry.variables))
                drafted = draft(question, level.comparisons, keep)
            else:
                drafted = Draft(guarded(question.signal, question), ())

            def variables(level: Level = level) -> dict[str, object]:
                return self._variables(entry, level)

            if annotations is None or texts.vary:
                annotations = texts.annotations(said, variables)
            rules.append((self._labels(entry, level.severity, texts, variables), annotations, drafted))
        return rules

    def _value(
        self, entry: Entry, question: Question, levels: tuple[Level, ...], stimulus: Stimulus | None
    ) -> str | None:
        """How the value is shown; None for a kind that measures none.

        Where a proof cannot foretell the value, it would no more compare any text: shown only if another one shows it.
        """
        spec = entry.spec
        if not isinstance(spec, MeasuredKind):
            return None
        if stimulus is not None and stimulus.drifts:
            summary = spec.default_summary(entry.name) if spec.summary is None else spec.summary
            others = (summary, spec.description or "", *spec.annotations.values())
            if not any("value" in text.lower() for text in others):
                return None
        return shown_value(question.unit, levels, stimulus is None or stimulus.exact)

    def _variables(self, entry: Entry, level: Level) -> dict[str, object]:
        spec = entry.spec
        window = entry.given("window")
        variables: dict[str, object] = {
            "alert": entry.name, "system": self.file.system, "team": self.file.team, "severity": level.severity,
            "threshold": level.shown, "for": format_duration(spec.for_),
        }  # fmt: skip
        if isinstance(window, int):
            variables["window"] = format_duration(window)
        for name in ("quantile", "objective", "metric", "job", "limit"):
            value = entry.given(name)
            if value is not None:
                variables[name] = str(value)
        variables.update(spec.variables())
        variables.update(entry.variables)
        return variables

    def _labels(self, entry: Entry, severity: str, texts: Texts, variables: Variables) -> Pairs:
        fixed = _fixed_labels(severity, self.file.system, self.file.team)
        own = {**entry.variables, **self.file.labels, **entry.spec.labels}
        if not own:
            return fixed
        rendered = [(name, texts.render(own[name], ("labels", name), variables, True)) for name in sorted(own)]
        return (*fixed, *rendered)

    def _companion(self, entry: Entry, question: Question, severity: str, said: list[Annotation]) -> Rule:
        """The rule that fires when this alert's data is gone."""
        spec = entry.spec
        patience = max(spec.for_, 2 * self.settings.scrape_interval)
        texts = Texts(entry, None, self.problems)

        def variables() -> dict[str, object]:
            return self._variables(entry, Level(severity, (), ""))

        metrics = dict.fromkeys(selector.metric for selector in question.inputs)
        both = question.together and len(metrics) > 1
        what = f"{' and '.join(metrics)} are" if both else f"{' or '.join(metrics)} is"
        summary = f"No data for {entry.name}: {what} missing"
        shared = texts.annotations([link for link in said if link[0] in LINKS], variables)
        # What is gone has not surely the labels that a link's template may name.
        links = [(name, url) for name, url in shared if "{{" not in url]
        expr = gone(question.known_identity, question.inputs, patience, question.together)
        return Rule(
            alert=f"{entry.name}Missing", expr=expr, for_=patience, keep_firing_for=0,
            labels=self._labels(entry, severity, texts, variables), annotations=(("summary", summary), *links),
            span=entry.key("missing"),
        )  # fmt: skip

    def finish(self, drafted: Drafted, names: dict[str, str], others: dict[str, list[Copy]]) -> list[Alert]:
        entry, spec = drafted.entry, drafted.entry.spec
        identity, variables = drafted.question.identity, tuple(entry.variables)
        for_, keep_firing_for, unless = spec.for_, spec.keep_firing_for, spec.unless
        rules = []
        for labels, written, condition in drafted.rules:
            expr = drafted.fill(condition, names)
            if unless:
                expr = explained(expr, entry, self.file.system, identity, others)
            rules.append(Rule(entry.name, expr, for_, keep_firing_for, labels, written, entry.span))
        unproven = drafted.unproven
        if drafted.claim is None and not unproven:
            unproven = "`tests: off`" if spec.tests == "off" else spec.why_unproven()
        alert = Alert(
            name=entry.name, system=self.file.system, rules=tuple(rules), identity=identity, span=entry.span,
            variables=variables, unless=tuple([other.alert for other in unless]),
            notify=spec.notify, active=spec.active, mute=spec.mute, claim=drafted.finished_claim(),
            heartbeat=entry.given("receiver"), unproven=unproven,
            notes=tuple([f"{entry.within(at, size, 'expr')}: {said}" for said, at, size in drafted.question.notes]),
        )  # fmt: skip
        if drafted.companion is None:
            return [alert]
        companion = Alert(
            name=drafted.companion.alert, system=self.file.system, rules=(drafted.companion,), identity=identity,
            span=drafted.companion.span, variables=variables, notify=spec.notify, active=spec.active, mute=spec.mute,
            companion=True,
        )  # fmt: skip
        return [alert, companion]


@lru_cache(maxsize=256)
def _fixed_labels(severity: str, system: str, team: str) -> Pairs:
    return (("severity", severity), ("system", system), *([("team", team)] if team else []))


def _labels_of(question: Question) -> frozenset[str] | Labels | None:
    """The labels that the alert's texts may name; None where that is not known."""
    if question.labels is None and question.identity is not None:
        return _names(question.identity, question.fixed_labels)
    return question.labels


@lru_cache(maxsize=256)
def _names(identity: tuple[str, ...], fixed_labels: Pairs) -> frozenset[str]:
    return frozenset(identity).union(dict(fixed_labels))
