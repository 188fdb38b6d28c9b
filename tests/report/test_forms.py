"""JUnit, GitHub and JSON: what each says, and that nothing in a text breaks its form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alertkit.kinds import Comparison
from alertkit.prove.running.results import Moment, Result, Skipped, Trace, combine
from alertkit.report.github import github_report
from alertkit.report.json import SCHEMA, json_report
from alertkit.report.junit import junit_report
from alertkit.source import Problem, Span
from tests.report.junit import checked
from tests.report.schema import errors

SPAN = Span("rules_src/demo.yaml", 4, 3)
NASTY = "a<b>&\"'\x00\x1b[31m ]]> %0A, : \r\n::error::x \ud800 é 💥"


def result(case: str = "just-past", passed: bool = True, span: Span = SPAN, details: tuple[str, ...] = ()) -> Result:
    return Result("demo", "Hot", "critical", case, passed, span, 2, details, "" if passed else "raw.txt")


def test_junit_counts_and_places() -> None:
    failed = result("blip", False, details=("at 5m:", "expected to be silent"))
    skipped = [Skipped("demo", "Hot", "between", "it has no `clear`", SPAN), Skipped("other", "X", "", "why", SPAN)]
    problem = Problem("AK604", "promtool was killed by SIGKILL", None, "more memory")
    root = checked(junit_report([result(), failed], skipped, [problem], 1.5))
    assert root.attrib == {
        "name": "alertkit", "time": "1.500", "tests": "5", "failures": "1", "errors": "1", "skipped": "2"
    }  # fmt: skip
    assert [suite.get("name") for suite in root] == ["demo", "other", "alertkit"]
    case = root.find(".//testcase[@name='critical::blip']")
    assert case is not None and case.get("classname") == "demo.Hot"
    assert (case.get("file"), case.get("line")) == ("rules_src/demo.yaml", "4")
    failure = case.find("failure")
    assert failure is not None and failure.text is not None
    assert failure.get("message") == "at 5m: expected to be silent"
    assert "expected to be silent" in failure.text and "raw.txt" in failure.text
    reason = root.find(".//testcase[@name='between']/skipped")
    assert reason is not None and reason.get("message") == "it has no `clear`"


def test_junit_of_any_text_can_be_read() -> None:
    root = checked(junit_report([result(NASTY, False, Span(NASTY, 1, 1), (NASTY,))], ()))
    failure = root.find(".//failure")
    assert failure is not None and failure.text is not None
    assert "a<b>&\"'" in failure.text and "é 💥" in failure.text and "\x00" not in failure.text


def test_github_is_one_escaped_line_for_each_place() -> None:
    text = github_report(
        [result(), result("blip", False, details=("100% wrong:\nyes, really",)),
         result("at-rest", False, Span("a,b:c.yaml", 9, 1), ("x",))],
        environment={},
    )  # fmt: skip
    assert text.split("\n") == [
        "::error file=rules_src/demo.yaml,line=4,col=3,title=demo%3A%3AHot%3A%3Acritical%3A%3Ablip"
        "::100%25 wrong:%0Ayes, really",
        "::error file=a%2Cb%3Ac.yaml,line=9,col=1,title=demo%3A%3AHot%3A%3Acritical%3A%3Aat-rest::x",
    ]
    assert github_report([result()], environment={}) == ""


def test_github_joins_the_cases_of_one_line_and_says_problems() -> None:
    both = [result("blip", False, details=("one",)), result("just-past", False, details=("two",))]
    (line,) = github_report(both, environment={}).split("\n")
    assert "title=demo%3A%3AHot%3A 2 cases failed::" in line
    assert line.endswith("blip critical%0Aone%0Ajust-past critical%0Atwo")
    problem = Problem("AK201", "no\nsuch kind", SPAN, "use another")
    assert github_report([], [problem], {}).endswith("title=AK201::no%0Asuch kind%0Ahelp: use another")
    nasty = github_report([result(NASTY, False, Span(NASTY, 1, 1), (NASTY,))], environment={})
    assert len(nasty.splitlines()) == 1 and "\r" not in nasty


def test_github_places_are_below_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alerts").mkdir()
    monkeypatch.chdir(tmp_path / "alerts")
    failed = [result("blip", False)]
    inside = github_report(failed, environment={"GITHUB_WORKSPACE": str(tmp_path)})
    assert "file=alerts/rules_src/demo.yaml," in inside
    outside = github_report(failed, environment={"GITHUB_WORKSPACE": str(tmp_path / "else")})
    assert "file=rules_src/demo.yaml," in outside


def test_json_is_as_its_schema_says() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    trace = Trace((Moment(0, None, ""), Moment(1, float("inf"), "firing")), (("critical", Comparison(">", 1.0)),), 1)
    failed = result("blip", False, details=("x",))
    text = json_report(
        [result(), failed], [Skipped("demo", "Hot", "", "why", SPAN)], {failed.id: trace}, [Problem("AK1", "m")]
    )
    data = json.loads(text)
    assert errors(data, schema, schema) == []
    assert not data["passed"] and data["results"][1]["trace"]["moments"][1] == {
        "time": 1, "value": None, "state": "firing"
    }  # fmt: skip
    for change in ({"passed": 1}, {"version": 2}, {"more": 1}, {"results": [{}]}):
        assert errors(data | change, schema, schema), change


def test_what_several_timelines_prove_is_one_case() -> None:
    found = combine([result("at-rest"), result("blip"), result("at-rest", False, details=("x",))])
    assert [(r.case, r.passed, r.expectations, r.details) for r in found] == [
        ("at-rest", False, 4, ("x",)), ("blip", True, 2, ())
    ]  # fmt: skip
