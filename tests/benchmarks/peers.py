"""Gradients beside what others make of them: time to derive, length, time of the kernel, large inputs.

Run with `python tests/benchmarks/peers.py [--tensorgrad PYTHON] [--torch PYTHON] [--jax PYTHON]`, where PYTHON is the
interpreter of an environment that has the peer (this one by default). It reports and never judges: ratios are medians
of interleaved runs, ours over the peer's, so that below 1 is faster than the peer. Every peer gets the loss
as it is written here. A peer that is not installed is skipped, with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from inspect import signature
from itertools import count
from pathlib import Path
from typing import Any

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # on both sides

import numpy as np

import derive
from derive.pages.text import text as printed

ROUNDS = 5
CASES: dict[str, dict[str, Any]] = {
    "cross-entropy": {
        "text": "-sum(y*log(softmax(z)))",
        "by": "z",
        "shapes": {"z": "K", "y": "K"},
        "domains": {"y": "simplex"},
        "given": ["sum(y) == 1"],
    },
    "logistic ±1": {
        "text": "mean(log(1 + exp(-y * (X @ w))))",
        "by": "w",
        "shapes": {"X": "N,d", "y": "N", "w": "d"},
        "domains": {"y": "sign"},
    },
    "two-layer ReLU, first": {
        "text": "h = relu(W1 @ x); z = W2 @ h; -sum(y*log(softmax(z)))",
        "by": "W1",
        "shapes": {"x": "d", "W1": "M,d", "W2": "K,M", "y": "K"},
        "domains": {"y": "simplex"},
        "given": ["sum(y) == 1"],
    },
}
WIDTHS = {"N": 4096, "d": 256, "M": 128, "K": 64}
SMALL = {"N": 3, "d": 2, "M": 2, "K": 3}  # for SymPy, which writes components out


def values(case: dict[str, Any], widths: dict[str, int], scale: float = 1.0) -> dict[str, np.ndarray]:
    """Draw the arrays of a case; the scale is that of its logits."""
    rng = np.random.default_rng(8)  # at which the logits of every case reach the thousands when scaled
    found = {name: rng.normal(size=tuple(widths[a] for a in axes.split(","))) for name, axes in case["shapes"].items()}
    domain = case["domains"]["y"]
    found["y"] = np.sign(found["y"]) if domain == "sign" else np.abs(found["y"]) / np.abs(found["y"]).sum()
    scaled = next(name for name in ("z", "X", "x") if name in found)
    found[scaled] = found[scaled] * scale
    return found


_TIMES = count()


def ours(case: dict[str, Any]) -> derive.View:
    """Derive a case, every line checked, with sizes that no term had before: what is remembered of terms is no help."""
    number = next(_TIMES)
    shapes = {name: ",".join(f"{a}{number}" for a in axes.split(",")) for name, axes in case["shapes"].items()}
    options = {k: v for k, v in case.items() if k not in {"text", "by", "shapes"}}
    return derive.gradient(case["text"], case["by"], shapes=shapes, **options)


def arguments(kernel: Callable[..., Any], arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays that a kernel takes."""
    return {name: arrays[name] for name in signature(kernel).parameters if name in arrays}


# Each peer runs in a process of its own: a line of JSON with a task comes in, and one with seconds and more goes out.
# What is timed is the peer's own work, after one run that warms it up.
_BEFORE = """
import json, sys, time
import numpy as np
def timed(work):
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found
"""

_AFTER = """
print(json.dumps({"ready": version}), flush=True)
for row in sys.stdin:
    try:
        answer = run(json.loads(row))
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"[:200]}
    print(json.dumps(answer), flush=True)
"""

_DRAWN = """
def loss_of(xp, softmax_log, relu, name, a):
    if name == "cross-entropy":
        return -(a["y"] * softmax_log(a["z"])).sum()
    if name == "logistic ±1":
        return xp.log(1 + xp.exp(-a["y"] * (a["X"] @ a["w"]))).mean()
    return -(a["y"] * softmax_log(a["W2"] @ relu(a["W1"] @ a["x"]))).sum()
"""

_TORCH = (
    _DRAWN
    + """
import torch
torch.set_num_threads(1)
version = "PyTorch " + torch.__version__
def run(task):
    arrays = {k: torch.tensor(v, dtype=torch.float64) for k, v in np.load(task["arrays"]).items()}
    by = arrays[task["by"]].requires_grad_()
    def kernel():
        by.grad = None
        loss_of(torch, lambda u: torch.log_softmax(u, 0), torch.relu, task["name"], arrays).backward()
        return by.grad
    kernel()
    seconds, found = timed(kernel)
    return {"kernel": seconds, "finite": bool(torch.isfinite(found).all())}
"""
)

_JAX = (
    _DRAWN
    + """
import jax
jax.config.update("jax_enable_x64", True)
version = "JAX " + jax.__version__
known = {}
def run(task):
    arrays = {k: jax.numpy.asarray(v) for k, v in np.load(task["arrays"]).items()}
    name, by = task["name"], task["by"]
    if name not in known:
        f = lambda b, rest: loss_of(jax.numpy, jax.nn.log_softmax, jax.nn.relu, name, {**rest, by: b})
        known[name] = jax.jit(jax.grad(f))
    rest = {k: v for k, v in arrays.items() if k != by}
    kernel = lambda: known[name](arrays[by], rest).block_until_ready()
    kernel()
    seconds, found = timed(kernel)
    return {"kernel": seconds, "finite": bool(jax.numpy.isfinite(found).all())}
"""
)

_TENSORGRAD = """
from importlib.metadata import version as version_of
import sympy
import tensorgrad as tg
import tensorgrad.functions as F
version = "tensorgrad " + version_of("tensorgrad")
def build(name):
    N, d, M, K = map(sympy.Symbol, "NdMK")
    if name == "cross-entropy":
        z, y = tg.Variable("z", K), tg.Variable("y", K)
        return F.cross_entropy(z, y, ["K"]), z
    if name == "logistic ±1":
        X, y, w = tg.Variable("X", N, d), tg.Variable("y", N), tg.Variable("w", d)
        return F.mean(F.log(1 + F.exp(-(y * (X @ w)))), ["N"]), w
    x, W1, W2, y = tg.Variable("x", d), tg.Variable("W1", M, d), tg.Variable("W2", K, M), tg.Variable("y", K)
    return F.cross_entropy(W2 @ F.relu(W1 @ x), y, ["K"]), W1
def run(task):
    loss, by = build(task["name"])
    seconds, found = timed(lambda: tg.Derivative(loss, by).full_simplify())
    return {"derive": seconds, "length": len(str(found))}
"""

_SYMPY = """
import sympy
version = "SymPy " + sympy.__version__ + " (components written out, at the smallest sizes)"
def run(task):
    from sympy.core.cache import clear_cache
    clear_cache()
    name, by, shapes, widths = (task[k] for k in ("name", "by", "shapes", "widths"))
    a = {}
    for k, axes in shapes.items():
        size = [widths[s] for s in axes.split(",")]
        name_of = lambda i, j: sympy.Symbol(f"{k}_{i}_{j}", real=True)
        a[k] = sympy.Matrix(size[0], size[1] if len(size) > 1 else 1, name_of)
    def ce(z):
        total = sum(sympy.exp(u) for u in z)
        return -sum(t * sympy.log(sympy.exp(u) / total) for t, u in zip(a["y"], z))
    def work():
        if name == "cross-entropy":
            loss = ce(a["z"])
        elif name == "logistic ±1":
            loss = sum(sympy.log(1 + sympy.exp(-t * u)) for t, u in zip(a["y"], a["X"] * a["w"])) / len(a["y"])
        else:
            loss = ce(a["W2"] * (a["W1"] * a["x"]).applyfunc(lambda u: sympy.Max(u, 0)))
        return [sympy.diff(loss, b) for b in a[by]]
    seconds, found = timed(work)
    rng = np.random.default_rng(0)
    f = sympy.lambdify([s for k in a for s in a[k]], found, "numpy")
    arrays = np.load(task["small"])
    flat = [v for k in a for v in arrays[k].ravel()]
    with np.errstate(all="ignore"):
        finite = bool(np.isfinite(np.array(f(*flat), dtype=float)).all())
    return {"derive": seconds, "length": len(str(found)), "finite": finite}
"""


class Peer:
    """A peer in a process of its own."""

    def __init__(self, python: str, body: str) -> None:
        self.process = subprocess.Popen(
            [python, "-c", _BEFORE + body + _AFTER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        self.reason = "" if first else self._why()
        self.name = json.loads(first)["ready"] if first else ""

    def _why(self) -> str:
        assert self.process.stderr is not None
        lines = self.process.stderr.read().strip().splitlines()
        return lines[-1] if lines else "it does not start"

    def ask(self, task: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        """Let the process end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def measured(case: dict[str, Any], kernel: Callable[..., Any], arrays: dict[str, np.ndarray]) -> dict[str, float]:
    """Return our seconds: to derive a case where others were derived before, and of its kernel without its checks."""
    start = time.perf_counter()
    ours(case)
    derived = time.perf_counter() - start
    taken = arguments(kernel, arrays)
    kernel(**taken, check=False)  # once to warm up, as the peers do
    start = time.perf_counter()
    kernel(**taken, check=False)
    return {"derive": derived, "kernel": time.perf_counter() - start}


def compare(name: str, case: dict[str, Any], peers: list[Peer], folder: Path) -> None:
    """Print one case: ours, then every peer as ratios of interleaved runs."""
    options = {k: v for k, v in case.items() if k not in {"text", "by"}}
    view = derive.gradient(case["text"], case["by"], **options)
    kernel = view.kernel("gradient")
    arrays, large, small = values(case, WIDTHS), values(case, WIDTHS, 1000), values(case, SMALL, 1000)
    for file, content in (("arrays", arrays), ("large", large), ("small", small)):
        np.savez(folder / f"{file}.npz", **content)
    measured(case, kernel, arrays)
    form = printed(view.claim.args[1])
    finite = bool(np.isfinite(kernel(**arguments(kernel, large))).all())
    own = [measured(case, kernel, arrays) for _ in range(ROUNDS)]
    seconds = [statistics.median(row[what] for row in own) for what in ("derive", "kernel")]
    print(f"\n{name}: {form}")
    print(f"  {'':14}{'derive':>12}{'kernel':>12}{'length':>9}{'finite at 1000':>17}")
    print(f"  {'derive':14}{seconds[0]:10.3f} s{seconds[1] * 1e3:9.3f} ms{len(form):9}{finite!s:>17}")
    for peer in peers:
        task = {"name": name, "by": case["by"], "shapes": case["shapes"], "widths": SMALL}
        task |= {file: str(folder / f"{file}.npz") for file in ("arrays", "small")}
        answer = peer.ask(task)
        rounds = []
        while "error" not in answer and len(rounds) < ROUNDS:
            here = measured(case, kernel, arrays)
            answer = peer.ask(task)
            rounds.append({what: here[what] / answer[what] for what in here if what in answer})
        label = peer.name.split()[0]
        if "error" in answer:
            print(f"  {label:14}{answer['error']}")
            continue
        if "kernel" in answer:
            answer["finite"] = peer.ask({**task, "arrays": str(folder / "large.npz")}).get("finite")
        row = [statistics.median(r[what] for r in rounds) if what in answer else None for what in ("derive", "kernel")]
        shown = "".join(f"{'—' if value is None else f'× {value:.2f}':>12}" for value in row)
        print(f"  {label:14}{shown}{answer.get('length', '—'):>9}{answer.get('finite', '—')!s:>17}")


def main() -> None:
    """Compare with every peer that is there."""
    parser = argparse.ArgumentParser(description="Gradients beside what others make of them.")
    bodies = {"sympy": _SYMPY, "torch": _TORCH, "jax": _JAX, "tensorgrad": _TENSORGRAD}
    for name in bodies:
        parser.add_argument(f"--{name}", default=sys.executable, metavar="PYTHON", help=f"an interpreter with {name}")
    chosen = vars(parser.parse_args())
    peers = []
    for name, body in bodies.items():
        peer = Peer(chosen[name], body)
        print(f"{name}: {peer.name}" if peer.name else f"{name}: skipped, {peer.reason}")
        if peer.name:
            peers.append(peer)
    with tempfile.TemporaryDirectory() as folder:
        for name, case in CASES.items():
            compare(name, case, peers, Path(folder))
    for peer in peers:
        peer.close()


if __name__ == "__main__":
    main()
