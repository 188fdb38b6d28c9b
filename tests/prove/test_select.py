"""Words over ids, and shares of them."""

from __future__ import annotations

import pytest

from alertkit.prove.running.select import SelectionError, choose, parse_expression, parse_shard

PAST = "peak_trade::HighLatency::critical::just-past"
BLIP = "peak_trade::HighLatency::warning::blip"
STORY = "crypto_stock::exchange outage, at 8m: CircuitBreakerOpen fires"


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("HighLatency", [PAST, BLIP]),
        ("highlatency", [PAST, BLIP]),
        (PAST, [PAST]),
        ("not just-past", [BLIP, STORY]),
        ("HighLatency and critical", [PAST]),
        ("critical or outage", [PAST, STORY]),
        ("blip or critical and outage", [BLIP]),
        ("(blip or critical) and not warning", [PAST]),
        ("not (blip or outage)", [PAST]),
        ("not not blip", [BLIP]),
        ('"exchange outage"', [STORY]),
        ("'at 8m' and fires", [STORY]),
        ('"or"', []),
    ],
)
def test_words_choose_ids(expression: str, wanted: list[str]) -> None:
    assert [id for id in (PAST, BLIP, STORY) if parse_expression(expression)(id)] == wanted


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "a word is missing at the end"),
        ("a b", "`and` or `or` is missing before `b`"),
        ("a and", "a word is missing at the end"),
        ("or a", "a word is missing before `or`"),
        ("(a", "a bracket is not closed"),
        ("a)", "is missing before `)`"),
        ("()", "a word is missing before `)`"),
        ("not", "a word is missing at the end"),
        ('"a', "a quote is not closed"),
    ],
)
def test_what_cannot_be_understood_is_said(expression: str, message: str) -> None:
    with pytest.raises(SelectionError) as caught:
        parse_expression(expression)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "1", "a/b", "-1/2", ""])
def test_a_bad_share_is_said(text: str) -> None:
    with pytest.raises(SelectionError):
        parse_shard(text)


def test_shares_divide_everything_and_keep_an_alert_together() -> None:
    ids = [f"s{i % 7}::A{i}::critical::{case}" for i in range(200) for case in ("blip", "just-past")]
    ids += [f"s1::story {i}, at {t}m: nothing fires" for i in range(50) for t in (1, 2)]
    shares = [{id for id in ids if parse_shard(f"{n}/4")(id)} for n in (1, 2, 3, 4)]
    assert all(shares) and sum(map(len, shares)) == len(ids) and set().union(*shares) == set(ids)
    for share in shares:
        assert all(id.replace("blip", "just-past") in share and id.replace("at 1m", "at 2m") in share for id in share)


def test_an_expression_and_a_share_both_hold() -> None:
    every = [choose("blip", f"{n}/2")(BLIP) for n in (1, 2)]
    assert sorted(every) == [False, True]
    assert not any(choose("blip", f"{n}/2")(PAST) for n in (1, 2))
