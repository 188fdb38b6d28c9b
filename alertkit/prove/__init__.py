"""Proof: cases derived from claims, run by the real promtool, told in the spec's words."""
