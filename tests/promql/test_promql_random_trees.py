"""Any tree prints to text that means the same tree, for us and for a real promtool."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from promql_support import needs_promtool, refused
from promql_trees import vectors

from alertkit.promql import Expr, parse, prettify, to_text
from alertkit.promql.walk import without_parens


@settings(deadline=None, max_examples=300)
@given(vectors)
def test_printed_tree_parses_back(tree: Expr) -> None:
    parsed = parse(to_text(tree))
    assert without_parens(parsed) == without_parens(tree)
    assert parse(to_text(parsed)) == parsed


@settings(deadline=None, max_examples=100)
@given(vectors, st.integers(1, 120), st.integers(0, 8))
def test_pretty_tree_parses_back(tree: Expr, width: int, indent: int) -> None:
    assert parse(prettify(tree, width=width, indent=indent)) == parse(to_text(tree))


@needs_promtool
@settings(deadline=None, max_examples=8)
@given(st.lists(vectors, min_size=30, max_size=60))
def test_promtool_reads_printed_trees(trees: list[Expr]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert refused([to_text(tree) for tree in trees], Path(folder)) == []
