"""Ruleset and routing -> the text of files."""
