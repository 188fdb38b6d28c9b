"""Random well-typed trees as a hypothesis strategy; not all carry the parentheses that their text needs."""

from __future__ import annotations

from hypothesis import strategies as st

from alertkit.promql.tree import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Grouping,
    Matcher,
    Matching,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Selector,
    StringLiteral,
    Subquery,
    Unary,
)

_labels = st.sampled_from(["job", "instance", "le", "on", "by", "group_left", "a_1"])
_label_lists = st.lists(_labels, max_size=3, unique=True).map(tuple)
_texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
_windows = st.integers(1, 10**9)
_offsets = st.one_of(st.just(0), st.integers(-(10**9), 10**9))
_times = st.one_of(st.none(), st.integers(0, 2 * 10**12), st.sampled_from(["start", "end"]))
_numbers = st.builds(NumberLiteral, st.one_of(st.integers(-5, 5).map(float), st.floats()))
_patterns = st.sampled_from(["", ".*", ".+", "5..", "a|b", "\\d+", "[a-z]{2,3}"])
_matchers = st.one_of(
    st.builds(Matcher, _labels, st.sampled_from(["=", "!="]), _texts),
    st.builds(Matcher, _labels, st.sampled_from(["=~", "!~"]), _patterns),
)
_names = st.sampled_from(["up", "x:y", "rate", "sum", "offset", "on", "inf", "_a"])
_selectors = st.builds(Selector, _names, st.lists(_matchers, max_size=3).map(tuple), _offsets, _times)
_groupings = st.one_of(st.none(), st.builds(Grouping, _label_lists, st.booleans()))


@st.composite
def _matchings(draw: st.DrawFn, grouped: bool) -> Matching | None:
    labels, on = draw(_label_lists), draw(st.booleans())
    group = draw(st.sampled_from(["left", "right", None])) if grouped else None
    free = [label for label in ("pod", "zone") if draw(st.booleans())]
    if not on and not labels and group is None:
        return None
    return Matching(labels, on, group, tuple(free) if group else ())


@st.composite
def _vector_binaries(draw: st.DrawFn, vectors: st.SearchStrategy[Expr], scalars: st.SearchStrategy[Expr]) -> Expr:
    op = draw(st.sampled_from(["+", "-", "*", "/", "%", "^", "atan2", "==", "!=", ">", "<", ">=", "<=", "and", "or"]))
    left = draw(vectors)
    if op in ("and", "or"):
        op = draw(st.sampled_from(["and", "or", "unless"]))
        return Binary(op, left, draw(vectors), False, draw(_matchings(grouped=False)))
    returns_bool = op in ("==", "!=", ">", "<", ">=", "<=") and draw(st.booleans())
    form = draw(st.integers(0, 2))
    if form == 0:
        return Binary(op, left, draw(vectors), returns_bool, draw(_matchings(grouped=True)))
    other = draw(scalars)
    return Binary(op, left, other, returns_bool) if form == 1 else Binary(op, other, left, returns_bool)


def _ranges(vectors: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    steps = st.one_of(st.none(), _windows)
    return st.one_of(
        st.builds(MatrixSelector, _selectors, _windows), st.builds(Subquery, vectors, _windows, steps, _offsets, _times)
    )


def _grow(vectors: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    scalars: st.SearchStrategy[Expr] = st.one_of(
        _numbers,
        st.just(Call("time")),
        st.builds(lambda vector: Call("scalar", (vector,)), vectors),
        st.builds(Binary, st.sampled_from("+-*/^%"), _numbers, _numbers),
        st.builds(Binary, st.sampled_from([">", "=="]), _numbers, _numbers, st.just(True)),
        st.builds(Unary, st.one_of(_numbers, st.just(Call("pi")))),
        st.builds(Paren, _numbers),
    )
    strings = st.builds(StringLiteral, st.sampled_from(["a", "job"]))
    ranges = _ranges(vectors)
    return st.one_of(
        _vector_binaries(vectors, scalars),
        st.builds(Unary, vectors),
        st.builds(Paren, vectors),
        st.builds(Aggregate, st.sampled_from(["sum", "min", "group"]), vectors, st.none(), _groupings),
        st.builds(Aggregate, st.sampled_from(["topk", "quantile"]), vectors, scalars, _groupings),
        st.builds(Aggregate, st.just("count_values"), vectors, strings, _groupings),
        st.builds(lambda vector: Call("abs", (vector,)), vectors),
        st.builds(lambda vector, low: Call("clamp_min", (vector, low)), vectors, scalars),
        st.builds(lambda scalar: Call("vector", (scalar,)), scalars),
        st.builds(lambda series: Call("rate", (series,)), ranges),
        st.builds(lambda level, series: Call("quantile_over_time", (level, series)), scalars, ranges),
        st.builds(
            lambda v, text: Call("label_join", (v, StringLiteral("to"), StringLiteral(text), StringLiteral("job"))),
            vectors, _texts,
        ),
    )  # fmt: skip


vectors: st.SearchStrategy[Expr] = st.recursive(_selectors, _grow, max_leaves=8)
