"""The cases of an alert, derived from its claim: timelines, and what is expected at each moment."""
