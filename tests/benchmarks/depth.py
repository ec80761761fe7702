"""What a deep network costs: CPU seconds to derive, certify, replay, witness and print, by the number of its layers.

Run with `python tests/benchmarks/depth.py [LAYERS …]`. It reports and never judges. Each row is a process of its own,
in which a network of two layers was derived before, so that nothing but the lemmas and the imports is there already.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import derive
from derive.logic.certificate import dumps
from derive.losses import deep

LAYERS = (30, 60, 120, 200)
COLUMNS = ("derive", "certify", "replay", "witness", "text", "html", "lines", "KB")


def network(count: int) -> dict[str, Any]:
    """A network of rectified layers with the cross-entropy of a softmax, and its gradient by the first layer."""
    shapes, lines, before = {"x": "n0"}, [], "x"
    for layer in range(1, count + 1):
        shapes |= {f"W{layer}": f"n{layer},n{layer - 1}", f"b{layer}": f"n{layer}"}
        lines.append(f"z{layer} = W{layer}@{before}+b{layer}")
        lines.append(f"h{layer} = relu(z{layer})")
        before = f"h{layer}"
    text = "; ".join([*lines[:-1], f"-sum(y*log(softmax(z{count})))"])
    shapes["y"] = f"n{count}"
    return {"loss": text, "wrt": "W1", "shapes": shapes, "domains": {"y": "simplex"}, "given": ["sum(y) == 1"]}


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of CPU that something takes, and what it gives."""
    start = time.process_time()
    found = deep(work)
    return time.process_time() - start, found


def row(count: int) -> list[float]:
    """Return what a network costs."""
    derive.gradient(**network(2))
    case = network(count)
    derived, view = spent(lambda: derive.gradient(**case))
    certified, text = spent(lambda: dumps(view.certificate))
    seen, _ = spent(view.witness)
    plain, _ = spent(view.to_text)
    page, _ = spent(view.to_html)
    code = "import sys, json, time; from derive.logic.certificate import replay; from derive.losses import deep; "
    code += "data = json.load(sys.stdin); start = time.process_time(); deep(lambda: replay(data)); "
    code += "print(time.process_time() - start)"
    replayed = subprocess.run([sys.executable, "-c", code], input=text, capture_output=True, text=True, check=True)
    lines = sum(len(proof.lines) for proof in view.proofs.values())
    return [derived, certified, float(replayed.stdout), seen, plain, page, lines, len(text.encode()) / 1000]


def main() -> None:
    """Print a row for each number of layers."""
    if "--row" in sys.argv:
        print(json.dumps(row(int(sys.argv[-1]))))
        return
    print("layers" + "".join(f"{name:>9}" for name in COLUMNS))
    for count in map(int, sys.argv[1:] or LAYERS):
        found = subprocess.run(
            [sys.executable, __file__, "--row", str(count)], capture_output=True, text=True, check=True
        )
        *seconds, lines, size = json.loads(found.stdout)
        print(f"{count:6}" + "".join(f"{value:9.2f}" for value in seconds) + f"{lines:9.0f}{size:9.0f}", flush=True)


if __name__ == "__main__":
    main()
