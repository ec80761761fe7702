"""Random losses of the language, as text: vectors and scalars under a grammar that needs no luck with shapes."""

from __future__ import annotations

import re
from random import Random

SHAPES = {"A": "m,n", "x": "n", "b": "m", "c": "n", "s": ""}
SMOOTH = ("exp", "tanh", "sigmoid", "softplus", "sin", "cos", "erf", "silu", "square")
ROUGH = ("abs", "relu", "sqrt", "log")


def vector(rng: Random, size: str, depth: int) -> str:
    """A vector of n or m components."""
    if depth == 0:
        return rng.choice(("x", "x", "c") if size == "n" else ("b", "A @ x", "A @ x"))
    inner = lambda: vector(rng, size, depth - 1)  # noqa: E731 - a new one each time
    options = (
        lambda: f"{rng.choice(SMOOTH)}({inner()})",
        lambda: f"{rng.choice(SMOOTH)}({inner()}/2)",
        lambda: f"({inner()} + {inner()})",
        lambda: f"({inner()} - {inner()})",
        lambda: f"{inner()} * ({inner()})",
        lambda: f"({scalar(rng, depth - 1)}) * ({inner()})",
        lambda: f"({inner()})**{rng.choice((2, 3))}",
        lambda: f"softmax({inner()})",
        lambda: f"-({inner()})",
        lambda: f"({inner()}) / (1 + ({inner()})**2)",
        lambda: f"{rng.choice(ROUGH)}(1 + ({inner()})**2)",
        lambda: f"{rng.choice(('abs', 'relu'))}({inner()})",
        lambda: f"sqrt(({inner()})**2)",
        lambda: f"log(({inner()})**2)",
        lambda: f"maximum({inner()}, {inner()})",
        lambda: f"cumsum({inner()})",
        lambda: f"where(({inner()} > 0) & ({inner()} <= 1), {inner()}, {inner()})",
        lambda: (
            "A @ (" + vector(rng, "n", depth - 1) + ")"
            if size == "m"
            else "A.T @ (" + vector(rng, "m", depth - 1) + ")"
        ),
    )
    return rng.choice(options)()


def scalar(rng: Random, depth: int) -> str:
    """A number."""
    if depth <= 0:
        return rng.choice(("s", "2", "x @ c", "b @ (A @ x)", "sum(x)"))
    size = rng.choice("nm")
    options = (
        lambda: f"sum({vector(rng, size, depth)})",
        lambda: f"mean({vector(rng, size, depth)})",
        lambda: f"logsumexp({vector(rng, size, depth)})",
        lambda: f"norm({vector(rng, size, depth)})",
        lambda: f"{rng.choice(('max', 'min', 'prod'))}({vector(rng, size, depth)})",
        lambda: f"gammaln(1 + ({scalar(rng, depth - 1)})**2)",
        lambda: f"({vector(rng, size, depth - 1)}) @ ({vector(rng, size, depth - 1)})",
        lambda: f"({scalar(rng, depth - 1)}) * ({scalar(rng, depth - 1)})",
        lambda: f"({scalar(rng, depth - 1)}) + ({scalar(rng, depth - 1)})",
        lambda: f"({scalar(rng, depth - 1)}) / (1 + ({scalar(rng, depth - 1)})**2)",
        lambda: f"{rng.choice(('tanh', 'sigmoid', 'sin'))}({scalar(rng, depth - 1)})",
    )
    return rng.choice(options)()


def names_in(text: str) -> set[str]:
    """The names that occur in a text."""
    return set(re.findall(r"[A-Za-z_]\w*", text))


# What has a kink, a root or a pole where its argument is 0; and arguments that are 0 where x is.
ROOTS = (
    *("sqrt({0}**2)", "sqrt({0})*sqrt({0})", "log({0}**2)", "abs({0})", "relu({0})", "maximum({0}, 0)", "1/{0}"),
    *("sign({0})", "sqrt({0})", "where({0} > 0, {0}, 0)", "where({0} > 0, {0}, {0}/2)", "log({0})", "{0}/abs({0})"),
    *("{0}/{0}", "{0}**2/{0}", "abs({0})**2", "abs({0})**3", "sqrt({0}**4)", "sqrt(abs({0}))", "{0}*abs({0})"),
    *("minimum({0}, -{0})", "relu({0}) - relu(-{0})", "relu({0})**2", "exp(log({0}**2))", "{0}*log({0}**2)"),
)
ZEROS = ("x", "2*x", "x**3", "sin(x)", "x*c", "x*x", "(exp(x) - 1)", "relu(x)", "tanh(x)", "abs(x)", "(x - x**2)")


AWAY = ("(x + 2)", "(1 + x**2)", "exp(x)", "(c - x)", "(x - 3)**2")  # and some that are not 0 there


def at_roots(rng: Random) -> str:
    """A number made of what has kinks, roots and poles at 0."""
    text = rng.choice((*ZEROS, *AWAY, *AWAY))
    for _ in range(rng.choice((1, 1, 2))):
        text = f"({rng.choice(ROOTS).format(f'({text})')})"
    smooth = rng.choice(("", "exp", "tanh", "square"))
    return f"{rng.choice(('sum', 'mean'))}({smooth}({text}))"
