"""Claims of machine-learning mathematics as checked proofs, NumPy kernels and printed worksheets.

>>> import derive
>>> d = derive.load("sigmoid-derivative")
>>> print(d.claim)
∂σ(x)/∂x = σ(x)·(1 − σ(x))

Everything is loaded when it is first asked for, so that the command line answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from derive.evidence.gradient_check import check_gradient, check_value
    from derive.logic.sympy_bridge import from_sympy, to_sympy
    from derive.losses import derivative, gradient, hessian, hvp, jacobian
    from derive.view import View, derivations, load

    __version__: str

__all__ = [
    "load",
    "derivations",
    "View",
    "gradient",
    "derivative",
    "jacobian",
    "hessian",
    "hvp",
    "check_gradient",
    "check_value",
    "to_sympy",
    "from_sympy",
    "__version__",
]

_HOMES = {
    "load": "derive.view",
    "derivations": "derive.view",
    "View": "derive.view",
    "gradient": "derive.losses",
    "derivative": "derive.losses",
    "jacobian": "derive.losses",
    "hessian": "derive.losses",
    "hvp": "derive.losses",
    "check_gradient": "derive.evidence.gradient_check",
    "check_value": "derive.evidence.gradient_check",
    "to_sympy": "derive.logic.sympy_bridge",
    "from_sympy": "derive.logic.sympy_bridge",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from derive.record import own_version

        return own_version()
    if name not in _HOMES:
        raise AttributeError(f"derive has no name {name!r}: it has {', '.join(__all__)}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
