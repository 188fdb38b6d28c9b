"""From the tokens of a Go text/template to its tree.

Source: Go's text/template documentation. Names (functions, variables, fields) are not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from alertkit.template.errors import TemplateError
from alertkit.template.lex import Token, tokenize
from alertkit.template.literal import number, unquote
from alertkit.template.tree import Action, Block, Function, Literal, Node, Path, Pipe, Term, Text

DEEPEST = 40
# So many mistakes of syntax in one template are told at once.
MOST = 20
# An action, also one that is not closed, with the texts in it, as far as none hides another one.
# A text that seems to hold `}}` and then `{{` is one that is not closed.
_ACTION = re.compile(
    r"""\{\{(?:"(?:\\.|(?!\}\})[^"\\\n])*(?:\}\}(?:\\.|(?!\{\{)[^"\\\n])*)?"|`[^`]*`|(?!\{\{|\}\}).)*(?:\}\})?""",
    re.DOTALL,
)
# One on which others depend: of a block, or one that sets a variable.
_NEEDED = re.compile(
    r"\{\{-?\s*(?:(?:if|else|end|range|with|define|block|template|break|continue)\b|\$\w*(?:\s*,[^}]*)?\s*:?=)"
)


def parse(text: str) -> tuple[Node, ...]:
    """The nodes of a template. Raises TemplateError at the first mistake of syntax."""
    return _Parser(tokenize(text)).top()


def parse_partly(text: str) -> tuple[tuple[Node, ...] | None, list[TemplateError]]:
    """The nodes of a template, in which actions with mistakes of syntax are read as prose, and those mistakes.

    None as the nodes where others depend on such an action.
    """
    errors: list[TemplateError] = []
    while len(errors) < MOST:
        try:
            return parse(text), errors
        except TemplateError as error:
            errors.append(TemplateError(error.message, error.offset, error.length))
        for action in _ACTION.finditer(text):
            end = action.end() - action[0].endswith("}}")  # of one that is not closed, what follows is told
            if action.start() <= errors[-1].offset <= end and not _NEEDED.match(action[0]):
                text = text[: action.start()] + " " * len(action[0]) + text[action.end() :]
                break
        else:
            break
    return None, errors


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def peek(self) -> Token:
        """The next token that is no space."""
        while self.tokens[self.at].kind == "space":
            self.at += 1
        return self.tokens[self.at]

    def next(self) -> Token:
        token = self.peek()
        self.at += token.kind != "eof"
        return token

    def top(self) -> tuple[Node, ...]:
        nodes, end = self.nodes(None)
        if end is not None:
            word = end.text
            raise TemplateError(f"`{word}` without an `if`, `range` or `with` before it", end.offset, len(word))
        return nodes

    def nodes(self, opener: Token | None, loop: bool = False) -> tuple[tuple[Node, ...], Token | None]:
        """Nodes up to `else`, `end` (returned as the second) or the end of the text."""
        found: list[Node] = []
        while True:
            token = self.next()
            if token.kind == "eof":
                if opener is not None:
                    message = f"this `{opener.text}` has no `{{{{ end }}}}`"
                    raise TemplateError(message, opener.offset, len(opener.text))
                return tuple(found), None
            if token.kind == "text":
                found.append(Text(token.text))
                continue
            word = self.peek()
            if word.kind == "close":
                raise TemplateError("`{{ }}` is empty", token.offset, word.end - token.offset)
            if word.kind == "keyword" and word.text != "nil":
                self.next()
                if word.text in ("end", "else"):
                    return tuple(found), word
                found.append(self.control(word, loop))
            else:
                found.append(Action(self.pipe("close", "")))

    def control(self, word: Token, loop: bool) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise TemplateError("too many blocks inside each other", word.offset, len(word.text))
        kind, name, pipe = word.text, "", None
        body: tuple[Node, ...] = ()
        other: tuple[Node, ...] = ()
        if kind in ("break", "continue"):
            if not loop:
                raise TemplateError(f"`{kind}` stands outside any `range`", word.offset, len(word.text))
            self.close(word)
        elif kind in ("template", "define", "block"):
            token = self.next()
            if token.kind != "string":
                raise TemplateError(f"`{kind}` wants a name in quotes", token.offset, len(token.text))
            name = str(unquote(token))
            if kind == "block" or (kind == "template" and self.peek().kind != "close"):
                pipe = self.pipe("close", kind)
            else:
                self.close(word)
            if kind != "template":
                body, end = self.nodes(word)
                self.ended(end)
        else:
            pipe = self.pipe("close", kind)
            loop = loop or kind == "range"
            body, end = self.nodes(word, loop)
            if end is not None and end.text == "else":
                other = self.otherwise(word, end, loop)
            else:
                self.ended(end)
        self.depth -= 1
        return Block(kind, pipe, body, other, name, word.offset, len(word.text))

    def otherwise(self, word: Token, end: Token, loop: bool) -> tuple[Node, ...]:
        follow = self.peek()
        if follow.kind == "keyword" and follow.text == "if" and word.text == "if":
            self.next()
            return (self.control(follow, loop),)
        if follow.kind == "keyword" and follow.text == "with" and word.text == "with":
            message = "`else with` is not known to Prometheus 2: write `{{ else }}{{ with ... }}`"
            raise TemplateError(message, end.offset, follow.end - end.offset)
        self.close(end)
        other, last = self.nodes(word, loop)
        self.ended(last)
        return other

    def ended(self, end: Token | None) -> None:
        if end is not None and end.text == "else":
            raise TemplateError("an `else` has no place here", end.offset, len(end.text))
        if end is not None:
            self.close(end)

    def close(self, word: Token) -> None:
        token = self.next()
        if token.kind != "close":
            raise TemplateError(f"unexpected `{token.text}` after `{word.text}`", token.offset, len(token.text))

    def pipe(self, closing: str, context: str) -> Pipe:
        first = self.peek()
        variables, assign = self.declared(context)
        commands: list[tuple[Term, ...]] = []
        while True:
            token = self.peek()
            if token.kind == closing:
                if not commands:
                    message = f"`{context}` wants a value" if context else "a value is missing here"
                    raise TemplateError(message, first.offset, len(first.text))
                if self.tokens_before_pipe():
                    raise TemplateError("nothing follows this `|`", self.tokens_before_pipe() - 1)
                self.next()
                return Pipe(variables, assign, tuple(commands), first.offset, token.offset - first.offset)
            command = self.command(bool(commands))
            if commands and isinstance(command[0], Literal):
                message = "only a function can follow `|`"
                raise TemplateError(message, command[0].offset, command[0].length)
            commands.append(command)

    def tokens_before_pipe(self) -> int:
        """The place behind a `|` that stands right before the current token, else 0."""
        back = self.at - 1
        while back >= 0 and self.tokens[back].kind == "space":
            back -= 1
        return self.tokens[back].end if back >= 0 and self.tokens[back].kind == "|" else 0

    def declared(self, context: str) -> tuple[tuple[str, ...], bool]:
        mark = self.at
        first = self.next()
        if first.kind == "variable":
            token = self.next()
            if token.kind in ("=", "declare"):
                return (first.text,), token.kind == "="
            second = self.next() if token.kind == "," else token
            if token.kind == "," and context == "range" and second.kind == "variable":
                sign = self.next()
                if sign.kind in ("=", "declare"):
                    return (first.text, second.text), sign.kind == "="
            if token.kind == ",":
                raise TemplateError("only `range` takes two variables", token.offset)
        self.at = mark
        return (), False

    def command(self, piped: bool) -> tuple[Term, ...]:
        terms: list[Term] = []
        while True:
            token = self.peek()
            if token.kind in ("close", ")", "|", "eof"):
                if not terms:
                    where = "after" if piped else "before"
                    raise TemplateError(f"a value is missing {where} `|`", token.offset, len(token.text))
                if token.kind == "|":
                    self.next()
                return tuple(terms)
            terms.append(self.term())
            after = self.tokens[self.at]
            if after.kind not in ("space", "close", ")", "|", "eof"):
                message = f"unexpected `{after.text}`: put a space before it"
                raise TemplateError(message, after.offset, len(after.text))

    def term(self) -> Term:
        token = self.next()
        size = len(token.text)
        build: dict[str, Callable[[], str | float | int | bool | None]] = {
            "string": lambda: unquote(token),
            "bool": lambda: token.text == "true",
            "number": lambda: number(token),
            "char": lambda: None,
        }
        if token.kind in build or (token.kind == "keyword" and token.text == "nil"):
            self.no_field(token)
            nil = token.kind == "keyword"
            return Literal(None if nil else build[token.kind](), nil, token.offset, size)
        if token.kind == "name":
            if self.tokens[self.at].kind == "field":
                inner = Pipe((), False, ((Function(token.text, token.offset, size),),), token.offset, size)
                return self.path(inner, token)
            return Function(token.text, token.offset, size)
        if token.kind == "(":
            self.depth += 1
            if self.depth > DEEPEST:
                raise TemplateError("too many parentheses inside each other", token.offset)
            pipe = self.pipe(")", "")
            self.depth -= 1
            return self.path(pipe, token)
        if token.kind == "dot":
            self.no_field(token)
        if token.kind in ("variable", "dot"):
            return self.path(token.text, token)
        if token.kind == "field":
            self.at -= 1
            return self.path(".", token)
        raise TemplateError(f"unexpected `{token.text}`", token.offset, size)

    def no_field(self, token: Token) -> None:
        field = self.tokens[self.at]
        if field.kind == "field":
            raise TemplateError(f"`{token.text}` has no `{field.text}`", field.offset, len(field.text))

    def path(self, base: str | Pipe, first: Token) -> Path:
        fields: list[Token] = []
        while self.tokens[self.at].kind == "field":
            fields.append(self.tokens[self.at])
            self.at += 1
        end = self.tokens[self.at - 1].end
        places = tuple((f.offset, len(f.text)) for f in fields)
        return Path(base, tuple(f.text[1:] for f in fields), places, first.offset, end - first.offset)
