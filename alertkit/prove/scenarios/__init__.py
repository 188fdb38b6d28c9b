"""Incidents that people wrote: read, fitted to the rules, run, told."""
