"""Read the text of a formula.

https://help.salesforce.com/s/articleView?id=platform.customize_functions.htm
"""

import re
from decimal import Decimal

from cosell_emulators.salesforce.formulas.functions import ARITY
from cosell_emulators.salesforce.formulas.tree import Call, Expression, Faulty, Literal, Reference

_TOKEN = re.compile(
    r"""\s*(?:/\*.*?\*/\s*)*(?:
      (?P<number>\d+(?:\.\d+)?|\.\d+)
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<name>[A-Za-z]\w*(?:\s*\.\s*[A-Za-z]\w*)*)
    | (?P<sign>&&|\|\||<>|<=|>=|==|!=|[-+*/^&=<>!(),])
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None}
# From what binds least to what binds most.
_LEVELS: tuple[dict[str, str], ...] = (
    {"||": "OR"},
    {"&&": "AND"},
    {"=": "=", "==": "=", "!=": "<>", "<>": "<>"},
    {"<": "<", ">": ">", "<=": "<=", ">=": ">="},
    {"&": "&"},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/"},
)
_LONGEST = 3900


def parsed(text: str) -> Expression:
    """Read a formula, or say what is wrong with it."""
    if len(text) > _LONGEST:
        raise Faulty(f"Formula is too long ({len(text)} characters). Maximum is {_LONGEST}.")
    reader = _Reader(text)
    found = reader.level(0)
    if reader.kind != "end":
        raise Faulty(f"Syntax error. Extra '{reader.token}'")
    return found


class _Reader:
    """The tokens of a formula, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.kind = ""
        self.token = ""
        self.next()

    def next(self) -> str:
        """Go on to the next token, and give the one that was read."""
        before = self.token
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            odd = self._text[self._at :].strip()[:1]
            raise Faulty(f"Syntax error. Found '{odd}'")
        self._at, self.kind = match.end(), str(match.lastgroup)
        self.token = match[self.kind]
        return before

    def level(self, depth: int) -> Expression:
        """Read operators of one level, and what binds more."""
        if depth == len(_LEVELS):
            return self._power()
        left = self.level(depth + 1)
        while self.kind == "sign" and self.token in _LEVELS[depth]:
            name = _LEVELS[depth][self.next()]
            left = Call(name, (left, self.level(depth + 1)))
        return left

    def _power(self) -> Expression:
        base = self._unary()
        if self.kind == "sign" and self.token == "^":
            self.next()
            return Call("^", (base, self._power()))
        return base

    def _unary(self) -> Expression:
        if self.kind == "sign" and self.token in ("-", "+", "!"):
            sign = self.next()
            inner = self._unary()
            if sign == "+":
                return inner
            return Call("NOT" if sign == "!" else "NEGATE", (inner,))
        return self._primary()

    def _primary(self) -> Expression:
        match self.kind:
            case "number":
                return Literal(Decimal(self.next()))
            case "text":
                inner = self.next()[1:-1]
                return Literal(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), inner))
            case "name":
                return self._named("".join(self.next().split()))
        if self.token == "(":
            self.next()
            inner_expression = self.level(0)
            self._expect(")")
            return inner_expression
        raise Faulty(f"Syntax error. Found '{self.token or 'the end'}'")

    def _named(self, name: str) -> Expression:
        if self.token != "(" or self.kind != "sign":
            if name.upper() in _CONSTANTS:
                return Literal(_CONSTANTS[name.upper()])
            return Reference(tuple(name.split(".")))
        self.next()
        arguments: list[Expression] = []
        while self.token != ")" or self.kind != "sign":
            arguments.append(self.level(0))
            if self.token == ",":
                self.next()
            elif self.token != ")":
                raise Faulty("Syntax error. Missing ')'")
        self.next()
        return _called(name.upper(), tuple(arguments))

    def _expect(self, sign: str) -> None:
        if self.token != sign:
            raise Faulty(f"Syntax error. Missing '{sign}'")
        self.next()


def _called(name: str, arguments: tuple[Expression, ...]) -> Call:
    if name not in ARITY:
        raise Faulty(f"Unknown function {name}. Check spelling.")
    least, most = ARITY[name]
    if not least <= len(arguments) <= (most or len(arguments)):
        message = f"Incorrect number of parameters for function '{name}()'. "
        raise Faulty(f"{message}Expected {least}, received {len(arguments)}")
    return Call(name, arguments)
