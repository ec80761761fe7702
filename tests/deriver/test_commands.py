"""The commands that derive a loss of one's own."""

import json
import subprocess
import sys

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
        (("max(w)", "--wrt", "w", "--shape", "w=d"), "no rule for the derivative of max(w)"),
        (("sum(w)", "--wrt", "u", "--shape", "w=d"), "u is none of the variables"),
    ],
)
def test_bad_input_is_told(arguments, says):
    done = run("gradient", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
