"""Calendars: opening hours, holidays and half days; outside is exactly the rest."""

from __future__ import annotations

import datetime
import random
import warnings
import zoneinfo

import pytest
from click.testing import CliRunner

from alertkit.cli import main
from alertkit.compile import markets
from alertkit.compile.intervals import closed_windows, open_windows
from alertkit.routing.answer import Oracle
from alertkit.routing.clock import fits
from alertkit.spec.calendars import EXCHANGES, Calendar
from tests.routing.helpers import alert, compiled, emitted, routing_of

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")

WEEKS = [
    {"weekdays": "monday:friday", "times": "09:00-18:00", "timezone": "Europe/Berlin"},
    {"weekdays": ["fri:mon"], "times": ["00:00-06:00", "22:00-24:00"]},
    {"days_of_month": ["1:5", "-3:-1"], "timezone": "Asia/Tokyo"},
    {"months": "december:february", "days_of_month": ["-1"]},
    {"times": "00:00-24:00", "weekdays": "wednesday"},
]


def is_open(calendar: Calendar, moment: datetime.datetime) -> bool:
    inside = any(fits(window, moment) for window in open_windows(calendar))
    outside = any(fits(window, moment) for window in closed_windows(calendar))
    assert inside != outside, (moment, inside)
    return inside


@pytest.mark.parametrize(
    ("exchange", "when", "expected"),
    [
        ("XNYS", "2026-12-24T12:59-05:00", True), ("XNYS", "2026-12-24T13:00-05:00", False),
        ("XNYS", "2026-12-25T12:00-05:00", False), ("XNYS", "2026-11-27T13:30-05:00", False),
        ("XNYS", "2026-11-30T13:30-05:00", True), ("XNYS", "2026-07-03T12:00-04:00", False),
        ("XNYS", "2027-01-18T12:00-05:00", False), ("XNYS", "2026-11-28T12:00-05:00", False),
        ("XNYS", "2026-07-01T13:29Z", False), ("XNYS", "2026-07-01T13:30Z", True),
        ("XNAS", "2028-07-03T13:00-04:00", False), ("XLON", "2026-12-24T12:31Z", False),
        ("XLON", "2026-08-31T12:00+01:00", False), ("XLON", "2026-08-28T12:00+01:00", True),
        ("XETR", "2026-05-01T12:00+02:00", False), ("XETR", "2026-12-30T14:01+01:00", False),
        ("XTKS", "2026-11-23T10:00+09:00", False), ("XTKS", "2026-11-24T12:00+09:00", False),
        ("XTKS", "2026-11-24T12:30+09:00", True), ("XTKS", "2026-11-24T15:29+09:00", True),
        ("crypto", "2026-12-25T03:00Z", True),
    ],
)  # fmt: skip
def test_market_hours(exchange: str, when: str, expected: bool) -> None:
    moment = datetime.datetime.fromisoformat(when)
    if exchange == "crypto":
        assert open_windows(Calendar(exchange=exchange))[0] == markets.Window()
        return
    assert is_open(Calendar(exchange=exchange), moment) is expected


def test_past_the_data_holidays_are_trading_days() -> None:
    christmas = datetime.datetime(2035, 12, 25, 12, 0, tzinfo=NEW_YORK)
    assert not any(fits(window, christmas) for window in closed_windows(Calendar(exchange="XNYS")))
    assert any(fits(window, christmas) for window in open_windows(Calendar(exchange="XNYS")))


@pytest.mark.parametrize("calendar", [{"exchange": name} for name in EXCHANGES if name != "crypto"] + WEEKS)
def test_closed_is_the_complement_of_open(calendar: dict[str, object]) -> None:
    spec = Calendar.model_validate(calendar)
    rng = random.Random(7)
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    states = {is_open(spec, start + datetime.timedelta(minutes=int(rng.random() * 4 * 365 * 1440))) for _ in range(400)}
    assert states == {True, False}


@pytest.mark.parametrize(
    ("at", "again"),
    [
        ("2026-12-25T15:00-05:00", "2026-12-28T09:30-05:00"),  # Christmas, then a weekend
        ("2026-12-31T23:00-05:00", "2027-01-04T09:30-05:00"),  # over the end of the year
        ("2027-03-12T20:00-05:00", "2027-03-15T08:30-05:00"),  # summer time begins on the Sunday between
        ("2026-11-27T18:00+00:00", "2026-11-30T14:30+00:00"),  # after the half day of Thanksgiving
    ],
)
def test_when_a_silent_route_tells_again(at: str, again: str) -> None:
    routing = routing_of(
        """
        receivers: {a: {slack: {channel: "#a", webhook_file: /s}}}
        default: a
        calendars: {nyse: {exchange: XNYS}}
        routes: [{match: {team: web}, to: a, active: nyse}]
        """
    )
    oracle = Oracle(routing)
    [told] = oracle.answer({"team": "web"}, datetime.datetime.fromisoformat(at)).told
    assert told.silenced == "outside nyse"
    found = oracle.calendar.until(told.node, datetime.datetime.fromisoformat(at))
    assert found and found.isoformat(timespec="minutes") == again


@pytest.mark.filterwarnings("default")
def test_the_data_last() -> None:
    """Warns from a year before the holidays run out; then run dev/market_data.py."""
    last = markets.data()["last_year"]
    today = datetime.date.today()
    assert today.year <= last, "alertkit/compile/markets.json is out of date: run dev/market_data.py"
    if said := markets.runs_out(today):
        warnings.warn(f"{said}: run dev/market_data.py", stacklevel=1)
    assert "exchange_calendars" in markets.data()["source"]


def test_it_is_said_a_year_before_the_data_end() -> None:
    last = markets.data()["last_year"]
    assert markets.runs_out(datetime.date(last - 1, 12, 31)) is None
    said = f"market holidays are known only until the end of {last}; later ones count as trading days"
    assert markets.runs_out(datetime.date(last, 1, 1)) == said
    assert markets.runs_out(datetime.date(last + 5, 6, 1)) == said


def test_doctor_says_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markets, "runs_out", lambda today: f"market holidays end, {today.year}")
    out = CliRunner().invoke(main, ["doctor"]).output
    assert f"\nMarket holidays end, {datetime.date.today().year}: get a newer alertkit\n" in out


def test_the_data_begin_this_year_and_reach_two_years_on() -> None:
    """When they were written; `first_year` is that year."""
    assert markets.data()["last_year"] >= markets.data()["first_year"] + 2
    for exchange in EXCHANGES:
        if exchange != "crypto":
            years = {year for year, _, _ in markets.market(exchange).closed}
            assert years == set(range(markets.data()["first_year"], markets.data()["last_year"] + 1))


def test_an_alert_of_a_market_that_never_closes_is_not_touched() -> None:
    text = """
    receivers: {a: {slack: {channel: "#a", webhook_file: /s}}}
    default: a
    calendars: {coins: {exchange: crypto}}
    """
    assert "intervals" not in emitted(text, [alert("A", active="coins")])


def test_an_alert_muted_whenever_it_is_active_is_an_error() -> None:
    text = """
    receivers: {a: {slack: {channel: "#a", webhook_file: /s}}}
    default: a
    calendars: {office: {times: 09:00-18:00}}
    routes: [{match: {severity: critical}, to: a, mute: office}]
    """
    assert "time_intervals" in emitted(text, [alert("A", active="office")])  # a warning, which the route does not take
    routing, drawn = compiled(text, [alert("A", active="office", mute="office")])
    assert routing is None and drawn.startswith(
        "rules_src/shop.yaml:7:3: error[AK515]: `active: office` and `mute:` of the same silence this for good"
    )
