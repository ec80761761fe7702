"""Term to TeX, in the language that `mathml` reads and pdflatex compiles."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from derive.language.notation import SYMBOLS
from derive.language.term import Term
from derive.pages.forms import Piece, Printer, shape_pieces
from derive.pages.names import Name

_GREEK_NAMES: Final = """α alpha β beta γ gamma δ delta ε varepsilon ϵ epsilon ζ zeta η eta θ theta ϑ vartheta ι iota κ kappa
λ lambda μ mu ν nu ξ xi π pi ρ rho σ sigma τ tau υ upsilon φ varphi ϕ phi χ chi ψ psi ω omega Γ Gamma Δ Delta Θ Theta
Λ Lambda Ξ Xi Π Pi Σ Sigma Υ Upsilon Φ Phi Ψ Psi Ω Omega ℓ ell""".split()
LETTERS: Final[Mapping[str, str]] = MappingProxyType(
    {letter: f"\\{name}" for letter, name in zip(_GREEK_NAMES[::2], _GREEK_NAMES[1::2], strict=True)}
    | {letter: f"\\mathbb{{{plain}}}" for letter, plain in zip("ℕℝℤℚℂ𝔼ℙ𝕍", "NRZQCEPV", strict=True)}
    | {letter: f"\\mathcal{{{plain}}}" for letter, plain in zip("ℒ𝒩𝒟𝒳𝒴𝒵ℋ", "LNDXYZH", strict=True)}
)
_BIG: Final = {"sum": "\\sum", "prod": "\\prod"}
_TALL: Final = ("\\frac", "\\sum", "\\prod", "\\int", "\\begin", "\\left")


class TexInk:
    """The marks of TeX."""

    signs: Mapping[str, str] = MappingProxyType({
        "add": " + ", "sub": " - ", "neg": "-", "div": "/", "odot": " \\odot ", "times": " \\times ",
        "eq": " = ", "ne": " \\neq ", "le": " \\leq ", "lt": " < ", "ge": " \\geq ", "gt": " > ",
        "and": " \\wedge ", "iff": " \\iff ", "implies": " \\Rightarrow ", "forall": "\\forall ", "colon": "\\colon ",
        "comma": ", ", "given": " \\mid ", "place": "\\cdot ", "integral": "\\int ", "differential": "\\, \\mathrm{d}",
    })  # fmt: skip
    _extra: Mapping[str, str] = MappingProxyType(
        {"exp function": "\\exp", "diag": "\\operatorname{diag}", "ones": "\\mathbf{1}"}
    )

    def number(self, value: int) -> str:
        return str(value)

    def name(self, name: Name, below: tuple[str, ...] = ()) -> str:
        core = _letter(name.core)
        if name.accent:
            core = f"\\{name.accent}{{{core}}}"
        subs = ", ".join((*map(_subscript, name.below), *below))
        primed = "'" * name.primes
        raised = f"^{{{name.raised}}}" if name.raised else ""
        return core + (f"_{{{subs}}}" if subs else "") + (primed or raised)

    def index(self, name: Name, places: list[str], separated: bool) -> str:
        if name.raised:
            return self.component(f"({self.name(name)})", places, separated)
        return self.name(name, (_run(places, separated),))

    def component(self, base: str, places: list[str], separated: bool) -> str:
        return f"{base}_{{{_run(places, separated)}}}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}" if not base.endswith("'") else f"{{{base}}}^{{{exponent}}}"

    def transpose(self, base: str) -> str:
        return self.power(base, "\\top")

    def fraction(self, above: str, below: str) -> str:
        return f"\\frac{{{above}}}{{{below}}}"

    def bracket(self, inner: str, tall: bool) -> str:
        return f"\\left({inner}\\right)" if tall else f"({inner})"

    def square(self, inner: str, tall: bool) -> str:
        return f"\\left[{inner}\\right]" if tall else f"[{inner}]"

    def big(self, sign: str, below: str) -> str:
        return f"{_BIG[sign]}_{{{below}}} "

    def expectation(self, below: str) -> str:
        return f"\\mathbb{{E}}_{{{below}}}"

    def applied(self, symbol: str, arguments: list[str], tall: bool) -> str:
        return symbol + self.bracket(", ".join(arguments), tall)

    def symbol(self, name: str) -> str:
        return self._extra.get(name) or SYMBOLS[name].tex

    def template(self, name: str, arguments: list[str]) -> str | None:
        shape = SYMBOLS[name].tex
        return shape.format(*arguments) if "{0}" in shape else None

    def prefix(self, name: str) -> bool:
        return SYMBOLS[name].tex in {"\\log", "\\tanh", "\\sin", "\\cos"}

    def words(self, text: str) -> str:
        return f"\\text{{{text}}}"

    def space(self) -> str:
        return " "

    def touching(self, left: str, right: Piece) -> str:
        """Two numbers need a sign between them; a bracket after a factor needs room, or it would look like an argument."""
        if right.text[:1].isdigit():
            return " \\cdot "
        if left and (right.bracketed or right.text.startswith(("[", "\\frac{\\partial}", "\\frac{\\mathrm{d}}"))):
            return "\\, "
        return " "

    def partial(self, straight: bool, what: str) -> str:
        return ("\\mathrm{d}" if straight else "\\partial ") + what

    def operator_of_derivative(self, straight: bool, by: str) -> str:
        return f"\\frac{{{self.partial(straight, '').strip()}}}{{{by}}}"


def _letter(core: str) -> str:
    """Return a letter, or several as an upright word."""
    if core in LETTERS:
        return LETTERS[core]
    if not core.isascii():
        raise ValueError(f"a name without TeX: {core!r}")
    return core if len(core) == 1 else f"\\mathrm{{{core}}}"


def _subscript(below: str) -> str:
    return below if below.isdigit() else _letter(below)


def _run(places: list[str], separated: bool) -> str:
    """Return indices one after the other: with commas where one of them is longer than a letter."""
    return ", ".join(places) if separated else " ".join(places) if any(p.startswith("\\") for p in places) else "".join(places)


INK: Final = TexInk()


def tex(term: Term, display: bool = False) -> str:
    """Return a term as TeX.

    Parameters
    ----------
    term : Term
    display : bool
        Built-up fractions and tall brackets; otherwise everything stays on one line of text.

    Examples
    --------
    >>> from derive.language.term import var
    >>> tex(1 / (1 + var("x", dom="positive")))
    '1/(1 + x)'
    >>> tex(1 / (1 + var("x", dom="positive")), display=True)
    '\\\\frac{1}{1 + x}'
    """
    return Printer(INK, display).piece(term).text


def tex_parts(term: Term, display: bool = True) -> tuple[str, ...]:
    """Return a formula in parts between which a line may be broken."""
    return Printer(INK, display).parts(term)


def tex_shape(shape: tuple[Term, ...]) -> str:
    """Return a shape as TeX, such as N × K; 1 for a scalar."""
    return shape_pieces(shape, Printer(INK))


def is_tall(formula: str) -> bool:
    """Tell whether TeX is higher than a line of text in display style."""
    return any(command in formula for command in _TALL)
