"""`alertkit schema`: what the compiler takes fits, and what people commonly get wrong does not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from alertkit.cli import main
from alertkit.kinds import Registry, describe
from alertkit.kinds.schema import spec_schema
from alertkit.source import Problems, load
from alertkit.spec.schema import project_schema, routing_schema
from tests.case_files import parse_case
from tests.projects import ROOT

SEVERITIES = ("info", "warning", "critical")
SPEC = jsonschema.Draft7Validator(spec_schema(Registry(), SEVERITIES))
ROUTING = jsonschema.Draft7Validator(routing_schema())
PROJECT = jsonschema.Draft7Validator(project_schema())


def data(text: str) -> Any:
    problems = Problems()
    document = load(text, "x.yaml", problems)
    assert document is not None and not problems
    return document.data


def mistakes(validator: jsonschema.Draft7Validator, text: str) -> list[str]:
    return [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(data(text))]


def alert(body: str) -> str:
    return f"system: demo\nalerts:\n  A: {body}\n"


@pytest.mark.parametrize("validator", [SPEC, ROUTING, PROJECT], ids=["spec", "routing", "project"])
def test_it_is_a_schema(validator: jsonschema.Draft7Validator) -> None:
    jsonschema.Draft7Validator.check_schema(validator.schema)


@pytest.mark.parametrize("path", sorted((ROOT / "rules_src").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_systems_fit(path: Path) -> None:
    assert mistakes(SPEC, path.read_text("utf-8")) == []


def test_the_shipped_routing_and_project_fit() -> None:
    assert mistakes(ROUTING, (ROOT / "alertmanager" / "routing.yaml").read_text("utf-8")) == []
    assert mistakes(PROJECT, (ROOT / "alertkit.yaml").read_text("utf-8")) == []


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "golden").glob("in-*.yaml")), ids=lambda path: path.stem)
def test_what_the_golden_specs_say_fits(path: Path) -> None:
    assert mistakes(SPEC, path.read_text("utf-8")) == []


@pytest.mark.parametrize("name", list(Registry()))
def test_the_example_of_every_page_fits(name: str) -> None:
    example = describe.page(Registry()[name]).split("Example\n", 1)[1].split("\n\n", 1)[0]
    assert mistakes(SPEC, f"system: demo\nalerts:\n{example}\n") == []


def _cases() -> list[tuple[str, str]]:
    """The specs of all cases that compile: none of them may be refused."""
    found = []
    for path in sorted((ROOT / "tests" / "cases").glob("*.txt")):
        case = parse_case(path.read_text("utf-8"))
        if case.outcome("exit") == "0\n" and not any("kinds/" in section.name for section in case.files):
            found += [
                (f"{path.stem}-{section.name}", section.text)
                for section in case.files
                if re.fullmatch(r"rules_src/\w+\.yaml", section.name) and not section.how
            ]
    return found


@pytest.mark.parametrize(("name", "text"), _cases(), ids=[name for name, _ in _cases()])
def test_what_compiles_fits(name: str, text: str) -> None:
    assert mistakes(SPEC, text) == []


@pytest.mark.parametrize(
    "body",
    [
        "{kind: threshold, metric: queue_<< q >>, above: << limit >>, for_each: {q: [a, b], limit: [1, 2]}}",
        "{kind: threshold, metric: 'x{a=\"b\"}', outside: [-5ms, 1h30m], unit: ms, where: {code: [200, '5..']}}",
        "{kind: rate, counter: x_total, above: {info: 1/s, critical: 600/min}, clear: 0.5, for: 0, by: [a]}",
        "{kind: latency, histogram: d, quantile: p95, above: 2 GiB, unless: [{alert: B, pending: false}, C]}",
        "{kind: down, job: api, share: 50%, notify: me, tests: off}",
    ],
)
def test_what_is_allowed(body: str) -> None:
    assert mistakes(SPEC, alert(body)) == []


@pytest.mark.parametrize(
    "body",
    [
        "{metric: x, above: 3}", "{kind: treshold, metric: x, above: 3}", "{kind: threshold, above: 3}",
        "{kind: threshold, metric: x, abov: 3}", "{kind: threshold, metric: x, above: many}",
        "{kind: threshold, metric: x, above: 5x}", "{kind: threshold, metric: x, above: {warn: 5}}",
        "{kind: threshold, metric: x, above: 3, for: 5 min}", "{kind: threshold, metric: x, above: 3, for: 300}",
        "{kind: threshold, metric: x, above: 3, for: ''}", "{kind: threshold, metric: x, above: 3, severity: page}",
        "{kind: threshold, metric: x, above: 3, by: a}", "{kind: threshold, metric: x, above: 3, by: [a-b]}",
        "{kind: threshold, metric: x, above: 3, unit: parsec}", "{kind: threshold, metric: x, outside: [1]}",
        "{kind: threshold, metric: x, above: 3, missing: yes}", "{kind: threshold, metric: 3, above: 3}",
        "{kind: latency, histogram: d, quantile: 95, above: 1s}", "{kind: rate, counter: x, per: day, above: 3}",
        "{kind: burn_rate, objective: 99%, ratio: {bad: a, totl: b}}", "threshold", "[a]",
        "{kind: threshold, metric: x, above: 3, for_each: {a: []}}", "{kind: absent, metric: x, expected: [{}]}",
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_spec(body: str) -> None:
    assert mistakes(SPEC, alert(body)) != []


@pytest.mark.parametrize(
    "text",
    [
        "alerts: {}", "system: demo", "system: 5 x\nalerts: {}", "system: demo\nteams: x\nalerts: {}",
        "system: demo\ndefaults: {kind: rate}\nalerts: {}", "system: demo\ndefaults: {for: soon}\nalerts: {}",
        "system: demo\nalerts: {'a b': {kind: expr, expr: x > 1}}", "system: demo\nalerts: [x]",
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file(text: str) -> None:
    assert mistakes(SPEC, text) != []


@pytest.mark.parametrize(
    "text",
    [
        "receiver: {}", "receivers: {a: {slak: {}}}", "receivers: {a: {slack: {channel: alerts}}}",
        "routes: [{to: 5}]", "routes: [{match: 5}]", "routes: [{repeat: 1 hour}]", "group_by: 5",
        "calendars: {x: {exchange: NYSE}}", "inhibit: [{when: A}]", "receivers: {a: {slack: {webhook_fil: /x}}}",
    ],
)  # fmt: skip
def test_what_is_wrong_in_routing(text: str) -> None:
    assert mistakes(ROUTING, text) != []


@pytest.mark.parametrize("text", ["spec: x", "scrape_interval: 15", "severities: []", "environments: [prod]"])
def test_what_is_wrong_in_a_project(text: str) -> None:
    assert mistakes(PROJECT, text) != []


def test_the_command_knows_the_projects_kinds_and_severities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules_src" / "kinds").mkdir(parents=True)
    (tmp_path / "alertkit.yaml").write_text("severities: [notice, page]\n", "utf-8")
    (tmp_path / "rules_src" / "kinds" / "backlog.yaml").write_text(
        "description: Messages wait\nparameters: {queue: {type: metric}}\nsignal: << queue >>\n", "utf-8"
    )
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["schema"])
    assert done.exit_code == 0, done.output
    validator = jsonschema.Draft7Validator(json.loads(done.stdout))
    assert mistakes(validator, alert("{kind: backlog, queue: q, above: {page: 5}}")) == []
    assert mistakes(validator, alert("{kind: backlog, queu: q, above: {page: 5}}")) != []
    assert mistakes(validator, alert("{kind: threshold, metric: x, above: {critical: 5}}")) != []


@pytest.mark.parametrize("what", ["spec", "routing", "project"])
def test_the_command_prints_the_same_bytes_each_time(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    first, second = (CliRunner().invoke(main, ["schema", what]) for _ in range(2))
    assert first.exit_code == 0 and first.stdout == second.stdout
    assert json.loads(first.stdout)["$schema"].startswith("http://json-schema.org/draft-07")


def test_it_needs_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["schema"])
    assert done.exit_code == 0 and json.loads(done.stdout) == SPEC.schema


def test_descriptions_come_from_the_reference_pages() -> None:
    properties = SPEC.schema["definitions"]["kind drawdown"]["properties"]
    assert properties["window"]["description"] == "how far back the peak is looked for"
    assert properties["for"]["description"].startswith("how long")
