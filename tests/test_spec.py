# ruff: noqa: E501
"""Durations, quantities with units, selectors."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertkit.spec import guess
from alertkit.spec.duration import LONGEST, format_duration, parse_duration
from alertkit.spec.quantity import NAMED_UNITS, QUANTITY_UNITS, format_number, parse_quantity, unit_of_metric
from alertkit.spec.selector import Matcher, Selector, SelectorError, parse_matchers, parse_selector

calm = settings(derandomize=True, max_examples=300, database=None)


@calm
@given(st.integers(0, LONGEST))
def test_durations_read_back(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0", 0), ("0s", 0), ("5m", 300_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("1y", 31_536_000_000),
        ("1m5ms", 60_005), ("100ms", 100), ("1w2d", 777_600_000),
    ],
)  # fmt: skip
def test_durations(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "30m1h", "1h1h", "-5m", "5M", "1.5h", "5mm", "293y", "٣s", "9" * 5000 + "s"]
)
def test_what_is_no_duration(text: str) -> None:
    assert parse_duration(text) is None


decimals = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=4)


@calm
@given(decimals, st.sampled_from(sorted(QUANTITY_UNITS)), st.sampled_from(sorted(NAMED_UNITS)))
def test_conversions_are_exact(amount: object, name: str, target: str) -> None:
    quantity = parse_quantity(f"{amount}{name}")
    assert quantity is not None
    wanted, unit = NAMED_UNITS[target], QUANTITY_UNITS[name]
    value = quantity.in_unit(wanted)
    if unit.dimension != wanted.dimension:
        assert value is None
    else:
        assert value == float(Fraction(str(amount)) * unit.scale / wanted.scale)


@calm
@given(st.floats(allow_nan=False))
def test_numbers_read_back(value: float) -> None:
    assert float(format_number(value)) == value


@pytest.mark.parametrize(
    ("text", "metric", "value"),
    [
        ("250ms", "lag_seconds", 0.25), ("250ms", "lag_ms", 250.0), ("10%", "cpu_percent", 10.0), ("10%", "cpu_ratio", 0.1),
        ("2GiB", "mem_bytes", 2147483648.0), ("500MB", "mem_mb", 500.0), ("1h30m", "age_seconds", 5400.0), ("-3", "x", -3.0),
        ("2 GiB", "mem_bytes", 2147483648.0), ("3", "lag_seconds", 3.0), ("5s", "mem_bytes", None), ("5s", "x", None),
        ("-5m", "lag_seconds", -300.0), ("1e3", "x", 1000.0), ("1MiB", "mem_mebibytes", 1.0), ("90%", "node:cpu:ratio", 0.9),
        ("1MB/s", "net_bytes_per_second", 1e6), ("5s", "net_bytes_per_second", None), ("60/min", "requests_per_second", 1.0),
        ("10/s", "requests_per_minute", 600.0), ("50%", "lag_seconds_count", None), ("5s", "lag_seconds_bucket", None),
        ("250ms", "lag_seconds_sum", 0.25),
    ],
)  # fmt: skip
def test_quantities_on_metrics(text: str, metric: str, value: float | None) -> None:
    quantity = parse_quantity(text)
    assert quantity is not None and quantity.in_unit(unit_of_metric(metric)) == value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("5 minutes", "5m"), ("5min", "5m"), ("1.5h", "1h30m"), ("30m1h", "1h30m"), ("PT5M", "5m"), ("1 day", "1d"),
        ("5M", "5m"), ("00:05:00", "5m"), ("1 hour and 30 minutes", "1h30m"), ("90 secs", "1m30s"), ("soon", None),
        ("5 5", None), ("-5m", None), ("5 parsecs", None), ("0.0001s", None), ("", None), ("9" * 39 + "h", None),
    ],
)  # fmt: skip
def test_what_a_duration_was_meant_to_be(text: str, meant: str | None) -> None:
    assert guess.duration(text) == meant
    assert meant is None or parse_duration(meant) is not None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (">5", "5"), (">= 5%", "5%"), ("1,000", "1000"), ("1_000_000", "1000000"), ("5 percent", "5%"), ("5gb", "5GB"),
        ("5G", "5GB"), ("5S", "5s"), ("5 sec", "5s"), ("10 per second", "10/second"), ("10rps", "10/s"), ("5k", "5000"),
        ("1.5M", "1500000"), ("1h 30m", "1h30m"), ("5 minutes", "5m"), ("many", None), ("", None), ("5 5", None),
        ("1.2.3k", None), (">", None), ("5x", None), ("5/x", None),
    ],
)  # fmt: skip
def test_what_a_quantity_was_meant_to_be(text: str, meant: str | None) -> None:
    assert guess.quantity(text) == meant
    assert meant is None or parse_quantity(meant) is not None


@calm
@given(st.text(max_size=60))
def test_any_text_can_be_guessed_at(text: str) -> None:
    for found in (guess.duration(text), guess.quantity(text)):
        assert found is None or parse_quantity(found) is not None


def test_rates_say_the_same_per_second_and_minute() -> None:
    one, other = parse_quantity("10/s"), parse_quantity("600/min")
    assert one is not None and other is not None
    assert one.in_unit(NAMED_UNITS["/s"]) == other.in_unit(NAMED_UNITS["/s"]) == 10.0


@pytest.mark.parametrize(
    "text", ["", "-", "%", "5x", "5//s", "5/x", "many", "5 5", "1e999", "9" * 50, "inf", "nan", "5ms/s"]
)
def test_what_is_no_quantity(text: str) -> None:
    quantity = parse_quantity(text)
    assert quantity is None or text == "5ms/s"


labels = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
plain = st.builds(Matcher, labels, st.sampled_from(["=", "!="]), values)


@calm
@given(st.lists(plain, max_size=3).map(tuple))
def test_selectors_read_back(matchers: tuple[Matcher, ...]) -> None:
    selector = Selector("queue_length", matchers)
    assert parse_selector(str(selector)) == selector


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("queue-length", 5), ("x{a=b}", 2), ('x{a="b"', 1), ('x{a="b", c}', 9), ('x{a=~"("}', 6), ("5x", 0), ("", 0),
        ('x{a="\\q"}', 4), ('x{a=~"b(?!c)d"}', 7), (r'x{a=~"(b)\\1"}', 9), ("x{a=`b}", 2),
    ],
)  # fmt: skip
def test_what_is_no_selector(text: str, offset: int) -> None:
    with pytest.raises(SelectorError) as caught:
        parse_selector(text)
    assert caught.value.offset == offset


def test_regular_expressions_are_those_of_re2() -> None:
    assert parse_matchers(r'''a=~"\\pL+", b!~"(?i:x)\\z"''') == (
        Matcher("a", "=~", r"\pL+"),
        Matcher("b", "!~", r"(?i:x)\z"),
    )


def test_backticks_quote_without_escapes() -> None:
    assert parse_selector("""x{a=~`\\d"+`,b='c'}""") == Selector(
        "x", (Matcher("a", "=~", r'\d"+'), Matcher("b", "=", "c"))
    )


def test_quotes_of_both_kinds() -> None:
    assert parse_matchers("""a='it "is"', b="it's",""") == (Matcher("a", "=", 'it "is"'), Matcher("b", "=", "it's"))
