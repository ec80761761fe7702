"""The commands that derive a loss of one's own."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

LOSS = ("mean(log(1 + exp(-y * (X @ w))))", "--wrt", "w", "--shape", "X=N,d", "--shape", "y=N", "--shape", "w=d")


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "derive", *arguments], capture_output=True, text=True, check=False, encoding="utf-8"
    )


def test_a_gradient_as_text():
    done = run("gradient", *LOSS)
    assert done.returncode == 0, done.stderr
    assert "∂L/∂w = −Xᵀ (y ⊙ σ(−y ⊙ (X w)))/N" in done.stdout
    assert "8 of 8 lines proved (⊢), 8 witnessed at 50 digits, no assumptions" in done.stdout


@pytest.mark.parametrize("loss", ["-sum(y*log(softmax(z)))", "-y@log(softmax(z))", "-(y@log_softmax(z))"])
def test_a_loss_may_begin_with_a_minus_sign(loss):
    done = run("gradient", loss, "--wrt", "z", "--shape", "z=K", "--shape", "y=K", "--given", "sum(y) == 1")
    assert done.returncode == 0, done.stderr
    assert "∂L/∂z = softmax(z) − y" in done.stdout
    assert "^" in run("gradient", f"{loss[:-1]}", "--wrt", "z", "--shape", "z=K").stderr


@pytest.mark.parametrize(("form", "start"), [("latex", "%"), ("html", "<!"), ("json", "{")])
def test_the_other_formats(form, start, tmp_path):
    file = tmp_path / f"gradient.{form}"
    done = run("gradient", *LOSS, "--format", form, "-o", str(file))
    assert done.returncode == 0, done.stderr
    text = file.read_text(encoding="utf-8")
    assert text.startswith((start, "\\documentclass"))
    if form == "json":
        assert json.loads(text)["slug"] == "gradient-by-w"
        assert run("replay", str(file)).returncode == 0


def test_numpy_is_one_importable_module(tmp_path):
    file = tmp_path / "logistic.py"
    assert run("gradient", *LOSS, "--format", "numpy", "-o", str(file)).returncode == 0
    scope = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), scope)  # noqa: S102 - what was just written
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(5, 3)), rng.choice((-1.0, 1.0), 5), rng.normal(size=3)
    step, slope = 1e-6, scope["gradient"](X, y, w)
    for i in range(3):
        move = step * np.eye(3)[i]
        assert abs((scope["loss"](X, y, w + move) - scope["loss"](X, y, w - move)) / (2 * step) - slope[i]) < 1e-8


def test_other_derivatives():
    assert "dL/dx = 3 x²" in run("derivative", "x**3", "--wrt", "x").stdout
    hessian = run("hessian", "sum((A@x-b)**2)", "--wrt", "x", "--shape", "A=m,n", "--shape", "x=n", "--shape", "b=m")
    assert "2 Aᵀ A" in hessian.stdout
    assert "diag(softmax(z))" in run("jacobian", "softmax(z)", "--wrt", "z", "--shape", "z=K").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("sum(X @ w", "--wrt", "w", "--shape", "X=N,d", "--shape", "w=d"), "'(' was never closed"),
        (("X @ w", "--wrt", "w", "--shape", "X=N,d", "--shape", "w=d"), "ask for the jacobian"),
        (("sum(v)", "--wrt", "w", "--shape", "w=d"), "the name v is unknown"),
        (("sum(w)", "--wrt", "w", "--shape", "w"), "--shape 'w' is no pair"),
        (("sum(trigamma(exp(w)))", "--wrt", "w", "--shape", "w=d"), "no rule for the derivative of the trigamma"),
        (("sum(w)", "--wrt", "u", "--shape", "w=d"), "u is none of the variables"),
        (("sum(w)", "--wrt", "w", "--shape", "w=d", "--shape", "w=n"), "--shape says two things of w: d and n"),
        (("sum(w)", "--wrt", "w", "--shape", "w=d", "--given", "sum(w)"), "a condition is one comparison"),
        (("w[0]", "--wrt", "w", "--shape", "w=d"), "a constant vector e"),
        (("w[i]**2", "--wrt", "w", "--shape", "w=d"), "one number for each i"),
    ],
)
def test_bad_input_is_told(arguments, says):
    done = run("gradient", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


NUMBER = ("--wrt", "x", "--shape", "x=")
DAG = "; ".join(["q0 = sin(x)", *(f"q{n} = sin(q{n - 1})*cos(q{n - 1})" for n in range(1, 60)), "q59"])


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (DAG, "it takes longer than it was allowed"),
        ("exp(" * 120 + "x" + ")" * 120, "it takes longer than it was allowed"),
        ("; ".join(["x"] * 6000), "more than 5000 parts"),
        ("x" * 100_000, "at most 20000 are read"),
        ("(" * 5000 + "x" + ")" * 5000, "too many nested parentheses"),
        ("x**10**10**10", "powers go up to 64"),
        ("10**10**10*x", "powers go up to 64"),
        ("(2 + x - x)**(3**9)*x", "powers go up to 64"),
        ("exp(10**20*log(2*x))", "lower the powers"),
        ("x * " + "9" * 5000, "more than 40 digits"),
        ("; ".join(["q0 = x + 2*x", *(f"q{n} = q{n - 1}*q{n - 1}" for n in range(1, 60)), "q59"]), "too long"),
        ("x + \u202ex", "non-printable character"),
        ("x + log(0)", "log(0) is not defined"),
        ("x.__class__.__mro__", "is not supported"),
    ],
)
def test_a_hostile_loss_ends_in_a_sentence(loss, says):
    start = time.monotonic()
    done = run("gradient", loss, *NUMBER, "--seconds", "2")
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 1000
    assert time.monotonic() - start < 30


def test_the_time_is_a_number_of_seconds():
    done = run("gradient", "x**2", *NUMBER, "--seconds", "never")
    assert done.returncode == 2
    assert "'never' is no time" in done.stderr
