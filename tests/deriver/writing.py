"""Random losses of the language, as text: vectors and scalars under a grammar that needs no luck with shapes."""

from __future__ import annotations

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
        lambda: f"({vector(rng, size, depth - 1)}) @ ({vector(rng, size, depth - 1)})",
        lambda: f"({scalar(rng, depth - 1)}) * ({scalar(rng, depth - 1)})",
        lambda: f"({scalar(rng, depth - 1)}) + ({scalar(rng, depth - 1)})",
        lambda: f"({scalar(rng, depth - 1)}) / (1 + ({scalar(rng, depth - 1)})**2)",
        lambda: f"{rng.choice(('tanh', 'sigmoid', 'sin'))}({scalar(rng, depth - 1)})",
    )
    return rng.choice(options)()
