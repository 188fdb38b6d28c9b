"""The functions that a Prometheus alert template may call, and what they take.

Source: prometheus/template/template.go, the same in 2.42, 2.53 and 3.5, and Go's text/template.
"""

from __future__ import annotations

from typing import NamedTuple


class Signature(NamedTuple):
    """`takes` are the kinds of the parameters: text, number (or text that reads as one), bool, any; the last one
    repeats when `more`. `gives` is the kind of the result. `rounds`: digits of the value do not survive it."""

    takes: tuple[str, ...]
    gives: str
    more: bool = False
    rounds: bool = False


SIGNATURES: dict[str, Signature] = {
    "query": Signature(("text",), "unknown"),
    "first": Signature(("unknown",), "unknown"),
    "label": Signature(("text", "unknown"), "text"),
    "value": Signature(("unknown",), "unknown"),
    "strvalue": Signature(("unknown",), "text"),
    "sortByLabel": Signature(("text", "unknown"), "unknown"),
    "args": Signature(("any",), "unknown", more=True),
    "reReplaceAll": Signature(("text", "text", "text"), "text"),
    "match": Signature(("text", "text"), "bool", rounds=True),
    "safeHtml": Signature(("text",), "unknown"),
    "title": Signature(("text",), "text"),
    "toUpper": Signature(("text",), "text"),
    "toLower": Signature(("text",), "text"),
    "graphLink": Signature(("text",), "text"),
    "tableLink": Signature(("text",), "text"),
    "stripPort": Signature(("text",), "text"),
    "stripDomain": Signature(("text",), "text"),
    "humanize": Signature(("number",), "text", rounds=True),
    "humanize1024": Signature(("number",), "text", rounds=True),
    "humanizeDuration": Signature(("number",), "text", rounds=True),
    "humanizePercentage": Signature(("number",), "text", rounds=True),
    "humanizeTimestamp": Signature(("number",), "text", rounds=True),
    "toTime": Signature(("number",), "unknown"),
    "pathPrefix": Signature((), "text"),
    "externalURL": Signature((), "text"),
    "parseDuration": Signature(("text",), "float"),
    "and": Signature(("any", "any"), "unknown", more=True),
    "or": Signature(("any", "any"), "unknown", more=True),
    "not": Signature(("any",), "bool", rounds=True),
    "eq": Signature(("any", "any", "any"), "bool", more=True, rounds=True),
    "ne": Signature(("any", "any"), "bool", rounds=True),
    "lt": Signature(("any", "any"), "bool", rounds=True),
    "le": Signature(("any", "any"), "bool", rounds=True),
    "gt": Signature(("any", "any"), "bool", rounds=True),
    "ge": Signature(("any", "any"), "bool", rounds=True),
    "len": Signature(("any",), "int", rounds=True),
    "index": Signature(("any", "any"), "unknown", more=True),
    "slice": Signature(("any", "any"), "unknown", more=True),
    "call": Signature(("any", "any"), "unknown", more=True),
    "html": Signature(("any",), "text", more=True),
    "js": Signature(("any",), "text", more=True),
    "urlquery": Signature(("any",), "text", more=True),
    "print": Signature(("any",), "text", more=True),
    "printf": Signature(("text", "any"), "text", more=True),
    "println": Signature(("any",), "text", more=True),
}
