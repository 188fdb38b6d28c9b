"""Slack's message text as its channel shows it: links by their names, escapes undone.

Source: Slack documentation, "Formatting text for app surfaces": `<url|name>`, `*bold*`, `&lt;`, `&gt;`, `&amp;`.
"""

from __future__ import annotations

import html
import re
from urllib.parse import unquote

_LINK = re.compile(r"<((?:https?|mailto):[^|>\s]+)(?:\|([^>]*))?>")
_BOLD = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")


def as_shown(text: str) -> tuple[str, dict[str, str]]:
    """The text that people read, a link as its name in brackets, and the links: name -> URL."""
    links: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        url = html.unescape(found[1])
        name = html.unescape(found[2] or "") or url
        links.setdefault(name, url)
        return f"[{name}]" if name != url else url

    return html.unescape(_BOLD.sub(r"\1", _LINK.sub(named, text))), {n: u for n, u in links.items() if n != u}


def link_line(name: str, url: str, width: int | None) -> str:
    """A link on a line of its own; one that is too wide is decoded and cut, for reading only."""
    line = f"{name}: {url}"
    if width is None or len(line) <= width:
        return line
    line = f"{name}: {unquote(url.replace('+', ' '))}"
    return line if len(line) <= width else f"{line[: width - 3]}..."
