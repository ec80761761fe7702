"""Random losses: what comes out is the gradient, or the loss is refused with a reason; nothing else happens."""

from random import Random

import numpy as np
import pytest
from deriver import reference
from deriver.writing import SHAPES, scalar

from derive import gradient
from derive.deriver.algebra import DeriverError

BATCHES, EACH = 8, 8


def outcome(seed):
    rng = Random(seed)
    text, by = scalar(rng, rng.choice((1, 2, 2, 3))), rng.choice("xxAbs")
    try:
        view = gradient(text, by, shapes=SHAPES)
    except DeriverError as error:
        return "constant" if "does not depend" in str(error) else f"refused: {text}: {error}"
    values = reference.point(SHAPES, {}, seed)
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


@pytest.mark.slow
def test_many_random_losses():
    found = _batch(10_000, 600)
    assert sum(one.startswith("refused") for one in found) <= 60
