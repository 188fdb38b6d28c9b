"""A pydantic validator for what a function reads: its result is taken as it is."""

from __future__ import annotations

from typing import Any

from pydantic import BeforeValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Reader(BeforeValidator):
    """Reads a field from what YAML holds; raises `PydanticCustomError`.

    Unlike after a `BeforeValidator`, the result is not validated against the field's type once more. Neither has
    pydantic to work out how that would be done, which took half the time of building a kind's model.
    """

    def __get_pydantic_core_schema__(self, source_type: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.func)  # type: ignore[arg-type]
