"""Every code that a user can meet has a page, every page is of a code that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import alertkit

PACKAGE = Path(alertkit.__file__).parent
PAGES = {path.stem: path.read_text("utf-8") for path in (PACKAGE / "source" / "codes").glob("*.md")}


def used() -> set[str]:
    texts = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]
    return {code for text in texts for code in re.findall(r'"(AK\d{3})"', text)}


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert used() == set(PAGES)


@pytest.mark.parametrize("code", sorted(PAGES))
def test_a_page_begins_with_one_line_that_says_what_it_is(code: str) -> None:
    title, empty, *rest = PAGES[code].split("\n")
    assert re.match(r"# \S.*[^.]\Z", title) and len(title) < 100
    assert empty == ""
    assert any(row.strip() for row in rest) and PAGES[code].endswith("\n")


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.glob("cases/**/*.txt")), ids=lambda path: path.stem)
def test_messages_of_cases_are_one_sentence_without_a_full_stop(path: Path) -> None:
    for message in re.findall(r"error\[AK\d{3}\]: (.*)", path.read_text("utf-8")):
        assert not message.endswith(".") and not message[0].isupper()
