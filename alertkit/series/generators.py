"""Shapes that are computed sample by sample, identical on every machine.

Only `random.Random(seed).random()` is used, which Python promises to keep, and only additions, multiplications and
divisions, which IEEE 754 fixes to the last bit: no `sin`, `exp` or `gauss` of the platform. Values are rounded to six
significant digits.
"""

from __future__ import annotations

from random import Random

DIGITS = 6


def rounded(value: float, digits: int = DIGITS) -> float:
    """`value` with so many significant digits."""
    return float(f"{value:.{digits - 1}e}")


def walk(start: float, drift: float, vol: float, seed: int, count: int) -> list[float]:
    """`count` + 1 values: each is the one before times 1 + `drift` + a normal error of deviation `vol`."""
    random = Random(seed).random
    values = [start]
    for _ in range(count):
        # Twelve uniform numbers less six: mean 0, deviation 1, and no logarithm.
        normal = sum(random() for _ in range(12)) - 6.0
        values.append(values[-1] * (1.0 + drift + vol * normal))
    return [start] + [rounded(value) for value in values[1:]]


def noise(low: float, high: float, seed: int, count: int) -> list[float]:
    """`count` values anywhere between `low` and `high`."""
    random = Random(seed).random
    return [rounded(low + (high - low) * random()) for _ in range(count)]


def sine(low: float, high: float, samples_a_period: float, count: int) -> list[float]:
    """`count` values that swing from `low` to `high` and back."""
    return [rounded(low + (high - low) * (1.0 - _cosine(i / samples_a_period)) / 2.0) for i in range(count)]


_TAU = 6.283185307179586


def _cosine(turns: float) -> float:
    """The cosine of a whole number of turns and a part of one, by its series in the first eighths of a turn."""
    part = turns - int(turns)
    if part > 0.5:
        part = 1.0 - part
    sign = 1.0
    if part > 0.25:
        part, sign = 0.5 - part, -1.0
    square = (part * _TAU) * (part * _TAU)
    term = total = 1.0
    for k in range(1, 12):
        term *= -square / ((2 * k - 1) * (2 * k))
        total += term
    return sign * total
