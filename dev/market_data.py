"""Writes alertkit/compile/markets.json: sessions, holidays and early closes of the exchanges that calendars may name.

Run it by hand with `exchange_calendars` and `holidays` installed (never a runtime requirement: pandas comes with
the first): `python dev/market_data.py [FIRST_YEAR [LAST_YEAR]]`.
"""

from __future__ import annotations

import datetime
import json
import re
import sys
from pathlib import Path

import exchange_calendars
import holidays

EXCHANGES = {"XNYS": "NYSE", "XNAS": "NYSE", "XLON": None, "XETR": None, "XTKS": None}
TARGET = Path(__file__).parents[1] / "alertkit" / "compile" / "markets.json"


def minutes(time: datetime.time) -> int:
    return time.hour * 60 + time.minute


def market(name: str, first: int, last: int) -> dict[str, object]:
    calendar = exchange_calendars.get_calendar(name, start=f"{first}-01-01", end=f"{last}-12-31")
    zone = calendar.tz
    regular: dict[tuple[int, int], int] = {}
    days: dict[datetime.date, tuple[int, int]] = {}
    for session in calendar.sessions:
        opens = minutes(calendar.session_open(session).tz_convert(zone).time())
        closes = minutes(calendar.session_close(session).tz_convert(zone).time())
        days[session.date()] = (opens, closes)
        regular[opens, closes] = regular.get((opens, closes), 0) + 1
    opens, closes = max(regular, key=lambda hours: regular[hours])
    pause = None
    if calendar.break_start_times:
        pause = [minutes(calendar.break_start_times[-1][1]), minutes(calendar.break_end_times[-1][1])]
    times = [[opens, closes]] if pause is None else [[opens, pause[0]], [pause[1], closes]]
    closed, special = [], {}
    day = datetime.date(first, 1, 1)
    while day.year <= last:
        if day.weekday() < 5 and day not in days:
            closed.append(day.isoformat())
        elif day in days and days[day] != (opens, closes):
            special[day.isoformat()] = list(days[day])
        assert day.weekday() < 5 or day not in days, f"{name} trades on {day}"
        day += datetime.timedelta(days=1)
    return {"location": str(zone), "times": times, "closed": closed, "special": special}


def main() -> None:
    this = datetime.date.today().year
    first = int(sys.argv[1]) if len(sys.argv) > 1 else this
    last = int(sys.argv[2]) if len(sys.argv) > 2 else this + 2
    markets = {name: market(name, first, last) for name in EXCHANGES}
    for name, other in EXCHANGES.items():
        if other:  # the second source must agree
            theirs = {
                day.isoformat()
                for day in holidays.financial_holidays(other, years=range(first, last + 1))
                if day.weekday() < 5
            }
            assert theirs == set(markets[name]["closed"]), (name, theirs ^ set(markets[name]["closed"]))  # type: ignore[arg-type]
    data = {
        "source": f"exchange_calendars {exchange_calendars.__version__}; holidays of XNYS and XNAS checked against "
        f"holidays {holidays.__version__}; written by dev/market_data.py",
        "first_year": first,
        "last_year": last,
        "markets": markets,
    }
    text = json.dumps(data, indent=1)
    # Lists on one line, the days of a year on one line each.
    text = re.sub(r"\[\s+(\d+),\s+(\d+)\s+\]", r"[\1, \2]", text)
    text = re.sub(r'("(\d{4})-\d\d-\d\d"),\s+(?="\2)', r"\1, ", text)
    TARGET.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
