"""What the flagships cost to prove, witness and replay, and what their kernels cost beside NumPy by hand.

Run with `python tests/benchmarks/spine.py`. It reports and never judges: CPU seconds of one process on one core, and
ratios of interleaved runs.
"""

import json
import statistics
import time
from collections.abc import Callable

import numpy as np

import derive
from derive import registry
from derive.evidence.witness import witness
from derive.logic.certificate import dumps, replay

FLAGSHIPS = [slug for slug in registry.slugs() if registry.load(slug).flagship]


def spent(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def logic() -> None:
    """Seconds of CPU for each flagship and for all of them."""
    totals = [0.0, 0.0, 0.0]
    print(f"{'derivation':24}{'prove':>9}{'witness':>9}{'replay':>9}")
    for slug in FLAGSHIPS:
        entry = registry.load(slug)
        proved = spent(lambda entry=entry: entry.theorems)
        text = dumps(entry.certificate())
        replayed = spent(lambda text=text: replay(json.loads(text)))
        theorems = [line.theorem for line in entry.lines] + list(entry.theorems.values())
        seen = spent(lambda theorems=theorems: [witness(t.conclusion, t.hypotheses) for t in theorems])
        row = [proved, seen, replayed]
        totals = [a + b for a, b in zip(totals, row, strict=True)]
        print(f"{slug:24}" + "".join(f"{value:9.2f}" for value in row))
    print(f"{'all':24}" + "".join(f"{value:9.2f}" for value in totals))


def ratio(ours: Callable[[], object], theirs: Callable[[], object], rounds: int = 15) -> float:
    """The median ratio of interleaved runs."""
    ours(), theirs()
    ratios = []
    for _ in range(rounds):
        start = time.perf_counter()
        ours()
        middle = time.perf_counter()
        theirs()
        ratios.append((middle - start) / (time.perf_counter() - middle))
    return statistics.median(ratios)


def by_hand_logistic(X: np.ndarray, y: np.ndarray, w: np.ndarray, b: float) -> tuple[float, np.ndarray, float]:
    z = X @ w + b
    e = np.exp(-np.abs(z))
    r = (np.where(z >= 0, 1, e) / (1 + e) - y) / len(y)
    return float(np.mean(np.maximum(z, 0) - y * z + np.log1p(e))), X.T @ r, float(r.sum())


def by_hand_cross_entropy(Z: np.ndarray, Y: np.ndarray) -> tuple[float, np.ndarray]:
    shifted = Z - Z.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    s = e.sum(axis=1, keepdims=True)
    return float(-(Y * (shifted - np.log(s))).sum(axis=1).mean()), (e / s - Y) / len(Z)


def kernels() -> None:
    """Time of a kernel, with its checks and without, over the time of the same in NumPy by hand."""
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(100_000, 100)), rng.normal(size=100)
    y = (rng.random(100_000) < 0.5).astype(float)
    Z, Y = rng.normal(size=(4096, 1000)), np.eye(1000)[rng.integers(0, 1000, 4096)]
    cases = [
        ("logistic-gradient", "loss_and_gradient", (X, y, w, 0.3), by_hand_logistic),
        ("softmax-ce-delta", "softmax_cross_entropy", (Z, Y), by_hand_cross_entropy),
    ]
    print(f"\n{'kernel over NumPy by hand':40}{'checked':>9}{'bare':>9}")
    for slug, name, arguments, by_hand in cases:
        ours = derive.load(slug).kernel(name)
        checked = ratio(lambda f=ours, a=arguments: f(*a), lambda f=by_hand, a=arguments: f(*a))
        bare = ratio(lambda f=ours, a=arguments: f(*a, check=False), lambda f=by_hand, a=arguments: f(*a))
        print(f"{slug + ' ' + name:40}{checked:9.2f}{bare:9.2f}")


if __name__ == "__main__":
    logic()
    kernels()
