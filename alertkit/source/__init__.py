"""YAML text with positions, and the problems that are found in it.

This is the lowest layer: it knows nothing of alerts.
"""

from alertkit.source.problem import Problem, Problems, Span
from alertkit.source.yaml import Document, load

__all__ = ["Document", "Problem", "Problems", "Span", "load"]
