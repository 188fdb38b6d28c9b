"""Consumers of results: what people and programs see of a proof."""
