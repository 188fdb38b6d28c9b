"""Credentials and certificates for servers, read from files at the moment of each request.

They go into the request alone: no URL, command line, log or journal ever holds them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from alertkit.spec.project import Access

if TYPE_CHECKING:
    import requests


class AccessError(Exception):
    """A file that an `http:` block names cannot be used; the text never holds what stands in it."""


def session_factory(access: Access | None, root: Path) -> Callable[[], requests.Session] | None:
    """Makes sessions for an `http:` block, whose relative paths are meant from `root`; None without one.

    What it makes raises AccessError when a file cannot be read.
    """
    if access is None:
        return None

    def path(text: str) -> str:
        found = root / Path(text).expanduser()
        try:
            found.open("rb").close()
        except OSError as error:
            raise AccessError(f"{found} cannot be read: {error.strerror or error}") from None
        return str(found)

    def secret(text: str) -> str:
        try:
            value = Path(path(text)).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise AccessError(f"{text} is not a text file") from None
        if not value or not value.isprintable():
            raise AccessError(f"{text} {'is empty' if not value else 'holds more than one line'}")
        return value

    def session() -> requests.Session:
        import requests

        made = requests.Session()
        if access.bearer_token_file:
            token = secret(access.bearer_token_file)
            made.auth = _Bearer(token)
        elif access.username is not None and access.password_file is not None:
            password = secret(access.password_file)
            made.auth = (access.username.encode(), password.encode())  # type: ignore[assignment]
        if access.cert_file:
            certificate = path(access.cert_file)
            made.cert = (certificate, path(access.key_file)) if access.key_file else certificate
        if access.ca_file:
            made.verify = path(access.ca_file)
        if access.insecure_skip_verify:
            import urllib3

            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            made.verify = False
        return made

    return session


class _Bearer:
    """Sets the header itself, so that a ~/.netrc does not replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
