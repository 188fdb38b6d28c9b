"""What must never be printed: values of keys that hold secrets, URLs of hooks, passwords in URLs."""

from __future__ import annotations

import re

HIDDEN = "***"

# Secrets that are known by themselves, wherever they stand. Repetitions are bounded: lines may be very long.
# What closes a list, a mapping or a sentence behind a URL is none of it.
_REST = r"""[^\s"'`]*(?<![}\]),;])"""
_ITSELF = re.compile(
    rf"""https?://(?:hooks\.|[^/\s]{{0,200}}(?:webhook\.office\.com|logic\.azure\.com|discord[^/\s]{{0,50}}/api)){_REST}"""
    rf"""|[a-zA-Z][\w+.-]{{1,20}}://[^/\s"'`]{{0,300}}@{_REST}"""
    # Without a scheme; `a:b@1` is a recorded series at a time.
    rf"""|[^\s:@"'`{{}}\[\],()]{{1,80}}:[^\s@"'`{{}}\[\],()]{{1,300}}@(?!\d+(?![\w.]))[\w.\[]{_REST}"""
)
KEY = (
    r"(?:[\w-]{0,40}(?:webhook|password|passwd|passphrase|pwd|secret|token)|(?:api[_-]|webhook[_-])?url"
    r"|(?:[\w-]{0,40}[_-]|api|access|integration|private|routing|service)key|(?:[\w-]{0,40}[_-])?(?:pass|credentials?))"
)
FILE_KEY = r"[\w-]{1,40}[_-]file"
VALUE = r"""(?:\[[^\]]*|"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[^\s,{}\[\]'"][^\s,}\]]*)"""
_ENTRY = re.compile(
    rf"""(?P<key>\b(?:{KEY}|{FILE_KEY}(?=["']?\s*[:=]\s*["']?[a-z]+://))["']?\s*[:=]\s*)"""
    rf"(?P<value>{VALUE})",
    re.IGNORECASE,
)


def scrubbed(text: str) -> str:
    """A message without the secrets that are known by themselves."""
    return _ITSELF.sub(HIDDEN, text) if "@" in text or "://" in text else text


def masked(line: str) -> str:
    """A line with secrets as `*`, each character one, so that carets still fit; for text that may be no YAML."""

    def stars(found: re.Match[str]) -> str:
        kept = found.groupdict().get("key") or ""
        return kept + "*" * (len(found[0]) - len(kept))

    return _ITSELF.sub(stars, _ENTRY.sub(stars, line))
