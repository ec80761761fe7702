"""Term to TeX, in the language that `mathml` reads and pdflatex compiles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from derive.language.notation import SYMBOLS
from derive.language.term import Term
from derive.pages.breaks import Wide, broken
from derive.pages.forms import Ink, Piece, Printer, shape_pieces
from derive.pages.names import ACCENTS, Name

_GREEK_NAMES: Final = """α alpha β beta γ gamma δ delta ε varepsilon ϵ epsilon ζ zeta η eta θ theta ϑ vartheta ι iota
κ kappa λ lambda μ mu ν nu ξ xi π pi ρ rho σ sigma τ tau υ upsilon φ varphi ϕ phi χ chi ψ psi
ω omega Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma Υ Upsilon Φ Phi Ψ Psi Ω Omega ℓ ell"""


def _pairs(words: str) -> Iterator[tuple[str, str]]:
    listed = iter(words.split())
    return zip(listed, listed, strict=True)


LETTERS: Final[Mapping[str, str]] = MappingProxyType(
    {letter: f"\\{name}" for letter, name in _pairs(_GREEK_NAMES)}
    | {letter: f"\\mathbb{{{plain}}}" for letter, plain in zip("ℕℝℤℚℂ𝔼ℙ𝕍", "NRZQCEPV", strict=True)}
    | {letter: f"\\mathcal{{{plain}}}" for letter, plain in zip("ℒ𝒩𝒟𝒳𝒴𝒵ℋ", "LNDXYZH", strict=True)}
)
_BIG: Final = {"sum": "\\sum", "prod": "\\prod"}
_BAR: Final = re.compile(r"\\([lr])[vV]ert")
_SIDES: Final = {"l": "left", "r": "right"}
_GROUPED: Final = 10**5  # from here on digits stand in groups of three
_PARTNER: Final[Mapping[str, str]] = {"(": ")", "[": "]"}


_SIGNS: Final[Mapping[str, str]] = MappingProxyType({
    "add": " + ", "sub": " - ", "neg": "-", "div": "/", "odot": " \\odot ", "times": " \\times ",
    "eq": " = ", "ne": " \\neq ", "le": " \\leq ", "lt": " < ", "ge": " \\geq ", "gt": " > ",
    "and": " \\wedge ", "iff": " \\iff ", "implies": " \\Rightarrow ", "forall": "\\forall ", "colon": "\\colon ",
    "dot": "\\cdot ", "comma": ", ", "given": " \\mid ", "against": " \\parallel ",
    "to": " \\to ", "infinity": "\\infty",
    "place": "\\cdot", "integral": "\\int ", "differential": "\\, \\mathrm{d}",
})  # fmt: skip
_EXTRA: Final = {
    "exp function": "\\exp",
    "diag": "\\operatorname{diag}",
    "ones": "\\mathbf{1}",
    "eye": "I",
    "tri": "\\operatorname{tri}",
    "det": "\\operatorname{det}",
    "trace": "\\operatorname{tr}",
    "Var": "\\operatorname{Var}",
    "Cov": "\\operatorname{Cov}",
}
_CUT: Final = "\\cancel{"
_PREFIXES: Final = frozenset(("\\log", "\\tanh", "\\sin", "\\cos"))


def _name(name: Name, below: tuple[str, ...] = ()) -> str:
    core = _letter(name.core)
    if name.accent:
        core = f"\\{name.accent}{{{core}}}"
    subs = ", ".join((*map(_subscript, name.below), *below))
    raised = f"^{{{name.raised}}}" if name.raised else ""
    return core + (f"_{{{subs}}}" if subs else "") + ("'" * name.primes or raised)


def _index(name: Name, places: list[str], separated: bool) -> str:
    if name.raised:
        return _component(f"({_name(name)})", places, separated)
    return _name(name, (_run(places, separated),))


def _component(base: str, places: list[str], separated: bool) -> str:
    return f"{base}_{{{_run(places, separated)}}}"


def _run(places: list[str], separated: bool) -> str:
    """Return indices one after the other: with commas where one of them is longer than a letter."""
    if separated:
        return ", ".join(places)
    return (" " if any(place.startswith("\\") for place in places) else "").join(places)


def _power(base: str, exponent: str) -> str:
    """Return a power. A prime or a star is an exponent already; TeX drops braces around an accented letter."""
    if not (base.endswith("'") or re.search(r"\^\{[^{}]*\}$", base)):
        return f"{base}^{{{exponent}}}"
    accented = base.startswith(tuple(f"\\{accent}{{" for accent in ACCENTS.values()))
    return f"({base})^{{{exponent}}}" if accented else f"{{{base}}}^{{{exponent}}}"


def _bracket(inner: str, tall: bool) -> str:
    return f"\\left({inner}\\right)" if tall else f"({inner})"


def _partial(straight: bool, what: str) -> str:
    return ("\\mathrm{d}" if straight else "\\partial ") + what


def _operator_of_derivative(straight: bool, by: str) -> str:
    return f"\\frac{{{_partial(straight, '').strip()}}}{{{by}}}"


def _template(name: str, arguments: list[str], tall: bool) -> str | None:
    shape = SYMBOLS[name].tex
    if tall:
        shape = _BAR.sub(lambda bar: f"\\{_SIDES[bar[1]]}{bar[0]}", shape)
    return shape.format(*arguments) if "{0}" in shape else None


def _touching(left: str, right: Piece) -> str:
    """Two numbers need a sign between them; a bracket after a factor needs room, or it would look like an argument."""
    start = right.text.removeprefix(_CUT)
    mixed = left[-1:].isdigit() and re.match(r"\\frac\{\d+\}\{\d+\}", start)  # 3 times ½ is not 3½
    if start[:1].isdigit() or mixed:
        return " \\cdot "
    between_fractions = left.endswith("}") and start.startswith("\\frac")
    return "\\, " if between_fractions or right.bracketed or start.startswith("[") else " "


def _letter(core: str) -> str:
    """Return a letter, with its accent; or several as an upright word, Greek ones beside it."""
    *letters, last = tuple(unicodedata.normalize("NFD", core))
    if last in ACCENTS:
        return f"\\{ACCENTS[last]}{{{_letter(''.join(letters))}}}"
    if core in LETTERS:
        return LETTERS[core]
    if core.isascii():
        return core if len(core) == 1 else f"\\mathrm{{{core}}}"
    runs = re.findall(r"[A-Za-z0-9]+|.", core)
    if any(not run.isascii() and run not in LETTERS for run in runs):
        raise ValueError(f"a name without TeX: {core!r}")
    return "{" + " ".join(f"\\mathrm{{{run}}}" if run.isascii() else LETTERS[run] for run in runs) + "}"


def _subscript(below: str) -> str:
    return "+".join(part if part.isdigit() else _letter(part) for part in below.split("+"))


INK: Final = Ink(
    signs=_SIGNS,
    number=lambda value: f"{value:,}".replace(",", "\\,") if value >= _GROUPED else str(value),
    words=lambda text: f"\\text{{{text}}}",
    space=" ",
    name=_name,
    index=_index,
    component=_component,
    power=_power,
    transpose=lambda base: _power(base, "\\top"),
    inverse_transpose=lambda base: _power(base, "-\\top"),
    fraction=lambda above, below: f"\\frac{{{above}}}{{{below}}}",
    bracket=_bracket,
    square=lambda inner, tall: f"\\left[{inner}\\right]" if tall else f"[{inner}]",
    opened=lambda kind, inner, tall: f"\\left{kind}{inner}\\right." if tall else f"{kind}{inner}",
    closed=lambda kind, inner, tall: f"\\left.{inner}\\right{_PARTNER[kind]}" if tall else f"{inner}{_PARTNER[kind]}",
    big=lambda sign, below: f"{_BIG[sign]}_{{{below}}} ",
    expectation=lambda below: f"\\mathbb{{E}}_{{{below}}}",
    partial=_partial,
    operator_of_derivative=_operator_of_derivative,
    applied=lambda symbol, arguments, tall: symbol + _bracket(", ".join(arguments), tall),
    symbol=lambda name: _EXTRA.get(name) or SYMBOLS[name].tex,
    template=_template,
    primed=lambda name: None if "{0}" in SYMBOLS[name].tex else f"{SYMBOLS[name].tex}'",
    prefix=lambda name: SYMBOLS[name].tex in _PREFIXES,
    touching=_touching,
    matrix=lambda rows: "{\\begin{bmatrix}" + " \\\\ ".join(" & ".join(row) for row in rows) + "\\end{bmatrix}}",
    struck=lambda inner: f"{_CUT}{inner}}}",
)


def tex(term: Term, display: bool = False) -> str:
    r"""Return a term as TeX.

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
    return Printer(INK, "display" if display else "text").piece(term).text


def tex_parts(term: Term, display: bool = True, wide: Wide = lambda _: False) -> tuple[str, ...]:
    """Return a formula in parts between which a line may be broken; a part that is too wide is broken inside."""
    return broken(Printer(INK, "display" if display else "text"), term, wide)


_MANY_AXES: Final = 3


def tex_shape(shape: tuple[Term, ...]) -> str:
    """Return a shape as TeX, such as N × K; 1 for a scalar. More than three sizes are set close."""
    shown = shape_pieces(shape, Printer(INK))
    return shown.replace(_SIGNS["times"], "{\\times}") if len(shape) > _MANY_AXES else shown


def tex_quoted(term: Term, shown: str, wide: Wide = lambda _: False) -> tuple[str, ...]:
    """Return a term and its decimals as TeX, in parts between which a line may be broken."""
    *parts, last = tex_parts(term, wide=wide)
    return (*parts, f"{last} \\approx {tex_decimals(shown)}".rstrip())


def tex_decimals(shown: str) -> str:
    """Return decimals as they are quoted as TeX: 1.5e-8 as a power of ten, the others as they stand."""
    digits, _, power = shown.replace("−", "-").partition("e")
    share = digits.endswith("%")
    digits = digits.removesuffix("%").rstrip()
    size = digits.removeprefix("-")
    number = ("-" if digits != size else "") + (f"\\text{{{size}}}" if "," in size else size)
    return number + ("\\text{ \\%}" if share else "") + (f" \\times 10^{{{power}}}" if power else "")
