"""Compiled kernels: their text, their contract, their numbers against the textbook, at saturated points and beside."""

import inspect
import subprocess
import sys
import traceback

import mpmath
import numpy as np
import pytest

from derive.evidence.gradient_check import check_gradient, check_value
from derive.kernels.compile import KernelError, compile_kernel, compile_textbook, load, module_text
from derive.language.notation import exp, log, relu, softmax, squared_norm, tanh, σ
from derive.language.term import Σ, D, array, derivative_of, function, indices, let, lift, sizes, var, δ
from derive.record import Kernel

# ---- what is compiled: the flagships' right sides, as a proof leaves them ----------------------------------------

N, DIM, HID, CLS = sizes("N D H K")
n, m = indices("n m", N)
a, c = indices("a c", HID)
b = indices("b", DIM)[0]
j, k = indices("j k", CLS)

X = var("X", N, DIM)
W1, b1, W2, b2 = var("W₁", HID, DIM), var("b₁", HID), var("W₂", CLS, HID), var("b₂", CLS)
Y = var("Y", N, CLS, dom="simplex")


def mean_cross_entropy(P, Y):
    return array(-Σ(Y[m, k] * log(P[m, k]), k), m).mean()


def mlp():
    Z1 = let("Z₁", X @ W1.T + b1)
    H = let("H", σ(Z1))
    P = let("P", softmax(let("Z₂", H @ W2.T + b2)))
    Δ2 = let("Δ₂", (P - Y) / N)
    Δ1 = let("Δ₁", (Δ2 @ W2) * H * (1 - H))
    loss = mean_cross_entropy(P, Y)
    by_W2 = array(Σ(Δ2[n, k] * H[n, a], n), k, a)  # left in indices on purpose
    outputs = (
        ("loss", loss), ("W1", Δ1.T @ X), ("b1", Δ1.sum(0)), ("W2", by_W2), ("b2", Δ2.sum(0)), ("X", Δ1 @ W1),
    )  # fmt: skip
    outputs = tuple((name if name == "loss" else f"d{name}", term) for name, term in outputs)
    inputs = (X, Y, W1, b1, W2, b2)
    return Kernel("mlp_backprop", inputs, outputs, "Gradients of a two-layer network.", textbook=loss, labels=Y)


def logistic():
    w, bias, y, λ = var("w", DIM), var("b"), var("y", N, dom="closed unit"), var("λ", dom="nonnegative")
    ŷ = let("ŷ", σ(let("z", X @ w + bias)))
    loss = -(array(y[n] * log(ŷ[n]) + (1 - y[n]) * log(1 - ŷ[n]), n).mean()) + λ / 2 * squared_norm(w)
    outputs = (("loss", loss), ("dw", X.T @ (ŷ - y) / N + λ * w), ("db", (ŷ - y).mean()))
    return Kernel("logistic", (X, y, w, bias, λ), outputs, "Logistic regression with a ridge.", textbook=loss)


def logistic_signs():
    w, bias, t = var("w", DIM), var("b"), var("t", N, dom="sign")
    z = let("z", X @ w + bias)
    loss = array(log(1 + exp(-t[n] * z[n])), n).mean()
    pull = t * σ(-t * z)
    outputs = (("loss", loss), ("dw", -(X.T @ pull) / N), ("db", -pull.mean()))
    return Kernel("logistic_signs", (X, t, w, bias), outputs, "Logistic regression with signs.", textbook=loss)


Z = var("Z", N, CLS)


def cross_entropy():
    P = let("P", softmax(Z))
    loss = mean_cross_entropy(P, Y)
    return Kernel("softmax_ce", (Z, Y), (("loss", loss), ("dZ", (P - Y) / N)), "The delta.", textbook=loss, labels=Y)


def smoothed():
    ε, T = var("ε", dom="unit"), var("T", dom="positive")
    target = let("Ỹ", (1 - ε) * Y + ε / CLS)
    P = let("P", softmax(Z / T))
    loss = mean_cross_entropy(P, target)
    outputs = (("loss", loss), ("dZ", (P - target) / (N * T)))
    return Kernel("smoothed", (Z, Y, ε, T), outputs, "Smoothing and temperature.", textbook=loss, labels=Y)


def gaussian():
    μ, v, x = var("μ", N, HID), var("v", N, HID), var("x", N, DIM)
    W, bias, s = var("W", DIM, HID), var("b", DIM), var("s", dom="positive")
    residual = let("R", array(x[n, b] - Σ(W[b, a] * μ[n, a], a) - bias[b], n, b))
    spread = Σ(exp(v[n, a]) * Σ(W[b, a] ** 2, b), a)
    fit = -(Σ(residual[n, b] ** 2, b) + spread) / (2 * s**2) - DIM * log(2 * s**2) / 2
    kl = Σ(μ[n, a] ** 2 + exp(v[n, a]) - 1 - v[n, a], a) / 2
    elbo = array(fit - kl, n).mean()
    by_μ = (residual @ W / s**2 - μ) / N
    by_v = -(array(exp(v[n, a]) * Σ(W[b, a] ** 2, b), n, a) / s**2 + (exp(v) - 1)) / (2 * N)
    outputs = (("elbo", elbo), ("dμ", by_μ), ("dv", by_v))
    return Kernel("elbo", (x, μ, v, W, bias, s), outputs, "The bound of a linear-Gaussian model.", textbook=elbo)


def tanh_layer():
    w = var("w", DIM)
    loss = tanh(X @ w).mean()
    outputs = (("loss", loss), ("dw", X.T @ (1 - tanh(X @ w) ** 2) / N))
    return Kernel("tanh_layer", (X, w), outputs, "A layer of tanh.", textbook=loss)


x = var("x")
ELEMENTWISE = Kernel("sigmoid_derivative", (x,), (("derivative", σ(x) * (1 - σ(x))),), "σ′.", textbook=σ(x))
SIGMOID = Kernel("sigmoid", (x,), (("value", σ(x)),), "σ.")
JACOBIAN = Kernel(
    "softmax_jacobian",
    (Z,),
    (("J", array(softmax(Z)[n, k] * (δ(k, j) - softmax(Z)[n, j]), n, k, j)),),
    "The Jacobian of each row.",
)
GRADIENTS = [make() for make in (mlp, logistic, logistic_signs, cross_entropy, smoothed, gaussian, tanh_layer)]
EVERY = [*GRADIENTS, ELEMENTWISE, SIGMOID, JACOBIAN]


def compiled(kernel):
    sources = [compile_kernel(kernel)]
    if kernel.textbook is not None:
        sources.append(compile_textbook(kernel))
    return load(module_text(sources, "A kernel under test."), kernel.name)


def function_of(kernel):
    return getattr(compiled(kernel), kernel.name)


SIZES = {"N": 5, "D": 3, "H": 4, "K": 6}
SCALARS = {"real": 0.7, "nonnegative": 0.3, "positive": 1.4, "unit": 0.2}


def draw(kernel, seed=0, dtype=float):
    """Return arguments of which nothing is zero and no two axes are equal."""
    rng = np.random.default_rng(seed)
    arguments = {}
    for name, term in zip(compile_kernel(kernel).inputs, kernel.inputs, strict=True):
        domain, shape = term.data[1], [SIZES[axis.data[0]] for axis in term.shape]
        value = rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.3, 1.3, size=shape)
        if domain == "simplex":
            value = np.exp(value) / np.exp(value).sum(axis=-1, keepdims=True)
        elif domain == "closed unit":
            value = rng.uniform(0.1, 0.9, size=shape)
        elif domain == "sign":
            value = np.sign(value)
        arguments[name] = value.astype(dtype) if shape or term.data[0] == "x" else SCALARS[domain]
    return arguments


def gradients(result):
    return {name[1:]: part for name, part in result._asdict().items() if name.startswith("d")}


# ---- numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("kernel", GRADIENTS, ids=lambda kernel: kernel.name)
def test_values_and_gradients_agree_with_the_textbook(kernel, reduction):
    module = compiled(kernel)
    call, textbook = getattr(module, kernel.name), getattr(module, f"{kernel.name}_textbook")
    options = {"reduction": reduction}
    arguments = draw(kernel)
    value = check_value(lambda **a: call(**a, **options)[0], lambda **a: textbook(**a, **options), arguments)
    assert value.passed, str(value)
    claimed = gradients(call(**arguments, **options))
    by_complex_step = check_gradient(
        lambda **a: textbook(**a, **options), claimed, arguments, method="complex step", tolerance=1e-11
    )
    assert by_complex_step.passed, str(by_complex_step)
    by_ridders = check_gradient(lambda **a: call(**a, **options, check=False)[0], claimed, arguments)
    assert by_ridders.passed, str(by_ridders)


@pytest.mark.parametrize("factor", [1000.0, 40.0])
def test_saturated_logits_keep_their_digits(factor):
    """The delta at the label of a confident row is minus the sum of the others: 50 digits say so."""
    logits = np.random.default_rng(3).permutation(np.arange(6.0)).reshape(1, 6) * factor / 5
    label = np.array([int(np.argmax(logits))])
    loss, delta = function_of(cross_entropy())(logits, label)
    with mpmath.workdps(500):
        e = [mpmath.exp(mpmath.mpf(z)) for z in logits[0]]
        p = [v / mpmath.fsum(e) for v in e]
        exact = [float(v - (i == label[0])) for i, v in enumerate(p)]
        wanted = float(-mpmath.log(p[label[0]]))
    np.testing.assert_allclose(delta[0], exact, rtol=1e-13, atol=0)
    assert loss == pytest.approx(wanted, rel=1e-14, abs=0)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_a_saturated_logistic_regression_is_finite_and_right(scale):
    arguments = draw(logistic())
    arguments["X"], arguments["y"] = arguments["X"] * scale, np.array([0, 1, 1, 0, 1])
    loss, dw, db = function_of(logistic())(**arguments)
    with mpmath.workdps(500):
        zs = [mpmath.fdot(row, arguments["w"]) + mpmath.mpf(0.7) for row in arguments["X"]]
        r = [1 / (1 + mpmath.exp(-z)) - int(y) for z, y in zip(zs, arguments["y"], strict=True)]
        by_w = [
            mpmath.fdot(r, column) / 5 + mpmath.mpf(0.3) * w
            for column, w in zip(arguments["X"].T, arguments["w"], strict=True)
        ]
    np.testing.assert_allclose(dw, np.array(by_w, float), rtol=1e-12)
    assert db == pytest.approx(float(mpmath.fsum(r) / 5), rel=1e-12)
    assert np.isfinite(loss)


def test_the_jacobian():
    z = draw(JACOBIAN)["Z"]
    p = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    wanted = np.stack([np.diag(row) - np.outer(row, row) for row in p])
    np.testing.assert_allclose(function_of(JACOBIAN)(z), wanted, rtol=1e-13)


def test_a_sum_of_any_terms_over_indices():
    """What has no matrix form is broadcast in a fixed order of indices and summed."""
    A, B, u = var("A", N, DIM), var("B", N, HID), var("u", N)
    body = array(Σ(A[n, b] * B[n, a] * u[n] / (1 + A[n, b] ** 2 * B[n, a] ** 2), n), a, b)
    odd = array(u[n] * B[n, a] + δ(n, m), a, n, m)
    trace = Σ(var("S", N, N)[n, n], n)
    constant = array(Σ(u[n], n), b)
    kernel = Kernel("odd", (A, B, u, var("S", N, N)), (("f", body), ("g", odd), ("t", trace), ("c", constant)), "Odd.")
    arguments = draw(kernel, seed=4)
    f, g, t, c = function_of(kernel)(**arguments)
    a_, b_, u_, s_ = arguments.values()
    weights = u_[:, None, None] / (1 + a_[:, None, :] ** 2 * b_[:, :, None] ** 2)
    np.testing.assert_allclose(f, (weights * a_[:, None, :] * b_[:, :, None]).sum(axis=0), rtol=1e-13)
    np.testing.assert_allclose(g, (u_[:, None] * b_).T[:, :, None] + np.eye(5), rtol=1e-13)
    assert t == pytest.approx(np.trace(s_))
    np.testing.assert_allclose(c, np.full(3, u_.sum()), rtol=1e-14)


# ---- the contract ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", EVERY, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("check", [True, False])
def test_float32_stays_and_inputs_are_kept(kernel, check):
    arguments = draw(kernel, dtype=np.float32)
    for value in arguments.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    result = function_of(kernel)(**arguments, check=check)
    for part in result if isinstance(result, tuple) else (result,):
        assert part.dtype == np.float32


@pytest.mark.parametrize("kernel", [mlp(), cross_entropy(), smoothed()], ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("check", [True, False])
def test_integer_labels_are_one_hot_rows(kernel, check):
    call, arguments = function_of(kernel), draw(kernel)
    labels = np.array([2, 0, 5, 3, 3])
    first = call(**{**arguments, "Y": labels}, check=check)
    second = call(**{**arguments, "Y": np.eye(6)[labels]}, check=check)
    for left, right in zip(first, second, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-14)


def test_minus_infinity_is_allowed_where_it_has_a_meaning():
    z = np.array([[0.0, -np.inf, 1.0]])
    loss, delta = function_of(cross_entropy())(z, np.array([2]))
    assert delta[0, 1] == 0
    assert loss == pytest.approx(np.log1p(np.exp(-1)))
    assert function_of(SIGMOID)(np.array([-np.inf])) == 0
    arguments = draw(logistic())
    arguments["X"][0, 0] = -np.inf
    with pytest.raises(ValueError, match=r"X\[0, 0\] is -inf"):
        function_of(logistic())(**arguments)


def test_check_can_be_left_out():
    arguments = draw(logistic())
    arguments["y"] = arguments["y"] * 3
    with pytest.raises(ValueError, match=r"y.* a label from 0 to 1"):
        function_of(logistic())(**arguments)
    assert np.isfinite(function_of(logistic())(**arguments, check=False)[0])


def test_shapes_are_named():
    arguments = draw(mlp())
    arguments["W2"] = arguments["W2"].T
    with pytest.raises(ValueError, match=r"W2 has shape \(4, 6\), expected \(K, H\) with H = 4"):
        function_of(mlp())(**arguments)


def test_an_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match="reduction is 'none': pass 'mean' or 'sum'"):
        function_of(cross_entropy())(**draw(cross_entropy()), reduction="none")


def test_a_kernel_without_a_mean_has_no_reduction():
    assert "reduction" not in inspect.signature(function_of(JACOBIAN)).parameters


# ---- the text ----------------------------------------------------------------------------------------------------

MLP_BODY = """\
    Z1 = X @ W1.T + b1
    H = _sigmoid(Z1)
    Z2 = H @ W2.T + b2
    losses, residual = _cross_entropy_and_delta(Z2, Y)
    loss = losses.sum(axis=0)/count
    Δ2 = residual/count
    Δ1 = (Δ2 @ W2)*_sigmoid_derivative(Z1)
    dW1 = Δ1.T @ X
    db1 = Δ1.sum(axis=0)
    dW2 = Δ2.T @ H
    db2 = Δ2.sum(axis=0)
    dX = Δ1 @ W1
    return MlpBackprop(loss, dW1, db1, dW2, db2, dX)
"""


def test_the_body_reads_as_one_would_write_it():
    assert compile_kernel(mlp()).text.endswith(MLP_BODY)


def test_no_loop_runs_over_elements():
    text = module_text(map(compile_kernel, EVERY), "All.")
    loops = [line.strip() for line in text.splitlines() if line.strip().startswith(("for ", "while "))]
    assert loops == ["for n in range(17, 2, -1):"]  # the terms of a Taylor series


def test_constants_are_python_floats():
    """NumPy's scalars would make float64 of float32."""
    u = var("u", N)
    kernel = Kernel("scaled", (u,), (("v", u * log(lift(4)) / 3 + u / DIVISOR),), "Scaled.")
    text = compile_kernel(kernel).text
    assert "1.3862943611198906" in text
    assert function_of(kernel)(np.ones(2, np.float32)).dtype == np.float32


DIVISOR = lift(7) / 2


def test_the_module_needs_numpy_alone(tmp_path):
    """It is imported where this package is not, and gives the same numbers."""
    path = tmp_path / "kernels.py"
    path.write_text(module_text(map(compile_kernel, EVERY), "All."), encoding="utf-8")
    script = (
        "import sys, numpy; sys.path.append(sys.argv[1]); import kernels;"
        "assert not any(name.split('.')[0] in {'derive', 'sympy', 'scipy'} for name in sys.modules);"
        "print(repr(float(kernels.sigmoid(numpy.array(-700.0)))))"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert float(run.stdout) == function_of(SIGMOID)(np.array(-700.0))


def test_the_same_kernel_gives_the_same_text():
    assert module_text([compile_kernel(mlp())], "One.") == module_text([compile_kernel(mlp())], "One.")


def test_a_loaded_kernel_shows_its_source_and_its_lines():
    module = compiled(cross_entropy())
    assert "_cross_entropy_and_delta(Z, Y)" in inspect.getsource(module.softmax_ce)
    try:
        module.softmax_ce(np.zeros((2, 3)), np.zeros(2))
    except ValueError:
        assert "_check_targets" in traceback.format_exc()
    else:
        pytest.fail("labels of type float were taken")


@pytest.mark.parametrize(
    ("name", "python"),
    [("W₁", "W1"), ("x′", "x_prime"), ("λ", "λ"), ("lambda", "lambda_"), ("σ²", "σ2"), ("check", "check_")],
)
def test_names_become_identifiers(name, python):
    assert compile_kernel(Kernel("f", (var(name, N),), (("v", -var(name, N)),), "F.")).inputs == (python,)


φ, φ_prime = function("φ"), derivative_of("φ")
BROKEN = [
    (D(Σ(var("u", N)[n] ** 2, n), var("u", N)), "the right side that was proved"),
    (φ(var("u", N)), "put a symbol of the notation"),
    (var("u", N) + var("stray", N), "stray is no input"),
    (var("u", N) * CLS, "no input has an axis of size K"),
    (relu(var("u", N)) * φ(var("u", N)), "unknown function"),
]


@pytest.mark.parametrize(("term", "message"), BROKEN)
def test_what_is_no_array_to_compute_is_refused(term, message):
    with pytest.raises(KernelError, match=message):
        compile_kernel(Kernel("f", (var("u", N),), (("v", term),), "F."))


def test_a_kernel_without_a_textbook_loss_has_none_to_compile():
    with pytest.raises(KernelError, match="sigmoid has no textbook loss"):
        compile_textbook(SIGMOID)
