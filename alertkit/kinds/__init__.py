"""What an alert can watch for: one file per kind, each a question and a stimulus."""

from alertkit.kinds.base import Context, Kind, KindError, MeasuredKind
from alertkit.kinds.plugins import PluginError
from alertkit.kinds.question import Comparison, Form, Question
from alertkit.kinds.registry import BUILT_IN, Registry
from alertkit.kinds.stimulus import Drive, Input, Source, Stimulus, level, slope

__all__ = [
    "BUILT_IN",
    "Comparison",
    "Context",
    "Drive",
    "Form",
    "Input",
    "Kind",
    "KindError",
    "MeasuredKind",
    "PluginError",
    "Question",
    "Registry",
    "Source",
    "Stimulus",
    "level",
    "slope",
]
