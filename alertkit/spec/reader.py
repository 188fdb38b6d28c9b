"""A pydantic validator for what a function reads: its result is taken as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from typing import Any, TypeVar

from pydantic import BeforeValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

T = TypeVar("T")
# The key of an error's context under which further mistakes in the same value are.
MORE = "more"


class Reader(BeforeValidator):
    """Reads a field from what YAML holds; raises `PydanticCustomError`.

    Unlike after a `BeforeValidator`, the result is not validated against the field's type once more. Neither has
    pydantic to work out how that would be done, which took half the time of building a kind's model.
    """

    def __get_pydantic_core_schema__(self, source_type: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.func)  # type: ignore[arg-type]


def each(read: Callable[[Any, Any], T], values: Iterable[Any], places: Iterable[Any]) -> list[T]:
    """What is read of each value at its place; of several mistakes all are told."""
    found, mistakes = [], []
    for value, place in zip(values, places):  # noqa: B905
        try:
            found.append(read(value, place))
        except PydanticCustomError as mistake:
            mistakes.append(mistake)
    if mistakes:
        first, *more = mistakes
        context = {**(first.context or {}), MORE: tuple(more)}
        raise PydanticCustomError(first.type, first.message_template, context)
    return found


def items(value: Any, read: Callable[[Any], T]) -> list[T]:
    """What is read of each item of a list, or of a value alone; of several mistakes all are told, each at its item."""
    if not isinstance(value, list):
        return [read(value)]
    return each(partial(_at, read), value, count())


def _at(read: Callable[[Any], T], item: Any, index: int) -> T:
    try:
        return read(item)
    except PydanticCustomError as mistake:
        context = mistake.context or {}
        path = (index, *context.get("path", ()))
        raise PydanticCustomError(mistake.type, mistake.message_template, {**context, "path": path}) from None
