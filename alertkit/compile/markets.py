"""Hours of exchanges as time windows."""

from __future__ import annotations

from dataclasses import dataclass

from alertkit.compile.routing import Range, Window

NOTE = "regular sessions"
_WEEK: tuple[Range, ...] = ((1, 5),)


@dataclass(frozen=True, slots=True)
class Market:
    """Regular sessions from Monday to Friday, in minutes of the local day."""

    location: str
    times: tuple[Range, ...]


MARKETS = {
    "XNYS": Market("America/New_York", ((570, 960),)),
    "XNAS": Market("America/New_York", ((570, 960),)),
    "XLON": Market("Europe/London", ((480, 990),)),
    "XETR": Market("Europe/Berlin", ((540, 1050),)),
    "XTKS": Market("Asia/Tokyo", ((540, 690), (750, 930))),
}


def open_windows(exchange: str) -> tuple[Window, ...]:
    """The times at which an exchange trades."""
    market = MARKETS[exchange]
    return (Window(times=market.times, weekdays=_WEEK, location=market.location),)


def closed_windows(exchange: str) -> tuple[Window, ...]:
    """All times at which it does not."""
    from alertkit.compile.intervals import complement

    return complement(open_windows(exchange)[0])
