"""URLs of servers: whether one can be a base URL, and how it may be printed."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def shown_url(url: str) -> str:
    """A URL that may be printed: without credentials, query, fragment and final slash."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
    except ValueError:
        return "(unreadable URL)"


def is_base_url(url: str) -> bool:
    """Whether a URL can be the base of a server: http or https, a host, a port that is one."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
