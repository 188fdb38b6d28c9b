"""How Go prints values: `%v`, `Sprint`, `Sprintf`.

The values are Python's str, float, int, bool and dict (Go's string, float64, int, bool and map). Source: Go's
package fmt and strconv; what differs between Go versions, or is not worth the code, raises NotModelledError.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

Value = str | float | int | bool | Mapping[str, "Value"]

LONGEST = 100_000


class NotModelledError(Exception):
    """The exact result is not known here; never reaches a user."""


class Html(str):
    """What `safeHtml` returns: prints like a string, but is none to functions that want one."""

    __slots__ = ()


def shortest(value: float) -> str:
    """A float as `%v` and `%g` print it: fewest digits that read back; exponent form below 1e-4 and from 1e6 on."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    mantissa, _, exponent = repr(value).partition("e")
    text = mantissa.removesuffix(".0")
    if exponent:
        return f"{text}e{exponent}"
    if -1e6 < value < 1e6:
        return text
    # Python writes the digits out up to 1e16.
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = (whole + fraction).rstrip("0")
    point = "." if len(digits) > 1 else ""
    return f"{'-' if value < 0 else ''}{digits[0]}{point}{digits[1:]}e+{len(whole) - 1:02d}"


def display(value: Value) -> str:
    """A value as `{{ value }}` and `%v` print it."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return shortest(value)
    if isinstance(value, int):
        return str(value)
    return "map[" + " ".join(f"{key}:{display(value[key])}" for key in sorted(value)) + "]"


def sprint(values: Sequence[Value]) -> str:
    """`print`: a space between two operands when neither is a string."""
    parts: list[str] = []
    for i, value in enumerate(values):
        if i and not isinstance(value, str) and not isinstance(values[i - 1], str):
            parts.append(" ")
        parts.append(display(value))
    return "".join(parts)


def sprintln(values: Sequence[Value]) -> str:
    """`println`: a space between all operands, a newline at the end."""
    return " ".join(display(value) for value in values) + "\n"


_VERB = re.compile(r"%([-+# 0]*)(\*|[0-9]+)?(?:(\.)(\*|[0-9]+)?)?(.)?", re.DOTALL)


def sprintf(format: str, values: Sequence[Value]) -> str:
    """`printf`, with Go's marks for what does not fit: `%!d(float64=1.5)`, `%!s(MISSING)`, `%!(EXTRA int=1)`."""
    parts: list[str] = []
    position = used = 0

    def star() -> int:
        nonlocal used
        if used >= len(values) or type(values[used]) is not int:
            raise NotModelledError("* without an int")
        used += 1
        return int(values[used - 1])  # type: ignore[arg-type]

    for match in _VERB.finditer(format):
        parts.append(format[position : match.start()])
        position = match.end()
        flags, width, dot, precision, verb = match.groups()
        if verb is None:
            if width or dot or flags:
                raise NotModelledError("an unfinished verb")
            parts.append("%!(NOVERB)")
            continue
        wide = star() if width == "*" else int(width or 0)
        if wide < 0:
            flags, wide = flags + "-", -wide
        exact = (star() if precision == "*" else int(precision or 0)) if dot else None
        if verb == "[" or wide > 1000 or (exact is not None and not 0 <= exact <= 1000):
            raise NotModelledError("indexes, and widths that Go itself refuses or cuts")
        if verb == "%":
            parts.append("%")
        elif used >= len(values):
            parts.append(f"%!{verb}(MISSING)")
        else:
            parts.append(_one(verb, flags, wide, exact, values[used]))
            used += 1
    parts.append(format[position:])
    if used < len(values):
        extra = ", ".join(f"{_type(value)}={display(value)}" for value in values[used:])
        parts.append(f"%!(EXTRA {extra})")
    return "".join(parts)


def _type(value: Value) -> str:
    if isinstance(value, bool):
        return "bool"
    if type(value) in (str, float, int):
        return {str: "string", float: "float64", int: "int"}[type(value)]
    raise NotModelledError("the name of its Go type is not kept")


def _one(verb: str, flags: str, width: int, precision: int | None, value: Value) -> str:
    """One value under one verb."""
    if isinstance(value, Mapping) or ("#" in flags) or ("-" in flags and "0" in flags):
        if verb == "v" and isinstance(value, Mapping) and not flags and not width and precision is None:
            return display(value)
        raise NotModelledError("flags on maps, and #")
    body: str | None
    if isinstance(value, bool):
        body = display(value) if verb in "tv" else None
    elif isinstance(value, float):
        body = _float(verb, flags, precision, value)
    elif isinstance(value, int):
        body = _int(verb, flags, precision, value)
    else:
        body = _string(verb, flags, precision, str(value))
    if body is None:
        if flags or width or precision is not None:
            raise NotModelledError("flags on a verb that does not fit")
        return f"%!{verb}({_type(value)}={display(value)})"
    if len(body) >= width:
        return body
    if "-" in flags:
        return body.ljust(width)
    if "0" not in flags:
        return body.rjust(width)
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and verb not in "cqU"
    if not number:
        raise NotModelledError("zeros before text: differs between Go versions")
    if isinstance(value, float) and not math.isfinite(value):
        return body.rjust(width)
    if precision is not None and isinstance(value, int):
        return body.rjust(width)
    sign = body[0] if body[0] in "+- " else ""
    return sign + body[len(sign) :].rjust(width - len(sign), "0")


def _signed(flags: str, verb: str, text: str) -> str:
    if text[0] == "-" or text[0] == "+":
        return text
    return f"+{text}" if "+" in flags and verb != "v" else f" {text}" if " " in flags else text


def _float(verb: str, flags: str, precision: int | None, value: float) -> str | None:
    if verb not in "vgGeEfF":
        if verb in "bxX":
            raise NotModelledError("binary and hexadecimal floats")
        return None
    if math.isnan(value) or math.isinf(value):
        if "+" in flags or " " in flags:
            raise NotModelledError("signs of NaN and Inf")
        return shortest(value)
    if verb in "vgG" and precision is None:
        text = shortest(value)
    else:
        kind = "g" if verb == "v" else verb
        text = f"%.{6 if precision is None else precision}{kind}" % value
    return _signed(flags, verb, text.upper() if verb == "G" else text)


def _int(verb: str, flags: str, precision: int | None, value: int) -> str | None:
    if verb == "c" and 32 <= value < 127:
        return chr(value)
    if verb in "cqUO":
        raise NotModelledError("characters")
    if verb not in "vdboxX":
        return None
    if precision == 0 and value == 0:
        return ""
    digits = format(abs(value), "d" if verb == "v" else verb).rjust(precision or 0, "0")
    return _signed(flags, verb, f"-{digits}" if value < 0 else digits)


def _string(verb: str, flags: str, precision: int | None, value: str) -> str | None:
    if verb not in "svqxX":
        return None
    if verb in "xX":
        if precision is not None or " " in flags:
            raise NotModelledError("parts of hexadecimal text")
        text = value.encode().hex()
        return text.upper() if verb == "X" else text
    value = value if precision is None else value[:precision]
    if verb != "q":
        return value
    if not (value.isascii() and value.isprintable()) or "+" in flags:
        raise NotModelledError("what counts as printable depends on Go's Unicode tables")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
