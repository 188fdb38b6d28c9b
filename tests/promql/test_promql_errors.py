"""What is refused, where, and in which words; nothing crashes, panics or shows a traceback of the parser."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertkit.promql import PromqlError, parse, to_text
from alertkit.promql.scan import MAX_DEPTH, MAX_LENGTH


def refusal(marked: str, version: tuple[int, int] = (2, 42)) -> tuple[str, str]:
    """The message for the text without its «» marks, and the text with marks around the place of the error."""
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(PromqlError) as caught:
        parse(text, version)
    error = caught.value
    end = error.offset + error.length
    return error.message, f"{text[: error.offset]}«{text[error.offset : end]}»{text[end:]}"


@pytest.mark.parametrize(
    ("marked", "part"),
    [
        ("foo«{»", "never closed"),
        ("foo«)»", "closes nothing"),
        ("sum«(»foo + (bar)", "never closed"),
        ("foo«[»5m", "never closed"),
        ("sum(foo«}»", "`(` is not closed before this `}`"),
        ("foo «+»", "nothing follows `+`"),
        ("foo > 1 «and»", "nothing follows `and`"),
        ("«and» foo", "cannot start"),
        ("foo > «>» 5", "after `>`, found `>`"),
        ("foo «bar»", "an operator between `foo` and `bar`"),
        ("sum(foo) «if» bar", "an operator between `)` and `if`"),
        ("foo «by» (job)", "belongs to an aggregation"),
        ("a * «group_left» (x) b", "needs `on (...)`"),
        ("sum by «a» (foo)", "expected `(`"),
        ("«rat»(foo[5m])", "did you mean `rate`"),
        ("rate(«foo»)", "needs a range like `x[5m]`, found an instant vector"),
        ("1 + abs(«foo[5m]»)", "needs an instant vector, found a range"),
        ("«rate»(foo[5m], 1)", "takes 1 argument, found 2"),
        ("«topk»(foo)", "a parameter and a vector, found 1 argument"),
        ("sum(x) > topk(«\"a\"», x)", "needs a number, found a string"),
        ("sum(«abs»())", "takes 1 argument, found 0"),
        ("abs(foo«,»)", "no argument after this comma"),
        ("foo«[5x]»", "is not a range"),
        ("foo«[30m1h]»", "units go from large to small"),
        ("foo«[0s]»", "more than 0"),
        ("foo«[300y]»", "longer than 292 years"),
        ("rate(foo«[]»)", "expected a duration like 5m"),
        ("sum(foo)«[5m]»", "write a subquery `[5m:]`"),
        ("sum(foo) «offset» 5m", "only follow a selector or a subquery"),
        ("foo offset «x»", "a duration like 5m after `offset`"),
        ("foo offset -«NaN»", "a duration like 5m after `offset`"),
        ("foo @ «NaN»", "seconds since 1970"),
        ("foo @ «-»100", "before 1970"),
        ("foo @ «1e20»", "out of range"),
        ("foo{a=«\"b}»", "no closing"),
        ("foo{a=«b»}", "in quotes"),
        ("foo{a «==» \"b\"}", "expected one of"),
        ("foo{a=\"b\" «c»=\"d\"}", "between matchers"),
        ("foo{a=\"b\",«,»}", "a label name"),
        ("foo{a=~«\"(\"»}", "not a regular expression"),
        ("foo{a=~«\"x{1,2000}\"»}", "invalid repetition size"),
        ("foo{a=\"«\\d»\"}", "double the backslash"),
        ("foo{a=\"«\\xff»\"}", "write the character itself"),
        ("x + «{»}", "needs a metric name"),
        ("foo{«__name__»=\"bar\"}", "given twice"),
        ("«$»foo", "not allowed here"),
        ("foo «&»& bar", "write `and`"),
        ("foo{a=«“»b”}", "typographic quote"),
        ("a «=» b", "to compare write `==`"),
        ("a «=»> b", "to compare write `>=`"),
        ("a «=»< b", "to compare write `<=`"),
        ("foo > 1 and 1 «==» 2", "two numbers are compared"),
        ("foo «and» 1", "joins instant vectors"),
        ("foo«[5m]» > 1", "a range cannot be an operand"),
        ("a and on (b) «group_left» c", "not allowed with `and`"),
        ("a > «on» (b) 3", "between two instant vectors"),
        ("foo @ +«1e20»", "out of range"),
        ("foo offset «+»5m", "leave it out"),
        ("foo > «1.2.3»", "not a number"),
        ("foo > «1e400»", "too large"),
        ("«»", "empty"),
        # The syntax, read to the first token that cannot stand where it stands.
        ("foo offset 5m«[5m]»", "`foo[5m] offset 5m`"),
        ("sum by (a) (foo) «by» (b)", "this is the second"),
        ("sum by (a) «without» (b) (foo)", "this is the second"),
        ("sum(rate(foo[5m]) «by» (a))", "the parentheses of `sum`, not in them"),
        ("sum by (a) «>» 1", "expected `(` and a vector after `by (...)`"),
        ("sum by (a «b») (foo)", "expected `,` or `)` after the label `a`"),
        ("sum by («,»a) (foo)", "a label name, found `,`"),
        ("sum by («without») (foo)", "a label name"),
        ("sum by («a:b») (foo)", "has a `:`"),
        ("sum «foo»", "expected `(` after `sum`"),
        ("rate «foo»[5m]", "expected `(` after `rate`"),
        ("foo + «bool» bar", "cannot follow `+`"),
        ("foo and «bool» bar", "cannot follow `and`"),
        ("foo > bool «bool» bar", "given twice"),
        ("foo > on (a) «bool» bar", "before `on`"),
        ("foo * on (a) group_left «group_left» bar", "this is the second"),
        ("foo * ignoring (a) «on» (b) bar", "this is the second"),
        ("foo > «on» (a)", "nothing follows `on (...)`"),
        ("foo «on» (a) > bar", "can only follow an operator"),
        ("foo * on (a) group_left («a») bar", "leave it out of `group_left`"),
        ("foo > 1 or «or» bar", "found `or`"),
        ("foo > 1«,» 000", "a comma stands only between"),
        ("foo > («)»", "nothing between these parentheses"),
        ("foo > «=» 1", "write `>=`"),
        ("foo «<>» 1", "write `!=`"),
        ("foo «≥» 1", "write `>=`"),
        ("foo«.»bar", "no `.` in it"),
        ("foo{a=\"ü\", b=«}»", "a value in quotes after `b=`"),
        ("foo{«a:»\"b\"}", "write `a=`"),
        ("foo «a»=\"b\"}", "an operator between `foo` and `a`"),
        ("(foo «a»=\"b\"})", "an operator between `foo` and `a`"),
        ("rate(foo{«5m»})", "a label name"),
        ("rate(«foo»(5m))", "there is no function `foo`"),
        ("foo > 1 «for» 5m", "an operator between `1` and `for`"),
        ("foo offset «(»5m)", "a duration like 5m after `offset`"),
        ("foo @ «start» > 1", "write `start()`"),
        ("rate(«[5m]»)", "can only follow a selector"),
        ("foo{a=\"«\\u»00\"}", "double the backslash"),
        # What has a syntax and no sense: of several equal words the guilty one.
        ("rate(a[5m]) / rate(«b»)", "needs a range"),
        ("abs(a) + «abs»(b, c)", "takes 1 argument, found 2"),
        ("topk(a, «5»)", "turn the arguments round"),
        ("label_replace(foo, «a», \"b\", \"c\", \"d\")", "needs a string"),
        ("rate(«+»foo[5m])", "a sign can stand before"),
        ("1 < bool 2 and 3 «>» 2", "two numbers are compared"),
        ("a and b «and» 1", "joins instant vectors"),
        ("a > on (x) b + «on» (y) 1", "between two instant vectors"),
        ("a{x=~\"b\"} + a{x=~«\"b**\"»}", "bad repetition operator"),
        ("max_over_time(a[5m:1m]) + max_over_time(a«[1h:0s]»)", "a step must be more than 0"),
        ("{a=\"b\"} + «{»a=\"\"}", "a matcher that does not match the empty string"),
        ("«{»} + {a=\"b\"}", "a matcher that does not match the empty string"),
    ],
)  # fmt: skip
def test_message_and_place(marked: str, part: str) -> None:
    message, place = refusal(marked)
    assert part in message
    assert place == marked
    assert not message.endswith(".")
    assert message == message.strip()


@pytest.mark.parametrize(
    ("marked", "part", "loads_on"),
    [
        ("foo«[300]»", "3.0", (3, 0)),
        ("foo[5m:1m] offset «60»", "3.0", (3, 0)),
        ("foo offset -«60»", "3.0", (3, 0)),
        ("foo > «5m»", "3.0", (3, 0)),
        ("{«\"my.metric\"»}", "2.53", (2, 53)),
        ("sum by («\"a\"») (foo)", "3.0", (3, 0)),
        ("«histogram_avg»(foo)", "2.53", (2, 53)),
    ],
)  # fmt: skip
def test_version_gate(marked: str, part: str, loads_on: tuple[int, int]) -> None:
    message, place = refusal(marked)
    assert part in message
    assert place == marked
    text = to_text(parse(marked.replace("«", "").replace("»", ""), loads_on))
    assert parse(text, loads_on) == parse(marked.replace("«", "").replace("»", ""), loads_on)


@pytest.mark.parametrize("version", [(2, 42), (3, 5)])
@pytest.mark.parametrize(
    ("marked", "part"),
    [
        ("«info»(foo)", "flag"),
        ("«limitk» by (a) (3, foo)", "flag"),
        ("«limit_ratio»(0.5, foo)", "flag"),
        ("«ts_of_max_over_time»(foo[5m])", "flag"),
        ("«double_exponential_smoothing»(foo[5m], 0.5, 0.5)", "flag"),
        ("«sort_by_label»(foo, \"a\")", "flag"),
        ("«holt_winters»(foo[5m], 0.5, 0.5)", "gone since Prometheus 3.0"),
        ("«first_over_time»(foo[5m])", "newer than 3.5"),
        ("a + «fill»(1) b", "newer than 3.5"),
        ("foo«[5m*2]»", "newer than 3.5"),
        ("foo{a=\"1\" «or» b=\"2\"}", "VictoriaMetrics"),
    ],
)  # fmt: skip
def test_refused_for_every_version(marked: str, part: str, version: tuple[int, int]) -> None:
    message, place = refusal(marked, version)
    assert part in message
    assert place == marked


@pytest.mark.parametrize("count", [MAX_DEPTH + 1, 450, 5000, 24_000])
@pytest.mark.parametrize(
    ("opening", "middle", "closing"),
    [("(", "a", ")"), ("a + ", "a", ""), ("a ^ ", "a", ""), ("-", "a", ""), ("abs(", "a", ")"), ("a+", "a", "")],
)
def test_too_deep(opening: str, middle: str, closing: str, count: int) -> None:
    with pytest.raises(PromqlError) as caught:
        parse(opening * count + middle + closing * count)
    assert "nested deeper" in caught.value.message or "characters" in caught.value.message


@pytest.mark.parametrize("template", ["({})", "a + {}", "abs({})", "a > ({})", "a or {}"])
def test_deep_but_allowed_works_throughout(template: str) -> None:
    text = "a"
    for _ in range(MAX_DEPTH // 2 - 2):
        text = template.format(text)
    tree = parse(text)
    assert parse(to_text(tree)) == tree
    assert len({tree, parse(text)}) == 1


def test_too_long() -> None:
    with pytest.raises(PromqlError, match="characters"):
        parse("a" * (MAX_LENGTH + 1))
    long = " or ".join(f'up{{instance="host-{number}"}}' for number in range(MAX_DEPTH - 1))
    assert to_text(parse(long)) == long


@pytest.mark.parametrize(
    "text", ["x" + " " * 90_000, "x{" + 'a="b"          ' * 60 + "!", "x{" + 'a="b",' * 100 + "!", "(" * 900 + "#" * 99]
)
def test_hostile_text_takes_no_time_to_read(text: str) -> None:
    """Patterns that backtrack would not end within the life of the test run."""
    try:
        assert to_text(parse(text)) == "x"
    except PromqlError as error:
        assert error.message != ""


_PIECES = st.sampled_from(
    ["a", "sum", "rate", "(", ")", "{", "}", "[5m]", "[5m:]", "[", "]", ",", "=", "=~", '"x"', "by", "on", "offset",
     "@", "5", "5m", "-", "+", ">", "and", "or", "bool", "group_left", "`", "'", "\\", "é", "\x00", "\ud800", "#", "\n"]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.lists(_PIECES, max_size=14).map(" ".join), st.text(max_size=40), st.lists(_PIECES).map("".join)))
def test_any_text_is_parsed_or_refused_inside_its_bounds(text: str) -> None:
    try:
        tree = parse(text)
    except PromqlError as error:
        assert 0 <= error.offset <= len(text)
        assert error.length >= 1
        assert error.message
    else:
        assert parse(to_text(tree)) == tree
