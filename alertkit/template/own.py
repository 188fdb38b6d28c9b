"""The compiler's own `<< expression >>` in texts.

The expressions are Jinja2's, read by Jinja2's parser in a sandboxed environment and evaluated by the code here, node
by node: what is not in `_Evaluation` does not exist, so there are no calls, attributes, statements or loops, and
every number and text is bounded. Everything outside `<< >>` is passed on untouched, `{{ }}` included; `\\<<` stands
for `<<`. Jinja2 takes 54 ms to import, so it is imported at the first `<<`.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from alertkit.template.errors import TemplateError
from alertkit.template.own_filters import FILTERS, LONGEST, Refusal, bounded

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

__all__ = ["Placed", "mentions", "mistakes", "render", "render_placed"]

LONGEST_EXPRESSION = 1000
_STRING_OR_END = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|>>", re.DOTALL)

# Literal text, or an expression, its source and the offset of the source.
Piece = str | tuple[Any, str, int]


def render(text: str, variables: Mapping[str, object]) -> str:
    """The text with each `<< expression >>` replaced; equal input gives equal text.

    Values may be str, int, float, bool, and lists or tuples of these. Raises TemplateError, nothing else.
    """
    return text if "<<" not in text else render_placed(text, variables).text


@dataclass(frozen=True, slots=True)
class Placed:
    """A rendered text that knows where each of its characters comes from.

    `runs` are (start in `text`, start in the source, length in the source, source of the expression or None for
    literal text), by place.
    """

    text: str
    runs: tuple[tuple[int, int, int, str | None], ...]

    def source_of(self, offset: int, length: int = 1) -> tuple[int, int, str | None]:
        """Of a place in `text`: offset and length in the source, and the expression that gave it, if one did."""
        found = (0, 0, 0, None) if not self.runs else self.runs[0]
        for run in self.runs:
            if run[0] > offset:
                break
            found = run
        start, at, size, expression = found
        if expression is not None:
            return at, size, expression
        inside = min(offset - start, size)
        return at + inside, max(1, min(length, size - inside)), None


def render_placed(
    text: str, variables: Mapping[str, object], finish: Callable[[str, str], str] | None = None
) -> Placed:
    """Like `render`, with places; `finish(before, value)` may change a value by the text that stands before it."""
    out = ""
    runs: list[tuple[int, int, int, str | None]] = []
    room = 10 * LONGEST
    position = 0
    for piece in _pieces(text):
        if isinstance(piece, str):
            # `\\<<` is one character longer in the source than what it stands for.
            escaped = not text.startswith(piece, position)
            runs.append((len(out), position, len(piece) + escaped, None))
            position += len(piece) + escaped
            out += piece
            continue
        tree, source, offset = piece
        value = _Evaluation(variables, source, offset).shown(tree)
        runs.append((len(out), offset - 2, len(source) + 4, source.strip()))
        position = offset + len(source) + 2
        out += value if finish is None else finish(out, value)
        room -= len(value)
        if room < 0:
            raise TemplateError("the text grows too long", offset, len(source))
    return Placed(out, tuple(run for run in runs if run[2]))


def mentions(text: str) -> set[str]:
    """The names of all variables in the text's expressions; empty when an expression cannot be read."""
    if "<<" not in text:
        return set()
    try:
        pieces = _pieces(text)
    except TemplateError:
        return set()
    from jinja2 import nodes

    return {
        name.name
        for piece in pieces
        if not isinstance(piece, str)
        for name in (piece[0], *piece[0].find_all(nodes.Name))
        if isinstance(name, nodes.Name)
    }


def mistakes(text: str, variables: Mapping[str, object]) -> list[TemplateError]:
    """What is wrong in the text's expressions, by place: of each the first mistake."""
    pieces, found = _split(text) if "<<" in text else ((), ())
    errors = [TemplateError(*error) for error in found]
    for piece in pieces:
        if not isinstance(piece, str):
            tree, source, offset = piece
            try:
                _Evaluation(variables, source, offset).shown(tree)
            except TemplateError as error:
                errors.append(error)
    return sorted(errors, key=lambda error: error.offset)


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[tuple[Piece, ...], tuple[tuple[str, int, int], ...]]:
    """The pieces that can be read, and of the other expressions what is wrong with them."""
    errors: list[TemplateError] = []
    pieces = tuple(_read(text, errors))
    return pieces, tuple((error.message, error.offset, error.length) for error in errors)


def _pieces(text: str) -> tuple[Piece, ...]:
    pieces, errors = _split(text)
    if errors:
        raise TemplateError(*errors[0])
    return pieces


def _read(text: str, errors: list[TemplateError]) -> list[Piece]:
    pieces: list[Piece] = []
    position = 0
    while (start := text.find("<<", position)) >= 0:
        if start and text[start - 1] == "\\":
            pieces.append(text[position : start - 1] + "<<")
            position = start + 2
            continue
        pieces.append(text[position:start])
        end = next((m for m in _STRING_OR_END.finditer(text, start + 2) if m.group() == ">>"), None)
        if end is None:
            errors.append(TemplateError("this `<<` is never closed, `>>` is missing", start, 2))
            return pieces
        source = text[start + 2 : end.start()]
        try:
            pieces.append((_parse(source, start + 2), source, start + 2))
        except TemplateError as error:
            errors.append(error)
        position = end.end()
    pieces.append(text[position:])
    return pieces


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    # The parser is only ever given one expression, so no other delimiter can occur.
    return SandboxedEnvironment(variable_start_string="<<", variable_end_string=">>", undefined=StrictUndefined)


def _parse(source: str, offset: int) -> Any:
    """Jinja2's tree of one expression; in it and in its errors, line numbers are offsets in the text."""
    from jinja2 import TemplateSyntaxError
    from jinja2.lexer import TokenStream
    from jinja2.parser import Parser

    if not source.strip():
        raise TemplateError("`<< >>` is empty", offset, len(source))
    if len(source) > LONGEST_EXPRESSION:
        raise TemplateError(f"an expression has at most {LONGEST_EXPRESSION} characters", offset, len(source))
    environment = _environment()
    # One character stays one character, so that tokens add up to offsets.
    plain = source.replace("\r", " ")

    def located() -> Any:
        at = offset
        for _, kind, value in environment.lexer.tokeniter(plain, None, None, "variable"):
            yield at, kind, value
            at += len(value)

    try:
        tokens = list(environment.lexer.wrap(located()))
        parser = Parser(environment, "", state="variable")
        parser.stream = TokenStream(iter(tokens), None, None)
        tree = parser.parse_expression()
        if not parser.stream.eos:
            found = " ".join(str(parser.stream.current.value).split()) or "text"
            raise TemplateError(f"unexpected `{found}`", parser.stream.current.lineno)
        return tree
    except TemplateError:
        raise
    except TemplateSyntaxError as error:
        raise _located(error.message or "", error.lineno, source, offset) from None
    except RecursionError:
        raise TemplateError("this expression is nested too deeply", offset, len(source)) from None
    except (ValueError, SyntaxError, ArithmeticError):
        message = "this expression holds a number or text that cannot be read"
        raise TemplateError(message, offset, len(source)) from None


def _located(message: str, place: int, source: str, offset: int) -> TemplateError:
    """Jinja2's syntax error in our words; `place` is an offset where it is one at all."""
    end = offset + len(source.rstrip())
    if "end of template" in message:
        return TemplateError("the expression ends too early", end)
    if at := re.match(r"unexpected char (.+) at (\d+)$", message):
        return TemplateError(f"unexpected {at.group(1)}", offset + int(at.group(2)))
    message = message.rstrip(".") or "this expression cannot be read"
    return TemplateError(message[:1].lower() + message[1:], place if offset <= place <= end else offset)


class _Evaluation:
    def __init__(self, variables: Mapping[str, object], source: str, offset: int) -> None:
        self.variables = variables
        self.source = source
        self.offset = offset

    def error(self, message: str, node: nodes.Node, length: int = 1) -> TemplateError:
        return TemplateError(message, node.lineno, length)

    def shown(self, tree: nodes.Expr) -> str:
        try:
            value = self.value(tree)
        except RecursionError:
            raise TemplateError("this expression is nested too deeply", self.offset, len(self.source)) from None
        if isinstance(value, float):
            return str(float(f"{value:.15g}"))  # 0.07 * 100 is 7.0, not 7.000000000000001.
        if isinstance(value, (str, int)):
            return str(value)
        raise TemplateError("a list cannot be shown: use `join`", self.offset, len(self.source))

    def value(self, node: nodes.Node) -> Any:
        """The value of an expression; raises TemplateError for all that is not offered."""
        kind = type(node).__name__
        method = getattr(self, f"_{kind.lower()}", None)
        if method is None:
            what = _REFUSED.get(kind, "this kind of expression")
            raise self.error(f"{what} cannot be used in `<< >>`", node)
        try:
            return bounded(method(node))
        except TemplateError:
            raise
        except Refusal as refusal:
            raise self.error(str(refusal), node) from None
        except (ValueError, TypeError, ArithmeticError, AttributeError, LookupError):
            raise self.error("these values do not go together", node) from None

    def _const(self, node: nodes.Const) -> Any:
        return node.value

    def _templatedata(self, node: nodes.TemplateData) -> Any:
        return node.data

    def _name(self, node: nodes.Name) -> Any:
        if node.name not in self.variables:
            close = difflib.get_close_matches(node.name.lower(), sorted(self.variables), n=1, cutoff=0.6)
            known = ", ".join(sorted(self.variables)[:24])
            hint = f", did you mean `{close[0]}`?" if close else f", there are {known}" if known else ""
            raise self.error(f"unknown variable `{node.name}`{hint}", node, len(node.name))
        return self.variables[node.name]

    def _list(self, node: nodes.List) -> Any:
        return [self.value(item) for item in node.items]

    def _tuple(self, node: nodes.Tuple) -> Any:
        return [self.value(item) for item in node.items]

    def _condexpr(self, node: nodes.CondExpr) -> Any:
        if self.value(node.test):
            return self.value(node.expr1)
        return self.value(node.expr2) if node.expr2 is not None else ""

    def _and(self, node: nodes.And) -> Any:
        return self.value(node.left) and self.value(node.right)

    def _or(self, node: nodes.Or) -> Any:
        return self.value(node.left) or self.value(node.right)

    def _not(self, node: nodes.Not) -> Any:
        return not self.value(node.node)

    def _neg(self, node: nodes.Neg) -> Any:
        return -_number(self.value(node.node))

    def _pos(self, node: nodes.Pos) -> Any:
        return _number(self.value(node.node))

    def _add(self, node: nodes.Add) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(left, str) and isinstance(right, str):
            return left + right
        return _number(left) + _number(right)

    def _sub(self, node: nodes.Sub) -> Any:
        return _number(self.value(node.left)) - _number(self.value(node.right))

    def _mul(self, node: nodes.Mul) -> Any:
        return _number(self.value(node.left)) * _number(self.value(node.right))

    def _div(self, node: nodes.Div) -> Any:
        return _number(self.value(node.left)) / _divisor(self.value(node.right))

    def _floordiv(self, node: nodes.FloorDiv) -> Any:
        return _number(self.value(node.left)) // _divisor(self.value(node.right))

    def _mod(self, node: nodes.Mod) -> Any:
        return _number(self.value(node.left)) % _divisor(self.value(node.right))

    def _concat(self, node: nodes.Concat) -> Any:
        values = [self.value(part) for part in node.nodes]
        if not all(isinstance(value, (str, int, float)) for value in values):
            raise Refusal("a list cannot be shown: use `join`")
        return "".join(map(str, values))

    def _compare(self, node: Any) -> Any:
        left = self.value(node.expr)
        for operand in node.ops:
            right = self.value(operand.expr)
            if not _COMPARE[operand.op](left, right):
                return False
            left = right
        return True

    def _filter(self, node: Any) -> Any:
        function = FILTERS.get(node.name)
        if function is None:
            raise self.error(f"unknown filter `{node.name}`, there are {', '.join(sorted(FILTERS))}", node)
        if node.dyn_args is not None or node.dyn_kwargs is not None or node.node is None:
            raise self.error("`*` cannot be used here", node)
        arguments = [self.value(argument) for argument in node.args]
        named = {argument.key: self.value(argument.value) for argument in node.kwargs}
        if node.name == "default" and type(node.node).__name__ == "Name" and self._absent(node.node):
            return arguments[0] if arguments else named.get("default_value", "")
        return function(self.value(node.node), *arguments, **named)

    def _absent(self, node: Any) -> bool:
        return node.name not in self.variables


_REFUSED = {
    "Call": "a call", "Getattr": "an attribute (`.`)", "Getitem": "an index (`[ ]`)", "Pow": "`**`", "Test": "`is`",
    "Dict": "a mapping", "Slice": "a slice",
}  # fmt: skip
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "lt": lambda a, b: a < b, "lteq": lambda a, b: a <= b,
    "gt": lambda a, b: a > b, "gteq": lambda a, b: a >= b, "in": lambda a, b: a in b, "notin": lambda a, b: a not in b,
}  # fmt: skip


def _number(value: Any) -> int | float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise Refusal("this calculation wants numbers")


def _divisor(value: Any) -> int | float:
    number = _number(value)
    if number == 0 or math.isnan(number):
        raise Refusal("division by zero")
    return number
