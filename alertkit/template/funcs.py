"""What the pure functions of Prometheus alert templates return.

Source: prometheus/template/template.go in 2.42, 2.53 and 3.5 and Go's text/template.
An exception stands for «not modelled»: NotModelledError where that is known, ValueError and the like from bad operands.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus

from alertkit.template.gofmt import Html, NotModelledError, Value, sprint, sprintf, sprintln

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_SMALL = "munpfazy"


def to_float(value: Value) -> float:
    """What the humanize functions make of their operand."""
    if isinstance(value, str):
        if type(value) is not str or not _NUMBER.match(value) or math.isinf(float(value)):
            raise NotModelledError("text that is no plain number")
        return float(value)
    if isinstance(value, (bool, Mapping)):
        raise NotModelledError("no number")
    return float(value)


def four(value: float) -> str:
    """`%.4g`."""
    if value != value or value in (math.inf, -math.inf):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    return f"{value:.4g}"


def _reduce(value: float) -> str:
    """A value below one, with the prefix that brings it to one or more: 0.0025 is `2.5m`."""
    used = ""
    for prefix in _SMALL:
        if abs(value) >= 1:
            break
        used = prefix
        value *= 1000
    return f"{value:.4g}{used}"


def humanize(operand: Value) -> str:
    value = to_float(operand)
    if value == 0 or not math.isfinite(value):
        return four(value)
    if abs(value) < 1:
        return _reduce(value)
    return _enlarge(value, 1000, ("k", "M", "G", "T", "P", "E", "Z", "Y"))


def humanize1024(operand: Value) -> str:
    value = to_float(operand)
    if abs(value) <= 1 or not math.isfinite(value):
        return four(value)
    return _enlarge(value, 1024, ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"))


def _enlarge(value: float, step: int, prefixes: Sequence[str]) -> str:
    used = ""
    for prefix in prefixes:
        if abs(value) < step:
            break
        used = prefix
        value /= step
    return f"{value:.4g}{used}"


def humanize_duration(operand: Value) -> str:
    value = to_float(operand)
    if not math.isfinite(value):
        return four(value)
    if value == 0:
        return f"{value:.4g}s"
    if abs(value) < 1:
        return f"{_reduce(value)}s"
    sign = "-" if value < 0 else ""
    value = abs(value)
    if value < 60:
        return f"{sign}{value:.4g}s"
    if value >= 2.0**63:
        raise NotModelledError("Go's conversion overflows")
    minutes, seconds = divmod(int(value), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    return f"{sign}{hours}h {minutes}m {seconds}s" if hours else f"{sign}{minutes}m {seconds}s"


def humanize_percentage(operand: Value) -> str:
    return f"{four(to_float(operand) * 100)}%"


def humanize_timestamp(operand: Value) -> str:
    value = to_float(operand)
    if not math.isfinite(value):
        return four(value)
    nanoseconds = value * 1e9
    if abs(nanoseconds) >= 2.0**63:
        raise NotModelledError("out of Go's range")
    # Go cuts towards zero, first to nanoseconds and then to milliseconds.
    milliseconds = abs(int(nanoseconds)) // 1_000_000 * (1 if value >= 0 else -1)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def _ascii(text: str) -> str:
    if not text.isascii():
        raise NotModelledError("Unicode tables differ between Python and Go")
    return text


def title(text: str) -> str:
    """Capital first letters, for the words that Prometheus 2 and 3 split alike."""
    if not re.fullmatch(r"(?:[A-Za-z][A-Za-z0-9]*(?:[ /-]+|\Z))*", text):
        raise NotModelledError("Prometheus 2 and 3 split words differently")
    return re.sub(r"[A-Za-z][A-Za-z0-9]*", lambda m: m.group()[0].upper() + m.group()[1:], text)


def strip_port(address: str) -> str:
    if "[" in address or "]" in address:
        raise NotModelledError("IPv6 in brackets")
    host, colon, port = address.partition(":")
    return host if colon and ":" not in port else address


def strip_domain(address: str) -> str:
    host, _, port = address.partition(":")
    if "[" in address or "]" in address or ":" in port:
        raise NotModelledError("may be IPv6")
    octets = host.split(".")
    if len(octets) == 4 and all(re.fullmatch(r"[0-9]+", octet, re.ASCII) for octet in octets):
        if not all(octet == str(int(octet)) and int(octet) < 256 for octet in octets):
            raise NotModelledError("a strange IPv4 address")
        return address
    return f"{octets[0]}:{port}" if port else octets[0]


# Patterns that Python and Go read alike and that cannot run away: single characters and classes, flat groups.
_PATTERN = re.compile(
    r"(?:\^)?(?:(?:[A-Za-z0-9_ :/,;=@<>~!%&\"'-]|\\[dw./:()+*?\[\]\\|^${}-]|\.|"
    r"\[\^?[A-Za-z0-9_ .:/,;=@-]+\])[*+?]?|\(|\))*\$?\Z"
)


def _pattern(pattern: str, text: str) -> re.Pattern[str]:
    loops = len(re.findall(r"(?<!\\)[*+?]", pattern))
    dull = _PATTERN.match(pattern) and not re.search(r"\)[*+?]|\(\?|\(\(|\(\)|[*+?]{2}", pattern)
    if not dull or loops > 3 or len(text) > 200 or "\n" in text:
        raise NotModelledError("a regular expression that Python may read differently")
    return re.compile(pattern, re.ASCII)


def replace_all(pattern: str, replacement: str, text: str) -> str:
    regex = _pattern(pattern, text)
    if re.search(r"\$(?![0-9](?![0-9A-Za-z_])|\{[0-9]\})", replacement):
        raise NotModelledError("named groups")
    if not (replacement.isascii() and text.isascii()):
        raise NotModelledError("\\w and case outside ASCII")

    def one(match: re.Match[str]) -> str:
        if not match.group():
            raise NotModelledError("empty matches")
        groups = (match.group(), *(match.groups("")))
        at = (int(m.group(1) or m.group(2)) for m in re.finditer(r"\$(?:([0-9])|\{([0-9])\})", replacement))
        values = iter([groups[i] if i < len(groups) else "" for i in at])
        return re.sub(r"\$(?:[0-9]|\{[0-9]\})", lambda _: next(values), replacement)

    return regex.sub(one, text)


_UNITS = {"y": 31_536_000, "w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}


def parse_duration(text: str) -> float:
    match = re.fullmatch(r"(?:([0-9]{1,3})d)?(?:([0-9]{1,3})h)?(?:([0-9]{1,4})m)?(?:([0-9]{1,6})s)?", text, re.ASCII)
    if not match or not text:
        raise NotModelledError("years, weeks and milliseconds are rare")
    return float(sum(int(n) * _UNITS[u] for n, u in zip(match.groups(), "dhms", strict=True) if n))


_HTML = str.maketrans({"\0": "�", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _escape_html(*values: Value) -> str:
    return sprint(values).translate(_HTML)


def _length(value: Value) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping):
        return len(value)
    raise NotModelledError("has no length")


# Only what is the same whenever and wherever it runs. `and`, `or`, comparisons and `index` are in `run`.
PURE: dict[str, Callable[..., Value]] = {
    "humanize": humanize,
    "humanize1024": humanize1024,
    "humanizeDuration": humanize_duration,
    "humanizePercentage": humanize_percentage,
    "humanizeTimestamp": humanize_timestamp,
    "toUpper": lambda text: _ascii(text).upper(),
    "toLower": lambda text: _ascii(text).lower(),
    "title": title,
    "safeHtml": Html,
    "stripPort": strip_port,
    "stripDomain": strip_domain,
    "match": lambda pattern, text: bool(_pattern(pattern, _ascii(text)).search(text)),
    "reReplaceAll": replace_all,
    "parseDuration": parse_duration,
    "args": lambda *values: {f"arg{i}": value for i, value in enumerate(values)},
    "print": lambda *values: sprint(values),
    "println": lambda *values: sprintln(values),
    "printf": lambda format, *values: sprintf(format, values),
    "html": _escape_html,
    "urlquery": lambda *values: quote_plus(sprint(values), safe=""),
    "graphLink": lambda expr: f"/graph?g0.expr={quote_plus(expr, safe='')}&g0.tab=0",
    "tableLink": lambda expr: f"/graph?g0.expr={quote_plus(expr, safe='')}&g0.tab=1",
    "len": _length,
}
