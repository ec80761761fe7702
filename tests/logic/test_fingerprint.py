"""Fingerprints are shared by what algebra makes equal, however sums nest and in whichever order they are met."""

from derive.language.notation import sqrt
from derive.language.term import Σ, indices, sizes, var
from derive.logic.fingerprint import fingerprint

(d,) = sizes("d")
x = var("x", d)
i, j, k = indices("i j k", d)
TOTAL = Σ(x[i], i)
ROOT = sqrt(Σ((x[j] - TOTAL / d) ** 2, j))


def test_a_sum_that_stands_in_another_one_too_has_one_value():
    assert fingerprint(TOTAL * ROOT - TOTAL / d) == fingerprint((ROOT - 1 / d) * TOTAL)
    assert fingerprint(ROOT * TOTAL - TOTAL / d) == fingerprint((1 * ROOT - 1 / d) * TOTAL)


def test_an_inner_index_is_no_outer_one():
    assert fingerprint(Σ(x[i] * Σ(x[j] ** 2, j), i)) == fingerprint(Σ(x[j] * Σ(x[i] ** 2, i), j))
    assert fingerprint(Σ(sqrt(x[i] * Σ(x[i] * x[j], j)), i)) != fingerprint(Σ(sqrt(x[i] * Σ(x[j] * x[j], j)), i))
