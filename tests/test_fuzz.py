# ruff: noqa: E501
"""No input ends in a traceback or a hang: whatever is fed to the compiler comes out as rules or as located problems.

ALERTKIT_FUZZ=20000 tries more than the few examples of every day, and other ones each time.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertkit.compile.ruleset import System
from alertkit.compile.settings import Settings
from alertkit.compile.system import compile_system
from alertkit.emit.promtool import test_file as promtool_file
from alertkit.emit.rules import rules_file
from alertkit.kinds import Registry
from alertkit.kinds.registry import BUILT_IN
from alertkit.prove.derived.cases import proofs_of
from alertkit.source import Problems, load
from alertkit.source.problem import draw_all, plain_lines
from alertkit.spec.project import read_text
from alertkit.spec.validate import field_names

MORE = int(os.environ.get("ALERTKIT_FUZZ", "0"))
REGISTRY = Registry()
SETTINGS = Settings(receivers=frozenset({"slack"}), calendars=frozenset({"office"}))


def fuzz(examples: int) -> settings:
    return settings(
        max_examples=MORE or examples, derandomize=not MORE, database=None,
        deadline=10_000 if MORE else None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def compiled(text: str) -> System | None:
    """Compile one file as the command does; what comes out must be whole and its problems must be in the text."""
    problems = Problems()
    document = load(text, "fuzz.yaml", problems, partly=True)
    read = bool(problems)
    system = compile_system(document, "fuzz.yaml", REGISTRY, SETTINGS, problems) if document else None
    assert bool(problems) == (read or system is None)
    system = None if problems else system
    lines = plain_lines(text).split("\n")
    for problem in problems:
        assert problem.span is not None and problem.message and not problem.message.endswith(".")
        line, column, length = problem.span.line, problem.span.column, problem.span.length
        assert 1 <= line <= len(lines) and length >= 1, problem
        assert 1 <= column <= len(lines[line - 1]) + 1, problem
    drawn = draw_all(problems, line_of=lambda path, line: lines[line - 1] if line <= len(lines) else None)
    assert len(drawn) < 100_000 * (1 + len(problems))
    if system is not None:
        rules = yaml.safe_load(rules_file(system))
        assert [group["name"] for group in rules["groups"]] == [system.name]
        groups = [proof.group for proof in proofs_of(system)]
        tests = yaml.safe_load(promtool_file("# fuzz\n", ["a.yml"], [system.name], 60_000, groups))
        assert len(tests["tests"] or ()) == len(groups)
    return system


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
words = st.sampled_from([
    "{{ $value }}", "{{ $labels.job }}", "{{", "}}", "{{ $value | humanize }}", "{{ printf \"%.1f\" $value }}",
    "<< threshold >>", "<< name >>", "<<", ">>", "<< 1 / 0 >>", "<< 'a' * 9 >>", "system", "- ", ": ", "#", "|", ">",
    "{", "[", "]", "}", ",", "'", '"', "\t", "\n", "\n  ", "\\", "&a", "*a", "!!str", "---", "...", "%", "@", "`", "?",
    "\u2028", "\x07", "\ufeff", "\r", "🔥", "ü", "\x85", "\\u2028", "~", "null", "0x1f", ".inf", ".nan", "-.inf",
])  # fmt: skip
template_texts = st.lists(st.one_of(words, st.text(max_size=6)), max_size=6).map("".join)
durations = st.one_of(
    st.sampled_from(["0", "0s", "1ms", "7ms", "15s", "30s", "1m", "5m", "7m13s", "1h", "24h", "1w", "292y", "5 m", "-5m", "h"]),
    st.builds("{}{}".format, st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "h", "d", "w", "y", ""])),
)  # fmt: skip
quantities = st.one_of(
    st.integers(-(10**20), 10**20), st.floats(), st.sampled_from([0, 1, 5, 100]),
    st.builds(
        "{}{}".format, st.one_of(st.integers(-10, 10**6), st.floats(0, 1e6), st.sampled_from(["1e250", "1e-250", ".5", "99.9"])),
        st.sampled_from(["", "%", "ms", "s", "m", "h", "d", "B", "MB", "GiB", "/s", "/min", "MB/s", "x", "/x"]),
    ),
)  # fmt: skip
names = st.sampled_from(
    ["queue_length", "lag_seconds", "up", "requests_total", "mem_bytes", "share_ratio", "a:b", "x", "5x", "", "ü"]
)
matchers = st.builds(
    '{}{}"{}"'.format, st.sampled_from(["job", "code", "le", "__name__", "a-b"]), st.sampled_from(["=", "!=", "=~", "!~"]),
    st.one_of(
        st.sampled_from(["api", "", "5..", "a|b", "(", "(a+)+b|a{40}", "((a{64}){64}){64}", "[", "\\\\d+", "(?i)x", ".*"]),
        st.text(max_size=8),
    ),
)  # fmt: skip
selectors = st.one_of(names, st.builds("{}{{{}}}".format, names, st.lists(matchers, max_size=3).map(",".join)))
labels = st.sampled_from(["job", "instance", "name", "le", "severity", "my-label", "_x", ""])
severities = st.sampled_from(["info", "warning", "critical", "page"])
levels = st.one_of(quantities, st.dictionaries(severities, quantities, max_size=3))
label_texts = st.dictionaries(labels, st.one_of(template_texts, quantities), max_size=3)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), quantities, durations, selectors, template_texts, labels),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(labels, inner, max_size=3)), max_leaves=6,
)  # fmt: skip
ALERTS = ["Busy", "Idle", "BusyMissing", "a b", "Ünder"]

# What stands behind a key: mostly what belongs there.
VALUES: dict[str, st.SearchStrategy[object]] = {
    **dict.fromkeys(["for", "keep_firing_for", "window", "offset", "season", "within", "period"], durations),
    **dict.fromkeys(["above", "below", "at_least", "at_most", "equals", "not_equals"], levels),
    **dict.fromkeys(["clear", "limit", "share", "objective", "min_rate", "min_events", "sigmas", "flapping"], quantities),
    **dict.fromkeys(["open", "closed", "half_open", "quantile"], quantities),
    **dict.fromkeys(["summary", "description", "runbook", "dashboard"], template_texts),
    **dict.fromkeys(["metric", "counter", "bad", "good", "total", "used", "up", "equity", "histogram", "gauge"], selectors),
    **dict.fromkeys(["native_histogram", "summary_metric", "timestamp"], selectors),
    **dict.fromkeys(["labels", "annotations"], label_texts),
    "outside": st.lists(quantities, min_size=2, max_size=2),
    "by": st.lists(labels, max_size=3),
    "where": st.one_of(label_texts, matchers),
    "unless": st.lists(st.sampled_from(ALERTS), max_size=2),
    "notify": st.sampled_from(["slack", "slak"]),
    "active": st.sampled_from(["office", "ofice"]),
    "severity": severities,
    "missing": st.sampled_from(["alert", "ignore", "x"]),
    "for_each": st.dictionaries(labels, st.lists(st.one_of(labels, template_texts), max_size=3), max_size=2),
    "buckets": st.lists(quantities, max_size=4),
    "unit": st.sampled_from(["ms", "s", "bytes", "%", "ratio", "number", "x"]),
    "ratio": st.dictionaries(st.sampled_from(["bad", "good", "total"]), selectors, max_size=2),
    "latency": st.fixed_dictionaries({"histogram": selectors, "under": quantities}),
    "expected": st.lists(st.dictionaries(labels, labels, max_size=2), max_size=2),
    "while": st.builds("{} == {}".format, selectors, quantities),
    "job": st.one_of(labels, st.lists(labels, max_size=2)),
    "aggregate": st.sampled_from(["max", "min", "avg", "sum"]),
    "over": st.sampled_from(["last", "avg", "max", "min"]),
    "per": st.sampled_from(["s", "min", "h"]),
    "direction": st.sampled_from(["up", "down", "both"]),
    "mode": st.sampled_from(["relative", "absolute"]),
    "state": st.sampled_from(["open", "half_open", "not_closed"]),
    "windows": st.lists(
        st.fixed_dictionaries({"severity": severities, "long": durations, "short": durations, "budget": quantities}),
        max_size=2,
    ),
}  # fmt: skip


@st.composite
def alerts(draw: st.DrawFn) -> dict[str, object]:
    """An alert of some kind with its required keys, some others, and now and then nonsense."""
    kind = draw(st.sampled_from([name for name in BUILT_IN if name != "expr"]))
    model = REGISTRY[kind]
    required = [field.alias or name for name, field in model.model_fields.items() if field.is_required()]
    optional = draw(st.lists(st.sampled_from([n for n in field_names(model) if n != "kind"]), max_size=6))
    alert: dict[str, object] = {"kind": kind}
    for key in [*required, *optional]:
        if key != "kind":
            nonsense = draw(st.integers(0, 19)) == 0
            alert[key] = draw(anything if nonsense else VALUES.get(key, anything))
    if draw(st.integers(0, 1)) and "above" in field_names(model):
        alert["above"] = draw(levels)
    return alert


specs = st.fixed_dictionaries(
    {"system": st.sampled_from(["demo", "demo", "demo", "a b", ""]), "alerts": st.dictionaries(st.sampled_from(ALERTS), alerts(), min_size=1, max_size=2)},
    optional={
        "team": labels, "runbooks": template_texts, "interval": durations, "labels": label_texts,
        "defaults": st.fixed_dictionaries({}, optional={key: VALUES[key] for key in ("for", "by", "where", "labels", "severity", "summary", "missing")}),
    },
)  # fmt: skip

VALID = """\
system: demo
team: trading
runbooks: https://runbooks.example.com/demo
defaults: {for: 5m, severity: warning}
labels: {env: prod}
alerts:
  Busy:
    kind: threshold
    metric: 'queue_length{job=~"api|web"}'
    by: [instance]
    above: {warning: 10, critical: 20}
    clear: 5
    summary: "Queue on {{ $labels.instance }} is {{ $value | humanize }}"
    description: |
      It is over << threshold >>.

      Look at {{ $labels.instance }}.
  Slow:
    kind: latency
    histogram: request_duration_seconds
    window: 5m
    above: 1s
    min_rate: 1/s
    for_each: {exchange: [one, two]}
    missing: alert
  Budget: {kind: burn_rate, objective: 99.9%, ratio: {bad: errors_total, total: requests_total}, unless: Busy}
  Gone: {kind: absent, metric: build_info, expected: [{exchange: a}, {exchange: b}], for: 10m}
"""


@st.composite
def mutants(draw: st.DrawFn) -> str:
    """A valid file with a few lines or characters deleted, doubled, swapped or replaced."""
    lines = VALID.split("\n")
    for _ in range(draw(st.integers(1, 4))):
        i = draw(st.integers(0, len(lines) - 1))
        change = draw(st.integers(0, 6))
        if change == 0:
            del lines[i]
        elif change == 1:
            lines.insert(i, lines[i])
        elif change == 2:
            j = draw(st.integers(0, len(lines) - 1))
            lines[i], lines[j] = lines[j], lines[i]
        elif change == 3:
            lines[i] = draw(st.sampled_from(["  ", "\t", ""])) + lines[i].lstrip()
        else:
            at = draw(st.integers(0, len(lines[i])))
            new = draw(st.one_of(st.just(""), words, st.characters(exclude_categories=["Cs"])))
            lines[i] = lines[i][:at] + new + lines[i][at + draw(st.integers(0, 2)) :]
        if not lines:
            break
    return "\n".join(lines)


def test_the_valid_file_is_valid() -> None:
    assert compiled(VALID) is not None


@fuzz(150)
@given(texts)
def test_random_text(text: str) -> None:
    compiled(text)


@fuzz(100)
@given(st.lists(words, max_size=30).map("".join))
def test_random_words(text: str) -> None:
    compiled("system: demo\nalerts:\n  Busy:\n    kind: threshold\n    summary: " + text)


@fuzz(100)
@given(raw=st.binary(max_size=200))
def test_random_bytes(tmp_path_factory, raw: bytes) -> None:  # type: ignore[no-untyped-def]
    path = Path(tmp_path_factory.getbasetemp()) / "random.yaml"
    path.write_bytes(raw)
    problems = Problems()
    text = read_text(path, problems)
    assert (text is None) == bool(problems)
    if text is not None:
        compiled(text)


@fuzz(400)
@given(specs, st.booleans())
def test_random_specs(spec: dict[str, object], flow: bool) -> None:
    compiled(yaml.safe_dump(spec, allow_unicode=True, default_flow_style=flow, sort_keys=False, width=10_000))


@fuzz(300)
@given(mutants())
def test_mutants_of_a_valid_file(text: str) -> None:
    compiled(text)


@pytest.mark.parametrize("alert", [
    "kind: latency, histogram: a_seconds, above: 1s, buckets: []",
    "kind: latency, histogram: a_seconds, above: 1s, buckets: [0, 0, 5]",
    "kind: latency, histogram: a_seconds, above: 1s, buckets: [-5, 5]",
    "kind: ratio, bad: a_total, total: b_total, above: 5%, min_events: 1e308",
    "kind: ratio, bad: a_total, total: b_total, above: 5%, min_events: -1e308",
    "kind: burn_rate, objective: 99.9%, ratio: {bad: a_total, total: b_total}, windows: []",
    "kind: anomaly, metric: a, window: 1d, sigmas: .nan",
    "kind: anomaly, metric: a, window: 1y, season: 10y",
    "kind: anomaly, metric: a, window: 30s1ms, for: 1ms",
    "kind: threshold, metric: a, above: 5, for: 292y",
    "kind: threshold, metric: a, above: 5, for: 1ms, keep_firing_for: 292y",
    "kind: rate, counter: a_total, above: 5, window: 1y1ms",
    "kind: stale, metric: a, above: 1e200",
    "kind: stale, timestamp: a, above: 1e200",
    "kind: threshold, metric: 'a{job=~\"((((a{64}){64}){64}){64}){64}\"}', above: 5",
    "kind: threshold, metric: a, above: 5, summary: \"a\\u2028b\\u0085c\\x7fd\\ufeff\"",
    "kind: threshold, metric: \"a{job='x\\u2028y'}\", above: {warning: 1, critical: 2}, clear: 0, by: [b]",
    "kind: threshold, metric: a, above: 5, for_each: {a: [" + "x, " * 60 + "], b: [" + "x, " * 60 + "]}",
    "kind: threshold, metric: a, above: 5, for_each: {x: [1]}, summary: '" + "<<" * 5000 + "'",
])  # fmt: skip
def test_what_once_crashed_or_hung(alert: str) -> None:
    compiled(f"system: demo\nalerts:\n  Busy: {{{alert}}}\n")
