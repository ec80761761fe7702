"""Every symbol of the language by itself, and every pair of them that makes sense, as losses.

A row of a table is a text with {} for what it is of. What it maps says which rows fit into which: numbers and arrays
component by component, vectors to vectors, arrays to numbers, square matrices to matrices. A weight before the last sum
tells apart what a bare sum would hide: Σ softmax is 1.
"""

from __future__ import annotations

import re
from typing import NamedTuple

COMPONENTS = {
    "exp": "exp({})",
    "log": "log({})",
    "log1p": "log1p({})",
    "expm1": "expm1({})",
    "sqrt": "sqrt({})",
    "abs": "abs({})",
    "sign": "sign({})",
    "tanh": "tanh({})",
    "sin": "sin({})",
    "cos": "cos({})",
    "sigmoid": "sigmoid({})",
    "log_sigmoid": "log_sigmoid({})",
    "softplus": "softplus({})",
    "relu": "relu({})",
    "gelu": "gelu({})",
    "silu": "silu({})",
    "erf": "erf({})",
    "gammaln": "gammaln({})",
    "digamma": "digamma({})",
    "floor": "floor({})",
    "minus": "(-({}))",
    "plus": "({} + s)",
    "times": "(s*({}))",
    "over": "(({})/s)",
    "under": "(s/({}))",
    "square": "(({})**2)",
    "cube": "(({})**3)",
    "root": "(({})**(1/3))",
    "power": "(({})**s)",
    "base": "(2**({}))",
    "maximum": "maximum({}, s)",
    "minimum": "minimum({}, s)",
    "where": "where({0} > 0.5, {0}, s*{0})",
    "mask": "(1 + (({0} <= 0.5) & ~({0} < 0.2))) * {0}",
    "logaddexp": "logaddexp({}, s)",
}
VECTORS = {"softmax": "softmax({})", "log_softmax": "log_softmax({})", "cumsum": "cumsum({})"}
NUMBERS = {
    "sum": "sum({})",
    "mean": "mean({})",
    "prod": "prod({})",
    "max": "max({})",
    "min": "min({})",
    "logsumexp": "logsumexp({})",
    "norm": "norm({})",
    "var": "var({})",
    "std": "std({})",
}
PRODUCTS = {
    "dot": "dot({}, c)",
    "@": "({0}) @ ({0})",
    "A @": "b @ (A @ ({}))",
    "outer": "sum(A * outer(b, {}))",
    "einsum": "einsum('nm,m->', A, {})",
    "diag": "b @ (A @ diag({})) @ c",
}
SQUARE = {".T": "({}).T", "inv": "inv({})", "solve": "solve({}, D)", "@": "({0}) @ ({0})"}
OF_SQUARE = {
    "trace": "trace({})",
    "det": "det({})",
    "logdet": "logdet({})",
    "diag": "sum(c * diag({}))",
    "solve": "sum(c * solve({}, c))",
}

SHAPES = {"x": "m", "X": "n,m", "C": "m,m", "A": "n,m", "D": "m,m", "b": "n", "c": "m", "s": ""}


# Names of the parser for what stands in the tables as an operator, or under another name.
SAME = {
    **dict.fromkeys(("absolute", "fabs"), "abs"),
    **dict.fromkeys(("add", "subtract", "multiply", "divide", "negative", "reciprocal", "power", "pow", "square"), ""),
    **dict.fromkeys(("array", "asarray", "len", "transpose", "swapaxes", "moveaxis"), ""),
    **dict.fromkeys(("ones", "eye", "identity"), ""),  # constants
    **dict.fromkeys(("logical_and", "logical_or", "logical_not"), "where"),
    **dict.fromkeys(("lgamma", "loggamma"), "gammaln"),
    **dict.fromkeys(("psi", "trigamma"), "digamma"),  # the last is its slope, and its own has no name
    "amax": "max",
    "amin": "min",
    "average": "mean",
    "expit": "sigmoid",
    "inner": "dot",
    "logsigmoid": "log_sigmoid",
    "matmul": "dot",
    "swish": "silu",
}


def within(text):
    """The names in a text."""
    return set(re.findall(r"\w+", text))


class Composition(NamedTuple):
    """A loss with the two symbols that it is of; by itself a symbol is of "x"."""

    outer: str
    inner: str
    text: str

    @property
    def by(self):
        return next(name for name in "xXC" if name in self.shapes)

    @property
    def shapes(self):
        return {name: shape for name, shape in SHAPES.items() if name in within(self.text)}


def along(text):
    """A reduction or a row symbol along the last axis."""
    return text.replace("{})", "{}, axis=1)")


def pairs():
    """Every symbol by itself, and in pairs."""
    maps = {**COMPONENTS, **VECTORS}
    inner = {"x": "{}", **maps}
    for outer, of in maps.items():
        for name, text in inner.items():
            yield Composition(outer, name, f"sum(c*{of.format(text.format('x'))})")
    for outer, of in {**NUMBERS, **PRODUCTS}.items():
        for name, text in inner.items():
            yield Composition(outer, name, of.format(text.format("x")))
    for outer, of in COMPONENTS.items():
        for name, text in {**NUMBERS, "dot": "dot({}, c)", "@": "({0}) @ ({0})"}.items():
            yield Composition(outer, name, of.format(text.format("x")))
        yield Composition(outer, "A @", f"sum(b*{of.format('(A @ x)')})")
        yield Composition(outer, "trace", of.format("trace(C)"))
        yield Composition(outer, "det", of.format("det(C)"))
    for outer, of in {**NUMBERS, **VECTORS}.items():
        for name, text in NUMBERS.items():
            loss = of.format(along(text).format("X"))
            yield Composition(f"{outer} along", name, f"sum(b*{loss})" if outer in VECTORS else loss)
        for name, text in VECTORS.items():
            loss = f"({along(of).format(along(text).format('X'))})"
            yield Composition(f"{outer} along", name, f"sum(A*{loss})" if outer in VECTORS else f"sum(b*{loss})")
    square = {"C": "{}", **SQUARE, **COMPONENTS}
    for outer, of in {**OF_SQUARE, **{name: f"sum(D*{of})" for name, of in SQUARE.items()}}.items():
        for name, text in square.items():
            yield Composition(outer, name, of.format(text.format("C")))
        yield Composition(outer, "diag", of.format("diag(x)"))
        yield Composition(outer, "outer", of.format("(D + outer(x, c))"))


def spread(cases, each):
    """One case of so many, and then the first ones of the symbols that are still missing in either place."""
    chosen = cases[::each]
    for case in cases:
        if not any(case.outer == one.outer for one in chosen) or not any(case.inner == one.inner for one in chosen):
            chosen.append(case)
    return chosen


PAIRS = list(pairs())
SPREAD = spread(PAIRS, 17)  # which shares no factor with the numbers of symbols
