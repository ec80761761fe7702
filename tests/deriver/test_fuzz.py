"""Random losses: what comes out is the gradient, or the loss is refused with a reason; nothing else happens."""

from random import Random

import numpy as np
import pytest
from deriver import reference
from deriver.writing import ROOTS, SHAPES, ZEROS, at_roots, names_in, scalar

from derive import gradient
from derive.deriver.algebra import DeriverError
from derive.evidence.witness import evaluate
from derive.language.parse import declared
from derive.logic.facts import closed

BATCHES, EACH = 8, 8
STEP = 1e-6  # of the differences at a kink
LARGE = 1e6  # a derivative that differences of such a step do not show


def drawn(seed):
    """A random loss with the shapes of its variables, and one that it is differentiated by."""
    rng = Random(seed)
    text = scalar(rng, rng.choice((1, 2, 2, 3)))
    shapes = {name: shape for name, shape in SHAPES.items() if name in names_in(text)}
    return text, rng.choice([name for name in "xxAbs" if name in shapes] or [None]), shapes


def outcome(seed):
    text, by, shapes = drawn(seed)
    if by is None:
        return "constant"
    try:
        view = gradient(text, by, shapes=shapes)
    except DeriverError as error:
        return "constant" if "does not depend" in str(error) else f"refused: {text} by {by}: {error}"
    values = reference.point(shapes, {}, seed)
    with np.errstate(all="ignore"):
        wanted = reference.gradient(text, by, values)
        got = reference.of_kernel(view.kernel("gradient"), values)
    if not np.isfinite(wanted).all():
        return "out of range"
    worst = np.abs(got - wanted).max() / max(1e-2, np.abs(wanted).max())
    return "right" if worst <= 1e-9 else f"wrong by {worst:.1e}: {text} by {by}"


def _batch(first, count):
    found = [outcome(seed) for seed in range(first, first + count)]
    assert [one for one in found if one.startswith("wrong")] == []
    return found


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_random_loss_is_derived_or_refused(batch):
    found = _batch(1000 + EACH * batch, EACH)
    refused = [one for one in found if one.startswith("refused")]
    assert len(refused) <= EACH // 2, refused


@pytest.mark.filterwarnings("ignore:Output seems independent of input")  # autograd, of a loss that is constant
@pytest.mark.slow
def test_many_random_losses():
    found = _batch(10_000, 1200)
    assert sum(one.startswith("refused") for one in found) <= 60


# What the fuzz has found: a substitution of nothing, a sum of quotients raised without end, a kernel wrapped wrongly.
FOUND = [
    ("norm(((b @ (A @ x)) * (x)) / (1 + ((2) * (x))**2))", "A"),
    ("sigmoid(sum((A @ x) / (1 + (b)**2)))", "b"),
    ("u = x + s*tanh(D@x); v = u + s*tanh(D@u); sum((v-c)**2)", "D"),
]


@pytest.mark.parametrize(("text", "by"), FOUND)
def test_what_the_fuzz_has_found(text, by):
    shapes = {name: shape for name, shape in {**SHAPES, "D": "n,n"}.items() if name in names_in(text)}
    values = reference.point(shapes, {})
    view = gradient(text, by, shapes=shapes)
    got = reference.of_kernel(view.kernel("gradient"), values)
    assert reference.close(got, reference.gradient(text, by, values))


# ---- at kinks and roots ----------------------------------------------------------------------------------------------


def one_sided(function, x, component):
    """The differences to both sides of a point, along one component."""
    ahead, back = x.copy(), x.copy()
    ahead[component] += STEP
    back[component] -= STEP
    with np.errstate(all="ignore"):
        here = function(x)
        return (function(ahead) - here) / STEP, (here - function(back)) / STEP


def holds(formula, values, shapes):
    """Whether a condition holds at a point; what is not defined there does not."""
    variables = declared(shapes)
    try:
        return bool(evaluate(closed(formula), {variables[name]: values[name] for name in shapes}))
    except ArithmeticError:
        return False


def at_zero(text):
    """What is claimed where a component is 0: nothing, or the derivative that the loss has there from both sides."""
    shapes = {name: "n" for name in "xc" if name in names_in(text)}
    point = np.array([0.0, 0.7, -0.4])
    try:
        view = gradient(text, "x", shapes=shapes)
    except DeriverError as error:
        return f"refused: {error}"
    values = reference.point(shapes, {}) | {"x": point}
    if not all(holds(row.formula, values, shapes) for row in view.assumptions):
        return "not claimed"
    loss = reference.loss(text, list(shapes))
    function = lambda x: loss(*(x if name == "x" else values[name] for name in shapes))  # noqa: E731 - of this point
    sides = [one_sided(function, values["x"], n) for n in range(len(point))]
    got = reference.of_kernel(view.kernel("gradient"), values)
    off = max(abs(side - g) for pair, g in zip(sides, got, strict=True) for side in pair)
    if not np.isfinite([off, *got]).all() or np.abs(got).max() > LARGE:
        return "out of range"
    if off <= 1e-3 * max(1, np.abs(got).max()):
        return "right"
    return f"wrong: {text} has {got} claimed, and the differences {sides}, under {view.assumptions}"


@pytest.mark.parametrize("outer", ROOTS)
def test_nothing_is_claimed_at_a_kink(outer):
    """|u|, √(u²), √u·√u, log u² and others, where u is 0."""
    found = [at_zero(f"sum({outer.format(f'({inner})')})") for inner in ZEROS[:6]]
    assert [one for one in found if one.startswith("wrong")] == []


@pytest.mark.parametrize("outer", ROOTS)
def test_away_from_its_kink_it_is_claimed(outer):
    """The same where u is positive: so that what is not claimed above is not claimed for its kink."""
    assert at_zero(f"sum({outer.format('(x + 2)')})") == "right"


@pytest.mark.filterwarnings("ignore:Output seems independent of input")  # autograd, of a loss that is constant
@pytest.mark.slow
def test_nothing_is_claimed_at_the_kinks_of_random_losses():
    found = [at_zero(at_roots(Random(seed))) for seed in range(600)]
    assert [one for one in found if one.startswith("wrong")] == []
    assert found.count("not claimed") >= 60
    assert found.count("right") >= 60
