"""Synthetic series: pieces of a series over time, and how promtool and the exposition format write them."""

from alertkit.series.pieces import Clock, Gone, Level, Line, Missed, Piece, Slope, Zigzag
from alertkit.series.promtool import notation

__all__ = ["Clock", "Gone", "Level", "Line", "Missed", "Piece", "Slope", "Zigzag", "notation"]
