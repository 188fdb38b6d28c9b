"""What an alert can watch for: one file per kind, each a question and a stimulus."""

from alertkit.kinds.base import Context, Kind, KindError, MeasuredKind
from alertkit.kinds.question import Comparison, Form, Question
from alertkit.kinds.registry import BUILT_IN, Registry
from alertkit.kinds.stimulus import Source, Stimulus

__all__ = [
    "BUILT_IN",
    "Comparison",
    "Context",
    "Form",
    "Kind",
    "KindError",
    "MeasuredKind",
    "Question",
    "Registry",
    "Source",
    "Stimulus",
]
