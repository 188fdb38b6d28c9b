"""YAML text with positions, and the problems that are found in it.

This is the lowest layer: it knows nothing of alerts. The YAML reader is loaded when it is asked for.
"""

from typing import TYPE_CHECKING, Any

from alertkit.source.problem import Problem, Problems, Span

if TYPE_CHECKING:
    from alertkit.source.yaml import Document, load

__all__ = ["Document", "Problem", "Problems", "Span", "load"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from alertkit.source import yaml

        return getattr(yaml, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
