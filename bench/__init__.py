"""Figures: `python -m bench` builds the inputs, runs all and prints a table. Nothing here is asserted."""
