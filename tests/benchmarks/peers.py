"""Gradients and Hessians beside what others make of them: time to derive, length, time of the kernel, large inputs.

Run with `python tests/benchmarks/peers.py [--tensorgrad PYTHON] [--torch PYTHON] [--jax PYTHON] [CASE …]`, where PYTHON
is the interpreter of an environment that has the peer (this one by default). It reports and never judges: ratios are
medians of interleaved runs, ours over the peer's, so that below 1 is faster than the peer. Each peer gets the loss as
its own users write it, with its own stable log-softmax where it has one. A peer that is not installed is skipped, with
the reason; so is a case that a peer cannot do, or does not do in a minute.
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
from derive.deriver import backward
from derive.pages.text import text as printed

ROUNDS = 5
DEEP = 10
FIRST = {f"W{n}": f"n{n},n{n - 1}" for n in range(1, DEEP + 1)}
FORWARD = "; ".join(f"z{n} = W{n}@{'x' if n == 1 else f'h{n - 1}'}; h{n} = relu(z{n})" for n in range(1, DEEP))
LABELS = {"domains": {"y": "simplex"}, "given": ["sum(y) == 1"]}
CROSS_ENTROPY = {"text": "-sum(y*log(softmax(z)))", "by": "z", "shapes": {"z": "K", "y": "K"}, **LABELS}
LOGISTIC = {"by": "w", "shapes": {"X": "N,d", "y": "N", "w": "d"}, "domains": {"y": "sign"}}
SUM = {"text": "sum(log(1 + exp(-y * (X @ w))))", **LOGISTIC}
FACTORS = {
    "text": "sum((M*(T - U @ V.T))**2)",
    "by": "U",
    "shapes": {"U": "n,k", "V": "m,k", "T": "n,m", "M": "n,m"},
}
NETWORK = {
    "text": f"{FORWARD}; z = W{DEEP}@h{DEEP - 1}; -sum(y*log(softmax(z)))",
    "by": "W1",
    "shapes": {"x": "n0", **FIRST, "y": f"n{DEEP}"},
    **LABELS,
}
FORM = {"text": "x@A@x", "by": "x", "shapes": {"x": "d", "A": "d,d"}}
# Of each: what is derived, the array that is scaled by 1000, and what then becomes large.
CASES: dict[str, dict[str, Any]] = {
    "cross-entropy": {**CROSS_ENTROPY, "scaled": "z", "logits": "z"},
    "cross-entropy, Hessian": {**CROSS_ENTROPY, "scaled": "z", "logits": "z"},
    "logistic ±1": {"text": "mean(log(1 + exp(-y * (X @ w))))", **LOGISTIC, "scaled": "X", "logits": "y*(X@w)"},
    "two-layer ReLU, first": {
        "text": "h = relu(W1 @ x); z = W2 @ h; -sum(y*log(softmax(z)))",
        "by": "W1",
        "shapes": {"x": "d", "W1": "M,d", "W2": "K,M", "y": "K"},
        **LABELS,
        "scaled": "x",
        "logits": "W2 @ relu(W1 @ x)",
    },
    **{
        f"{name}{', Hessian' * second}": {**case, "scaled": scaled, "logits": logits}
        for name, case, scaled, logits in (
            ("benchmark: logistic", SUM, "X", "y*(X@w)"),
            ("benchmark: factorisation", FACTORS, "U", "U@V.T"),
            ("benchmark: ten-layer ReLU, first", NETWORK, "x", ""),
            ("benchmark: quadratic form", FORM, "x", "x@A@x"),
        )
        for second in (False, True)
    },
}
WIDTHS = {"N": 4096, "d": 256, "M": 128, "K": 64, "n": 64, "m": 48, "k": 8, **{f"n{n}": 24 for n in range(DEEP + 1)}}
# for SymPy, which writes components out
SMALL = {"N": 3, "d": 2, "M": 2, "K": 3, "n": 3, "m": 2, "k": 2, **{f"n{n}": 2 for n in range(DEEP + 1)}}


def values(case: dict[str, Any], widths: dict[str, int], scale: float = 1.0) -> dict[str, np.ndarray]:
    """Draw the arrays of a case, weights so that layers keep the size of what goes through; one array is scaled."""
    rng = np.random.default_rng(8)
    found = {name: rng.normal(size=tuple(widths[a] for a in axes.split(","))) for name, axes in case["shapes"].items()}
    for name in found:
        if name.startswith("W"):
            found[name] *= np.sqrt(2 / found[name].shape[1])
    domain = case.get("domains", {}).get("y")
    if domain:
        found["y"] = np.sign(found["y"]) if domain == "sign" else np.abs(found["y"]) / np.abs(found["y"]).sum()
    found[case["scaled"]] = found[case["scaled"]] * scale
    return found


def largest(case: dict[str, Any], arrays: dict[str, np.ndarray]) -> float:
    """Return the size of the logits, or of what else is large."""
    if not case["logits"]:  # the network's, by its own loop
        layer = arrays["x"]
        for n in range(1, DEEP + 1):
            layer = arrays[f"W{n}"] @ (np.maximum(layer, 0) if n > 1 else layer)
        return float(np.abs(layer).max())
    scope = {**arrays, "relu": lambda u: np.maximum(u, 0)}
    return float(np.abs(eval(case["logits"], scope)).max())  # noqa: S307 - a text of ours


_TIMES = count()


def ours(name: str, case: dict[str, Any]) -> derive.View:
    """Derive a case, every line checked, with sizes that no term had before: what is remembered of terms is no help."""
    number = next(_TIMES)
    shapes = {key: ",".join(f"{a}_{number}" for a in axes.split(",")) for key, axes in case["shapes"].items()}
    options = {key: case[key] for key in ("domains", "given") if key in case}
    return of(name)(case["text"], case["by"], shapes=shapes, **options)


def of(name: str) -> Callable[..., derive.View]:
    """Return what a case asks for."""
    return derive.hessian if name.endswith("Hessian") else derive.gradient


class Checking:
    """The time that goes into proofs: what is left of a derivation's is its search."""

    def __init__(self) -> None:
        self.seconds = 0.0
        for name in ("line", "proved"):
            setattr(backward, name, self._timed(getattr(backward, name)))

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                self.seconds += time.perf_counter() - start

        return timed


CHECKING = Checking()


def arguments(kernel: Callable[..., Any], arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays that a kernel takes."""
    return {name: arrays[name] for name in signature(kernel).parameters if name in arrays}


# Each peer runs in a process of its own: a line of JSON with a task comes in, and one with seconds and more goes out.
# What is timed is the peer's own work, after one run that warms it up.
_BEFORE = """
import json, signal, sys, time
import numpy as np
def late(*_):
    raise TimeoutError("more than a minute")
signal.signal(signal.SIGALRM, late)
def timed(work):
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found
"""

_AFTER = """
print(json.dumps({"ready": version}), flush=True)
for row in sys.stdin:
    signal.alarm(60)
    try:
        answer = run(json.loads(row))
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"[:100]}
    signal.alarm(0)
    print(json.dumps(answer), flush=True)
"""

_DEPTH = f"DEEP = {DEEP}\n"
_DRAWN = (
    _DEPTH
    + """
def loss_of(xp, softmax_log, relu, name, a):
    if name.startswith("cross-entropy"):
        return -(a["y"] * softmax_log(a["z"])).sum()
    if "logistic" in name:
        each = xp.log(1 + xp.exp(-a["y"] * (a["X"] @ a["w"])))
        return each.sum() if "benchmark" in name else each.mean()
    if "factorisation" in name:
        return ((a["M"] * (a["T"] - a["U"] @ a["V"].T)) ** 2).sum()
    if "quadratic" in name:
        return a["x"] @ a["A"] @ a["x"]
    if "two-layer" in name:
        return -(a["y"] * softmax_log(a["W2"] @ relu(a["W1"] @ a["x"]))).sum()
    z = a["W1"] @ a["x"]
    for n in range(2, DEEP + 1):
        z = a[f"W{n}"] @ relu(z)
    return -(a["y"] * softmax_log(z)).sum()
"""
)

_TORCH = (
    _DRAWN
    + """
import torch
torch.set_num_threads(1)
version = "PyTorch " + torch.__version__
def run(task):
    arrays = {k: torch.tensor(v, dtype=torch.float64) for k, v in np.load(task["arrays"]).items()}
    name, by = task["name"], task["by"]
    f = lambda b: loss_of(torch, lambda u: torch.log_softmax(u, 0), torch.relu, name, {**arrays, by: b})
    if name.endswith("Hessian"):
        kernel = lambda: torch.func.hessian(f)(arrays[by])
    else:
        kernel = lambda: torch.func.grad(f)(arrays[by])
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
        known[name] = jax.jit((jax.hessian if name.endswith("Hessian") else jax.grad)(f))
    rest = {k: v for k, v in arrays.items() if k != by}
    kernel = lambda: known[name](arrays[by], rest).block_until_ready()
    kernel()
    seconds, found = timed(kernel)
    return {"kernel": seconds, "finite": bool(jax.numpy.isfinite(found).all())}
"""
)

_TENSORGRAD = (
    _DEPTH
    + """
from importlib.metadata import version as version_of
import sympy
import torch
import tensorgrad as tg
import tensorgrad.functions as F
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
version = "tensorgrad " + version_of("tensorgrad")
def build(name):
    S = sympy.Symbol
    if name.startswith("cross-entropy"):
        z, y = tg.Variable("z", K=S("K")), tg.Variable("y", K=S("K"))
        return F.cross_entropy(z, y, ["K"]), z
    if "logistic" in name:
        X, y, w = tg.Variable("X", N=S("N"), d=S("d")), tg.Variable("y", N=S("N")), tg.Variable("w", d=S("d"))
        each = F.log(1 + F.exp(-(y * (X @ w))))
        return (F.sum if "benchmark" in name else F.mean)(each, ["N"]), w
    if "factorisation" in name:
        n, m, k = map(S, "nmk")
        U, V = tg.Variable("U", n=n, k=k), tg.Variable("V", m=m, k=k)
        T, M = tg.Variable("T", n=n, m=m), tg.Variable("M", n=n, m=m)
        return F.frobenius2(M * (T - F.dot(U, V, ("k", "k")))), U
    if "quadratic" in name:
        x, A = tg.Variable("x", d=S("d")), tg.Variable("A", d=S("d"), e=S("d"))
        return F.sum(F.dot(x, A, ("d", "d")) * x.rename(d="e"), ["e"]), x
    if "two-layer" in name:
        x, W1 = tg.Variable("x", d=S("d")), tg.Variable("W1", M=S("M"), d=S("d"))
        W2, y = tg.Variable("W2", K=S("K"), M=S("M")), tg.Variable("y", K=S("K"))
        return F.cross_entropy(W2 @ F.relu(W1 @ x), y, ["K"]), W1
    sizes = [S(f"n{n}") for n in range(DEEP + 1)]
    h = tg.Variable("x", n0=sizes[0])
    for n in range(1, DEEP + 1):
        W = tg.Variable(f"W{n}", **{f"n{n}": sizes[n], f"n{n-1}": sizes[n-1]})
        first = W if n == 1 else first
        z = W @ h
        h = F.relu(z)
    return F.cross_entropy(z, tg.Variable("y", **{f"n{DEEP}": sizes[DEEP]}), [f"n{DEEP}"]), first
def derivative(name):
    loss, by = build(name)
    found = tg.Derivative(loss, by, {e: e + "_1" for e in by.edges})
    return tg.Derivative(found, by, {e: e + "_2" for e in by.edges}) if name.endswith("Hessian") else found
def run(task):
    name = task["name"]
    seconds, found = timed(lambda: derivative(name).full_simplify())
    answer = {"derive": seconds, "length": len(str(found))}
    step = tg.compile(found=found)
    arrays = {k: torch.tensor(v) for k, v in np.load(task["arrays"]).items()}
    dims = {sympy.Symbol(k): v for k, v in task["dims"].items()}
    call = lambda: step(arrays, dims=dims).found
    call()
    seconds, value = timed(call)
    answer |= {"kernel": seconds, "finite": bool(torch.isfinite(value.rename(None)).all())}
    if "factorisation, Hessian" in name:
        raw = tg.compile(found=derivative(name))(arrays, dims=dims).found
        answer["largest"] = [float(u.rename(None).abs().max()) for u in (raw, value)]
    return answer
"""
)

_SYMPY = (
    _DEPTH
    + """
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
    relu = lambda v: v.applyfunc(lambda u: sympy.Max(u, 0))
    def loss_of():
        if name.startswith("cross-entropy"):
            return ce(a["z"])
        if "logistic" in name:
            each = [sympy.log(1 + sympy.exp(-t * u)) for t, u in zip(a["y"], a["X"] * a["w"])]
            return sum(each) / (1 if "benchmark" in name else len(each))
        if "factorisation" in name:
            return sum(u**2 for u in a["M"].multiply_elementwise(a["T"] - a["U"] * a["V"].T))
        if "quadratic" in name:
            return (a["x"].T * a["A"] * a["x"])[0]
        if "two-layer" in name:
            return ce(a["W2"] * relu(a["W1"] * a["x"]))
        z = a["W1"] * a["x"]
        for n in range(2, DEEP + 1):
            z = a[f"W{n}"] * relu(z)
        return ce(z)
    def work():
        first = [sympy.diff(loss_of(), b) for b in a[by]]
        return [sympy.diff(g, b) for g in first for b in a[by]] if name.endswith("Hessian") else first
    seconds, found = timed(work)
    f = sympy.lambdify([s for k in a for s in a[k]], found, "numpy")
    arrays = np.load(task["small"])
    flat = [v for k in a for v in arrays[k].ravel()]
    with np.errstate(all="ignore"):
        finite = bool(np.isfinite(np.array(f(*flat), dtype=float)).all())
    return {"derive": seconds, "length": len(str(found)), "finite": finite}
"""
)


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


def measured(
    name: str, case: dict[str, Any], kernel: Callable[..., Any], arrays: dict[str, np.ndarray]
) -> dict[str, float]:
    """Return our seconds: to derive a case where others were derived before, the search alone, and of the kernel."""
    CHECKING.seconds = 0.0
    start = time.perf_counter()
    ours(name, case)
    derived = time.perf_counter() - start
    taken = arguments(kernel, arrays)
    kernel(**taken, check=False)  # once to warm up, as the peers do
    start = time.perf_counter()
    kernel(**taken, check=False)
    return {"derive": derived, "search": derived - CHECKING.seconds, "kernel": time.perf_counter() - start}


COLUMNS = ("derive", "search", "kernel")


def compare(name: str, case: dict[str, Any], peers: list[Peer], folder: Path) -> None:
    """Print one case: ours, then every peer as ratios of interleaved runs."""
    print(f"\n{name}: ", end="", flush=True)
    arrays, large, small = values(case, WIDTHS), values(case, WIDTHS, 1000), values(case, SMALL, 1000)
    for file, content in (("arrays", arrays), ("large", large), ("small", small)):
        np.savez(folder / f"{file}.npz", **content)
    options = {key: case[key] for key in ("domains", "given") if key in case}
    try:
        view = of(name)(case["text"], case["by"], shapes=case["shapes"], **options)
    except derive.DeriverError as error:
        print(f"refused: {str(error)[:200]}")
        return
    form = printed(view.claim.args[1])
    kernel = view.kernel("hessian" if name.endswith("Hessian") else "gradient")
    measured(name, case, kernel, arrays)
    finite = bool(np.isfinite(kernel(**arguments(kernel, large), check=False)).all())
    own = [measured(name, case, kernel, arrays) for _ in range(ROUNDS)]
    seconds = [statistics.median(row[what] for row in own) for what in COLUMNS]
    print(form if len(form) < 80 else f"{len(form)} characters", f"(logits up to {largest(case, large):.1e} at 1000)")
    print(f"  {'':14}{'checked':>12}{'unchecked':>12}{'kernel':>12}{'length':>9}{'finite at 1000':>17}")
    shown = f"{seconds[0]:10.3f} s{seconds[1]:10.3f} s{seconds[2] * 1e3:9.3f} ms"
    print(f"  {'derive':14}{shown}{len(form):9}{finite!s:>17}")
    for peer in peers:
        task = {"name": name, "by": case["by"], "shapes": case["shapes"], "widths": SMALL, "dims": WIDTHS}
        task |= {file: str(folder / f"{file}.npz") for file in ("arrays", "small")}
        print(f"  {peer.name.split()[0]:14}{_row(name, case, kernel, arrays, peer, task, folder)}", flush=True)


def _row(
    name: str,
    case: dict[str, Any],
    kernel: Callable[..., Any],
    arrays: dict[str, np.ndarray],
    peer: Peer,
    task: dict[str, Any],
    folder: Path,
) -> str:
    answer = peer.ask(task)
    rounds = []
    while "error" not in answer and len(rounds) < ROUNDS:
        here = measured(name, case, kernel, arrays)
        answer = peer.ask(task)
        here["search"], answer["search"] = here["search"], answer.get("derive", 0.0)
        rounds.append({what: here[what] / answer[what] for what in COLUMNS if answer.get(what)})
    if "error" in answer:
        return str(answer["error"])
    if "kernel" in answer:
        answer["finite"] = peer.ask({**task, "arrays": str(folder / "large.npz")}).get("finite")
    ratios = [statistics.median(r[what] for r in rounds) if answer.get(what) else None for what in COLUMNS]
    shown = "".join(f"{'—' if value is None else f'× {value:.2f}':>12}" for value in ratios)
    row = f"{shown}{answer.get('length', '—'):>9}{answer.get('finite', '—')!s:>17}"
    if "largest" in answer:
        raw, simplified = answer["largest"]
        row += f"  largest component {raw:.3g} as compiled, {simplified:.3g} simplified first"
    return row


def silent_zero(peer: Peer, folder: Path) -> None:
    """Print what tensorgrad's compiled Hessian of the matrix factorisation is, simplified first or not, by the size."""
    name = "benchmark: factorisation, Hessian"
    case = CASES[name]
    print("\ntensorgrad's Hessian of the factorisation, its largest component as compiled and if simplified first:")
    for size in (20, 100, 180, 250):
        widths = {**WIDTHS, "n": size, "m": size, "k": 5}
        np.savez(folder / "sized.npz", **values(case, widths))
        task = {"name": name, "by": case["by"], "shapes": case["shapes"], "dims": widths}
        answer = peer.ask({**task, "widths": SMALL, "arrays": str(folder / "sized.npz")})
        found = answer.get("error") or " and ".join(f"{value:.3g}" for value in answer["largest"])
        print(f"  n = m = {size}, k = 5: {found}")


def main() -> None:
    """Compare with every peer that is there."""
    parser = argparse.ArgumentParser(description="Gradients and Hessians beside what others make of them.")
    bodies = {"sympy": _SYMPY, "torch": _TORCH, "jax": _JAX, "tensorgrad": _TENSORGRAD}
    for name in bodies:
        parser.add_argument(f"--{name}", default=sys.executable, metavar="PYTHON", help=f"an interpreter with {name}")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="words of the cases to compare; all of them if none")
    chosen = vars(parser.parse_args())
    peers = []
    for name, body in bodies.items():
        peer = Peer(chosen[name], body)
        print(f"{name}: {peer.name}" if peer.name else f"{name}: skipped, {peer.reason}")
        if peer.name:
            peers.append(peer)
    with tempfile.TemporaryDirectory() as folder:
        for name, case in CASES.items():
            if not chosen["cases"] or any(word in name for word in chosen["cases"]):
                compare(name, case, peers, Path(folder))
        for peer in peers:
            if peer.name.startswith("tensorgrad"):
                silent_zero(peer, Path(folder))
    for peer in peers:
        peer.close()


if __name__ == "__main__":
    main()
