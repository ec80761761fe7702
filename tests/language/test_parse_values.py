"""What is read computes what NumPy computes: random texts, run by NumPy and by the kernel of the term that was read.

The texts are made here, so that they may be run. Where NumPy refuses one, it is refused; where it is read, the values
are the same, and so are the shapes.
"""

from random import Random

import numpy as np
import pytest

from derive.kernels.compile import KernelError, compile_kernel, load, module_text
from derive.language.parse import ParseError, declared, parse
from derive.language.term import size
from derive.record import Kernel

SHAPES = {"X": "N,d", "W": "d,K", "y": "N", "w": "d", "T": "B,N,d", "U": "B,d,K", "A": "d,d", "s": "", "t": "B"}
EXTENTS = {"N": 2, "d": 3, "K": 4, "B": 5}
VARIABLES = declared(SHAPES)
BATCHES, EACH = 6, 60


def values(seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=[EXTENTS[a] for a in shape.split(",") if a]) for name, shape in SHAPES.items()}


def one(rng, depth):
    """A text: atoms, axes put in and moved, products of stacks, einsum, sums along axes."""
    if depth == 0:
        return rng.choice(("X", "W", "y", "w", "T", "U", "A", "s", "t", "T", "U", "X"))
    inner = lambda: one(rng, depth - 1)  # noqa: E731 - a new one each time
    axis = rng.choice((0, 1, -1, -2, 2))
    options = (
        lambda: f"({inner()} {rng.choice('+-*')} {inner()})",
        lambda: f"({inner()} @ {inner()})",
        lambda: f"({inner()} @ {inner()})",
        lambda: f"{inner()}[{', '.join(rng.choice((':', 'None', '...', ':')) for _ in range(rng.randint(1, 4)))}]",
        lambda: f"np.sum({inner()}, axis={axis}, keepdims={rng.random() < 0.4})",
        lambda: f"np.mean({inner()}, {axis})",
        lambda: f"np.swapaxes({inner()}, {axis}, {rng.choice((0, 1, -1))})",
        lambda: f"np.moveaxis({inner()}, {axis}, {rng.choice((0, 1, -1))})",
        lambda: f"np.transpose({inner()}, {tuple(rng.sample(range(3), 3))})",
        lambda: f"{inner()}.T",
        lambda: einsum(rng),
        lambda: einsum(rng),
        lambda: f"np.tanh({inner()})",
        lambda: f"np.{rng.choice(('dot', 'inner', 'matmul'))}({inner()}, {inner()})",
        lambda: f"{inner()}[:, np.newaxis]",
        lambda: f"np.max({inner()}, axis={axis})",
    )
    return rng.choice(options)()


def einsum(rng):
    names = [rng.choice(("X", "W", "y", "w", "T", "U", "A")) for _ in range(rng.randint(1, 3))]
    letters = {"N": "n", "d": "i", "K": "k", "B": "b"}
    parts = []
    for name in names:
        part = [letters[a] if rng.random() < 0.9 else rng.choice("jnik") for a in SHAPES[name].split(",")]
        if rng.random() < 0.15:
            part = ["...", *part[1:]]
        parts.append("".join(part))
    kept = sorted({c for part in parts for c in part if c.isalpha()})
    rng.shuffle(kept)
    dots = "..." if any("." in part for part in parts) and rng.random() < 0.9 else ""
    arrow = f"->{dots}{''.join(kept[: rng.randint(0, 3)])}" if rng.random() < 0.8 else ""
    return f"np.einsum('{','.join(parts)}{arrow}', {', '.join(names)})"


def by_numpy(text):
    scope = {"np": np, **values()}
    try:
        return eval(text, scope)  # noqa: S307 - a text that was made here
    except (ValueError, IndexError, TypeError, np.exceptions.AxisError):
        return None


def by_kernel(term):
    inputs = tuple(VARIABLES.values())
    source = module_text([compile_kernel(Kernel("value", inputs, (("value", term),), "A value."))], "One kernel.")
    arrays = [float(v) if v.ndim == 0 else v for v in values().values()]
    return load(source, "made_for_a_test").value(*arrays, check=False)


def outcome(seed):
    rng = Random(seed)
    text = one(rng, rng.choice((1, 2, 2, 3)))
    wanted = by_numpy(text)
    try:
        value = parse(text, VARIABLES).value
    except ParseError:
        return "refused" if wanted is not None else "refused by both"
    if wanted is None:
        return f"read, and refused by NumPy: {text}"
    named = [size(name) for name in EXTENTS]
    extents = tuple(EXTENTS[next(n for n in EXTENTS if size(n) is axis)] for axis in value.shape if axis in named)
    if extents != tuple(n for n in np.shape(wanted) if n != 1):
        return f"of another shape, {extents} and {np.shape(wanted)}: {text}"
    try:
        got = by_kernel(value)
    except KernelError as error:
        return f"no kernel: {text}: {error}"
    close = np.allclose(np.ravel(got), np.ravel(wanted), rtol=1e-9, atol=1e-9)
    return "right" if close else f"another value: {text}"


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_text_is_read_as_numpy_reads_it(batch):
    found = [outcome(1000 * batch + n) for n in range(EACH)]
    assert [one for one in found if one not in {"right", "refused", "refused by both"}] == []
    assert found.count("right") >= EACH // 6


@pytest.mark.slow
def test_many_texts_are_read_as_numpy_reads_them():
    found = [outcome(100_000 + n) for n in range(6000)]
    assert [one for one in found if one not in {"right", "refused", "refused by both"}] == []
