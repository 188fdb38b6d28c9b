"""YAML with positions: scalars of the core schema, marks, and the place of each character of a value."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from alertkit.source import Document, Problem, Problems, Span, load
from alertkit.source.places import places
from alertkit.source.problem import draw, draw_all
from alertkit.spec.project import read_text


def loaded(text: str) -> Document:
    problems = Problems()
    document = load(text, "a.yaml", problems)
    assert document is not None and not problems, problems
    return document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ("-5", -5), ("+5", 5), ("010", 10), ("0o17", 15), ("0x1F", 31), ("1_000", "1_000"), ("5.", 5.0),
        (".5", 0.5), ("1e3", 1000.0), ("1:30", "1:30"), ("12:30:45", "12:30:45"), ("2024-01-01", "2024-01-01"),
        ("true", True), ("True", True), ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("null", None), ("~", None), ("", None), ("'5'", "5"), ('"true"', "true"), ("5m", "5m"), ("5%", "5%"),
        (".inf", float("inf")), ("-.inf", float("-inf")), ("1" * 200, "1" * 200), ("0x" + "f" * 200, "0x" + "f" * 200),
        ("=", "="), ("0b1", "0b1"), ("- 1", [1]),
    ],
)  # fmt: skip
def test_scalars_of_the_core_schema(text: str, value: object) -> None:
    found = loaded(f"a:\n {text}\n").data["a"]
    assert found == value and type(found) is type(value)


def test_not_a_number_is_one() -> None:
    assert loaded("a: .nan").data["a"] != loaded("a: .nan").data["a"]


def test_marks_of_keys_values_and_items() -> None:
    document = loaded("a:\n  b: [x, 'yy']\n  c: |\n    text\n")
    assert document.key(("a", "b")) == Span("a.yaml", 2, 3, 1)
    assert document.value(("a", "b")) == Span("a.yaml", 2, 6, 1)
    assert document.value(("a", "b", 1)) == Span("a.yaml", 2, 10, 4)
    assert document.value(("a", "c")) == Span("a.yaml", 3, 6, 1)
    assert document.within(("a", "c"), 2, 9) == Span("a.yaml", 4, 7, 3)
    assert document.at(("a", "b", 1)) == "yy"


def test_of_very_many_mistakes_of_syntax_the_first_twenty_are_told() -> None:
    """Also of a file that is prose: how long that takes must not grow with the square of its lines."""
    problems = Problems()
    assert load("a: b: c\n" * 25, "a.yaml", problems, partly=True) is None and len(problems) == 20
    prose = "\n".join(["a: b: c", *(f"word{number} and more" for number in range(9000))])
    assert load(prose, "a.yaml", problems, partly=True) is not None and len(problems) == 21


def test_what_is_absent_stands_where_its_parent_does() -> None:
    document = loaded("a:\n  b: 1\n")
    assert document.value(("a", "zzz")) == document.value(("a",))
    assert document.key(("zzz",)) == Span("a.yaml", 1, 1)
    assert document.within(("a", "zzz"), 5) == document.value(("a",))
    assert not document.has(("a", "b", "c")) and document.has(("a", "b"))


word = st.text("abcü🔥 .,{}<>$|\\'\"\t", min_size=0, max_size=12)
lines_of_text = st.lists(word, min_size=1, max_size=4)


@settings(derandomize=True, max_examples=400, database=None)
@given(st.sampled_from(["|", "|-", ">", ">-", ">+", "'", '"', ""]), lines_of_text)
def test_every_character_of_a_value_is_found_in_the_source(style: str, texts: list[str]) -> None:
    joined = "\n".join("   " + text for text in texts)
    if style == "'":
        joined = "'" + joined.replace("'", "''") + "'"
    elif style == '"':
        joined = '"' + joined.replace("\\", "\\\\").replace('"', '\\"').replace("ü", "\\u00fc") + '"'
    elif not style:
        joined = joined.strip()
    source = (
        f"a:\n  b: {style if style[:1] in '|>' else ''}\n{joined}\n"
        if style[:1] in ("|", ">")
        else f"a:\n  b: {joined}\n"
    )
    try:
        value = yaml.safe_load(source)["a"]["b"]
    except (yaml.YAMLError, TypeError, KeyError):
        return
    problems = Problems()
    document = load(source, "a.yaml", problems)
    if (
        document is None
        or not isinstance(document.data, dict)
        or not isinstance(value, str)
        or document.data["a"]["b"] != value
    ):
        return
    mark = document.value(("a", "b"))
    lines = source.split("\n")
    found = list(islice(places(lines, mark.line - 1, mark.column - 1), len(value)))
    for character, (line, column) in zip(value, found, strict=False):
        there = lines[line][column : column + 1]
        if character in " \n":
            assert there in ("", " ", "\t", character)
        elif style == '"' and there == "\\":
            assert lines[line][column + 1] in (character, "u")
        else:
            assert there == character, (value, source)
    # Trailing line ends may be kept or stripped; all else has a place.
    assert len(found) >= len(value.rstrip("\n"))


def test_the_caret_stands_under_wide_characters() -> None:
    problem = Problem("AK100", "wrong", Span("a", 1, 5, 2))
    assert (
        draw(problem, line_of=lambda path, line: "ab🔥待ちx" if line == 1 else None).split("\n")[2]
        == "      |       ^^^"
    )
    combining = Problem("AK100", "wrong", Span("a", 1, 3, 1))
    assert draw(combining, line_of=lambda path, line: "u\u0308x" if line == 1 else None).split("\n")[2] == "      |  ^"


def test_problems_are_ordered_and_told_once() -> None:
    problems = Problems()
    problems.add("AK200", "b", Span("b", 1, 1))
    problems.add("AK200", "a", Span("a", 9, 1))
    problems.add("AK200", "a", Span("a", 2, 1))
    problems.add("AK200", "b", Span("b", 1, 1))
    assert [str(p.span) for p in problems.ordered()] == ["a:2:1", "a:9:1", "b:1:1"]


@pytest.mark.parametrize(
    "text",
    [
        "routing_key: !!str hunter2\n", "routing_key:\n  @hunter2\n", "a: {url: [b, {c: hunter2}]}\n",
        "# password: hunter2\na: 1\n", 'prometheus: "user:hunter2@h:9090"\n', "prometheus: ftp://user:hunter2@h\n",
        "webhook: [hunter2]\n", "api-key: >-\n  hunter2\n", "x: !!str {\npassword: 'hun''ter2-hunter2'\n",
        "a: b: c\npasword: hunter2\nd: {api_ky: hunter2}\nrouting_ky:\n  hunter2\n",
    ],
)  # fmt: skip
def test_no_secret_is_drawn(text: str) -> None:
    lines = text.split("\n")
    for number in range(1, len(lines)):
        drawn = draw(
            Problem("AK100", "wrong", Span("a", number, 1)),
            line_of=lambda path, line: lines[line - 1] if line <= len(lines) else None,
        )
        assert "hunter2" not in drawn and drawn.count("\n") == 2


@pytest.mark.parametrize("text", ["job:rate5m@1600000000 > 1", "mail to ops@example.com", "rules_src/a.yaml:3:5"])
def test_what_is_no_secret_is_said(text: str) -> None:
    assert Problem("AK100", text).message == text


def test_no_message_or_help_holds_a_password() -> None:
    problem = Problem("AK710", "`user:hunter2@h:9090` is no URL", None, "not https://hooks.slack.com/services/hunter2")
    assert "hunter2" not in problem.message + problem.help


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "f.yaml"
    os.mkfifo(pipe)
    assert read_text(pipe, problems := Problems()) is None
    assert [p.code for p in problems] == ["AK110"] and "not a regular file" in draw_all(problems)
