"""Each thing that can be wrong with an argument is named, with its place and a remedy."""

import numpy as np
import pytest

from derive.kernels import validate

X = np.arange(1.0, 7.0).reshape(2, 3)
ROWS = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])


def test_sizes_are_bound_by_the_first_array_that_has_them():
    sizes = {}
    assert validate.check_floats("X", X, ("N", "D"), sizes) is X
    assert sizes == {"N": 2, "D": 3}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (X.T, r"X has shape \(3, 2\), expected \(N, D\) with N = 2, D = 3: did you mean X.T\?"),
        (X[0], r"X has shape \(3,\), expected \(N, D\).*batch axis: X\[np.newaxis\]"),
        (X[:, :2], r"X has shape \(2, 2\), expected \(N, D\) with N = 2, D = 3: pass an array of shape"),
        (X[None], r"X has shape \(1, 2, 3\)"),
        (X[:0], r"X has shape \(0, 3\).*at least one example"),
        (X * [1, np.nan, 1], r"X\[0, 1\] is nan: every entry must be finite"),
        (X * [1, 1, -np.inf], r"X\[0, 2\] is -inf: every entry must be finite"),
    ],
)
def test_arrays_that_do_not_fit(value, message):
    with pytest.raises(ValueError, match=message):
        validate.check_floats("X", value, ("N", "D"), {"N": 2, "D": 3})


def test_one_name_is_one_size():
    with pytest.raises(ValueError, match=r"A has shape \(2, 3\), expected \(D, D\)"):
        validate.check_floats("A", X, ("D", "D"), {})


@pytest.mark.parametrize("dtype", [int, bool, complex, object, np.float16, str])
def test_only_two_float_types_are_taken(dtype):
    with pytest.raises(TypeError, match=r"X has dtype .*expected float32 or float64: pass np.asarray\(X, np.float64\)"):
        validate.check_floats("X", X.astype(dtype), ("N", "D"), {})


def test_logits_may_be_minus_infinity_but_not_all_of_a_row():
    z = np.array([[0.0, -np.inf], [-np.inf, -np.inf]])
    assert validate.check_logits("Z", z[:1], ("N", "K"), {})[0, 1] == -np.inf
    with pytest.raises(ValueError, match=r"Z\[1\] is -inf throughout: at least one class"):
        validate.check_logits("Z", z, ("N", "K"), {})
    with pytest.raises(ValueError, match=r"Z\[0, 1\] is inf: every entry must be finite or -inf"):
        validate.check_logits("Z", -z, ("N", "K"), {})


def test_targets_are_distributions_or_labels():
    sizes = {"K": 3}
    assert validate.check_targets("Y", ROWS, ("N", "K"), sizes) is ROWS
    labels = np.array([2, 0])
    assert validate.check_targets("Y", labels, ("N", "K"), sizes) is labels


def test_float32_rows_may_miss_one_by_their_own_rounding():
    rows = np.full((2, 3), 1 / 3, np.float32) * np.float32(1 + 1e-6)
    assert validate.check_targets("Y", rows, ("N", "K"), {}) is rows
    with pytest.raises(ValueError, match=r"Y\[0\] sums to 1, expected 1|Y\[0\] sums to 1.00000"):
        validate.check_targets("Y", rows.astype(float), ("N", "K"), {})


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (ROWS * [[1], [1.5]], ValueError, r"Y\[1\] sums to 1.5, expected 1: divide by Y.sum\(axis=-1, keepdims=True\)"),
        (ROWS - [[0.3, -0.3, 0], [0, 0, 0]], ValueError, r"Y\[0, 0\] is -0.0999.*: expected a probability"),
        (np.array([3, 0]), ValueError, r"Y\[0\] is 3: expected a label from 0 to 2"),
        (np.array([0, -1]), ValueError, r"Y\[1\] is -1: expected a label from 0 to 2"),
        (np.array([0, 1, 2]), ValueError, r"Y has shape \(3,\), expected \(N,\) with N = 2"),
        (np.eye(3, dtype=int)[:2], TypeError, r"Y has dtype int64 and shape \(2, 3\).*pass Y.astype\(float\)"),
        (np.array([True, False]), TypeError, r"Y has dtype bool"),
        (np.array([0.0, 1.0]), ValueError, r"Y has shape \(2,\)"),
    ],
)
def test_targets_that_do_not_fit(value, error, message):
    with pytest.raises(error, match=message):
        validate.check_targets("Y", value, ("N", "K"), {"N": 2, "K": 3})


def test_labels_take_the_float_type_beside_them():
    like = np.zeros(1, np.float32)
    got = validate.check_labels("y", np.array([True, False]), ("N",), {}, like)
    assert (got.dtype, got.tolist()) == (np.float32, [1, 0])
    assert validate.check_labels("t", np.array([1, -1]), ("N",), {}, like, signs=True).tolist() == [1, -1]


@pytest.mark.parametrize(
    ("value", "signs", "error", "message"),
    [
        (
            [0, 2],
            False,
            ValueError,
            r"y\[1\] is 2: expected a label from 0 to 1; for labels -1 and 1 pass \(y \+ 1\)/2",
        ),
        ([1, -1], False, ValueError, r"y\[1\] is -1"),
        ([0.5, np.nan], False, ValueError, r"y\[1\] is nan"),
        ([1, 0], True, ValueError, r"y\[1\] is 0: expected -1 or 1; for labels 0 and 1 pass 2\*y - 1"),
        (["cat", "dog"], False, TypeError, "y has dtype <U3, expected numbers"),
        ([0, 1, 1], False, ValueError, r"y has shape \(3,\), expected \(N,\) with N = 2"),
    ],
)
def test_labels_that_do_not_fit(value, signs, error, message):
    with pytest.raises(error, match=message):
        validate.check_labels("y", value, ("N",), {"N": 2}, np.zeros(1), signs=signs)


def test_numbers_become_python_floats():
    assert type(validate.check_number("T", np.float32(2))) is float


@pytest.mark.parametrize(
    ("value", "bounds", "error", "message"),
    [
        (np.ones(2), {}, TypeError, r"T is array\(\[1., 1.\]\), expected one real number"),
        ("2", {}, TypeError, "T is '2'"),
        (np.inf, {}, ValueError, "T is inf, expected a finite number"),
        (0, {"low": 0, "strict": True}, ValueError, "T is 0, expected a finite number above 0"),
        (-1, {"low": 0}, ValueError, "T is -1, expected a finite number from 0"),
        (2, {"low": 0, "high": 1}, ValueError, "T is 2, expected a finite number from 0 to 1"),
    ],
)
def test_numbers_that_do_not_fit(value, bounds, error, message):
    with pytest.raises(error, match=message):
        validate.check_number("T", value, **bounds)
