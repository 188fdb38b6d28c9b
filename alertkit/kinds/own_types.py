"""The types of the parameters of user-defined kinds: what users write, what pydantic checks, what templates see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Strict
from pydantic_core import PydanticCustomError

from alertkit.spec.alert import QuantityField, Text
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.quantity import NUMBER, Quantity, Unit
from alertkit.spec.selector import LabelName, Metric, Selector


def _finite(value: float) -> float:
    if value != value or value in (float("inf"), float("-inf")):
        raise PydanticCustomError("AK203", "expected a finite number", {"help": "write a number"})
    return value


TYPES: Mapping[str, Any] = {
    "text": Text,
    "number": Annotated[float, Strict(), AfterValidator(_finite)],
    "integer": Annotated[int, Strict()],
    "boolean": Annotated[bool, Strict()],
    "duration": Duration,
    "quantity": QuantityField,
    "metric": Metric,
    "label": LabelName,
    "labels": tuple[LabelName, ...],
    "choice": None,
}
EXAMPLES: Mapping[str, Any] = {
    "text": "x", "number": 1.0, "integer": 1, "boolean": True, "duration": 300_000,
    "quantity": Quantity(NUMBER.scale, NUMBER, "1"), "metric": Selector("alertkit_example"), "label": "alertkit_label",
    "labels": ("alertkit_label",),
}  # fmt: skip


def annotation(type_: str, choices: tuple[str, ...], unit: Unit | None) -> Any:
    """The pydantic annotation of a type; a quantity must fit the unit that is given for it."""
    if type_ == "choice":
        return Annotated[Literal[choices], None]
    if type_ == "quantity" and unit is not None:
        return Annotated[QuantityField, AfterValidator(lambda quantity: _fitting(quantity, unit))]
    return TYPES[type_]


def _fitting(quantity: Quantity, unit: Unit) -> Quantity:
    if quantity.in_unit(unit) is None:
        raise PydanticCustomError(
            "AK305", "`{text}` does not fit: the value is in {unit}",
            {"text": quantity.text, "unit": f"{unit.name} ({unit.dimension})", "help": f"give it in {unit.name}"},
        )  # fmt: skip
    return quantity


def shown(value: Any, type_: str, unit: Unit | None) -> object:
    """What a template puts in for a value: durations as Prometheus writes them, quantities as plain numbers.

    A quantity is a number in its parameter's `unit`, or in seconds, bytes, a ratio, without one.
    """
    if type_ == "duration":
        return format_duration(value)
    if isinstance(value, Quantity):
        return _short(float(value.amount * value.unit.scale) if unit is None else value.in_unit(unit) or 0.0)
    if isinstance(value, Selector):
        return value.metric
    if isinstance(value, tuple):
        return ", ".join(value)
    return _short(value) if isinstance(value, float) else value


def _short(number: float) -> float | int:
    return int(number) if abs(number) < 1e15 and number == int(number) else number
