from typing import ClassVar, Literal

from alertkit.kinds.base import Context, Kind, KindError
from alertkit.kinds.question import Question
from alertkit.promql import Expr as Tree
from alertkit.promql import (
    PromqlError,
    has_comparison,
    parse,
    prettify,
    result_labels,
    returns_instant_vector,
    to_text,
    uncompared,
    value_type,
)
from alertkit.promql.lint import findings, fires_when_absent, unseen_births
from alertkit.promql.reads import read_selectors
from alertkit.spec.alert import Text
from alertkit.spec.duration import format_duration
from alertkit.spec.shown import brief

# A longer expression on one line is laid out over several.
LONGEST_LINE = 100
_SHOWN = {"matrix": "a range like `x[5m]`", "scalar": "a single number without labels", "string": "a string"}


class Expr(Kind):
    """PromQL as you write it, where no other kind fits.

    Parameters
      expr  the whole condition, as PromQL; each element of its result is one alert

    PromQL: as written, with your own line breaks; a long line is laid out over several.

    Pitfalls: alertkit cannot know what your expression means, so no tests are derived from it: write scenarios. It
    must hold a comparison, or it would fire as long as its series exist; `> bool` is none. What can never fire, a bare
    counter, a rate of a sum or of a gauge, a condition that adds nothing and `absent` of an aggregation are errors.
    `increase(...) > 0` misses the first event of a series that begins with it, and `alertkit compile` notes that: kind
    `increase` does not. `by` and `where` belong into the expression. `<< name >>` puts in the variables of `for_each`,
    nothing else.

    Example
      Unbalanced: {kind: expr, expr: 'abs(longs_usd - shorts_usd) > 1000', for: 5m}

    Source: Prometheus documentation, "Querying basics" and "Operators".
    """

    kind: Literal["expr"] = "expr"
    expr: Text

    label_advice: ClassVar[str] = "keep `{name}` in the expression's own `by (...)` or `on (...)`"
    without_defaults: ClassVar[frozenset[str]] = frozenset({"by"})
    user_promql: ClassVar[bool] = True

    def question(self, context: Context) -> Question:
        if self.by is not None:
            raise KindError(
                "AK208", "`by` has no effect on an expression", "by",
                "the labels of its result are the identity: write `sum by (...)` or the like in `expr`",
            )  # fmt: skip
        if self.where:
            raise KindError(
                "AK208", "matchers cannot be added to an expression", "where",
                "write them into `expr`; a variable of `for_each` is put in there by `<< name >>`",
            )  # fmt: skip
        tree = self._tree()
        labels = result_labels(tree)
        inputs = read_selectors(tree)
        if self.missing == "alert" and not inputs:
            raise KindError(
                "AK208", "`missing: alert` has no effect: the expression needs no series", "missing", "remove it"
            )
        self._lint(tree, context)
        text = "\n".join(line.rstrip() for line in self.expr.strip().split("\n"))
        if "\n" not in text and len(text) > LONGEST_LINE:
            text = prettify(tree)
        return Question(
            signal=text, identity=None if labels.open else tuple(sorted(labels.names - {"__name__"})),
            metric=inputs[0].metric if inputs else "", operations="", inputs=inputs, bare=True, labels=labels,
            notes=self._notes(tree),
        )  # fmt: skip

    def _tree(self) -> Tree:
        try:
            tree = parse(self.expr)
        except PromqlError as error:
            raise KindError(
                "AK411", error.message, "expr", "this is not PromQL that all supported servers load",
                error.offset, error.length,
            ) from None  # fmt: skip
        if not returns_instant_vector(tree):
            raise KindError(
                "AK412", f"an alert needs an instant vector, this is {_SHOWN[value_type(tree)]}", "expr",
                "aggregate a range over time, like `max_over_time(x[5m]) > 3`", 0, self._first_line(),
            )  # fmt: skip
        if not has_comparison(tree):
            branch = uncompared(tree)
            what, at, length = "nothing in this expression", 0, self._first_line()
            if branch is not tree:
                from alertkit.promql.parts import place

                what = f"nothing in the branch {brief(to_text(branch))}"
                at, length = place(self.expr, tree, branch)
            raise KindError(
                "AK410", f"{what} is compared: it would fire as long as its series exist", "expr",
                "add a comparison like `> 5` (without `bool`); for a dead man's switch use kind `heartbeat`",
                at, length,
            )  # fmt: skip
        return tree

    def _lint(self, tree: Tree, context: Context) -> None:
        """Refuse what is surely wrong, at the word that shows it."""
        errors = []
        for found in findings(tree, context.scrape_interval):
            from alertkit.promql.parts import place

            at, length = place(self.expr, tree, found.node, found.word)
            errors.append(KindError(found.code, found.message, "expr", found.help, at, length))
        least = 2 * context.scrape_interval
        if fires_when_absent(tree) and self.for_ < least:
            errors.append(KindError(
                "AK313", "`for` is shorter than two scrapes: the alert would fire at each restart", "for",
                f"use at least `for: {format_duration(least)}`",
            ))  # fmt: skip
        if errors:
            errors[0].more = errors[1:]
            raise errors[0]

    def _notes(self, tree: Tree) -> tuple[tuple[str, int, int], ...]:
        if "increase" not in self.expr:
            return ()
        from alertkit.promql.parts import place

        said = "`increase(...) > 0` misses the first event of a series that begins with it, kind `increase` does not"
        return tuple((said, *place(self.expr, tree, node, node.op)) for node in unseen_births(tree))

    def _first_line(self) -> int:
        return len(self.expr.split("\n", 1)[0])

    def stimulus(self, context: Context) -> None:
        return None

    def why_unproven(self) -> str:
        return "kind `expr` has no stimulus: write a scenario or a promtool test for it"

    def default_summary(self, alert: str) -> str:
        return f"{alert} is firing with value {{{{ $value | humanize }}}}"
