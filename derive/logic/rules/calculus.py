"""Rules of differentiation. Each schema's docstring is its equation; differentiability is harvested by the core."""

from __future__ import annotations

from derive.language.array import bound_index, component
from derive.language.notation import SYMBOLS
from derive.language.term import (
    ONE,
    ZERO,
    Σ,
    D,
    Term,
    at,
    bound,
    free,
    lift,
    lt,
    name_of,
    names,
    number_of,
    occurs,
    order_of,
    place,
    plainly_made,
    substitute,
    subterms,
    users,
    variant,
    δ,
)  # fmt: skip
from derive.logic.context import ProofError
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom, product

_AVERAGES = frozenset(("integral", "expect", "mean"))


def _derivative(term: Term) -> tuple[Term, Term] | None:
    """Return what is differentiated and by what, for a scalar derivative."""
    return (term.args[0], term.args[1]) if term.op == "D" and not term.shape else None


def constant(term: Term, by: Term) -> bool:
    """Tell whether a term is free of the quantity that a derivative is by."""
    return not occurs(place(by)[0], term)


@axiom("derivative of a constant")
def d_constant(term: Term) -> Result:
    """D(c, x) = 0, where c is free of x"""
    match _derivative(term):
        case (body, by) if constant(body, by):
            return ZERO, NO_CONDITIONS
    return None


@axiom("derivative of a variable")
def d_variable(term: Term) -> Result:
    """D(x[i], x[j]) = [i = j]; D(x, x) = 1"""
    match _derivative(term):
        case (body, by) if place(body)[0] is place(by)[0]:
            pairs = zip(place(body)[1], place(by)[1], strict=True)
            return product(δ(i, j) for i, j in pairs if i is not j), NO_CONDITIONS
    return None


@axiom("sum rule")
def d_sum_of_two(term: Term) -> Result:
    """D(u ± v) = D(u) ± D(v); D(−u) = −D(u)"""
    match _derivative(term):
        case (body, by) if body.op in {"add", "sub", "neg"}:
            return Term(body.op, tuple(D(arg, by) for arg in body.args)), NO_CONDITIONS
    return None


@axiom("constant factor rule")
def d_factor(term: Term) -> Result:
    """D(c·u) = c·D(u); D(u·c) = D(u)·c; D(u/c) = D(u)/c, where c is free of x"""
    match _derivative(term):
        case (Term(op="mul", args=(c, u)), by) if constant(c, by):
            return c * D(u, by), NO_CONDITIONS
        case (Term(op="mul", args=(u, c)), by) if constant(c, by):
            return D(u, by) * c, NO_CONDITIONS
        case (Term(op="div", args=(u, c)), by) if constant(c, by):
            return D(u, by) / c, NO_CONDITIONS
    return None


@axiom("derivative of a sum")
def d_sum(term: Term) -> Result:
    """D(Σ_k u) = Σ_k D(u)"""
    match _derivative(term):
        case (Term(op="sum", args=(k, u)), by):
            if k in free(by):
                fresh = variant(k, names(term))
                k, u = fresh, substitute(u, {k: fresh})
            return Σ(D(u, by), k), NO_CONDITIONS
    return None


@axiom("product rule")
def d_product(term: Term) -> Result:
    """D(u·v) = D(u)·v + u·D(v)"""
    match _derivative(term):
        case (Term(op="mul", args=(u, v)), by):
            return D(u, by) * v + u * D(v, by), NO_CONDITIONS
    return None


@axiom("quotient rule")
def d_quotient(term: Term) -> Result:
    """D(u/v) = (D(u)·v − u·D(v)) / v², v ≠ 0"""
    match _derivative(term):
        case (Term(op="div", args=(u, v)), by):
            return (D(u, by) * v - u * D(v, by)) / v**2, NO_CONDITIONS
    return None


@axiom("reciprocal rule")
def d_reciprocal(term: Term) -> Result:
    """D(1/v) = −D(v) / v², v ≠ 0"""
    match _derivative(term):
        case (Term(op="div", args=(u, v)), by) if u is ONE:
            return -(D(v, by) / v**2), NO_CONDITIONS
    return None


@axiom("power rule")
def d_power(term: Term) -> Result:
    """D(uⁿ) = n·uⁿ⁻¹·D(u), n a number"""
    match _derivative(term):
        case (Term(op="pow", args=(u, n)), by) if n.op == "num":
            less = number_of(n) - 1
            power = ONE if less == 0 else u if less == 1 else u ** lift(less)
            return (n * power * D(u, by) if less else D(u, by)), NO_CONDITIONS
    return None


@axiom("derivative of a symbol")
def d_symbol(term: Term, name: str) -> Result:
    """D(f(u)) = f′(u)·D(u), f in the notation's table"""
    match _derivative(term):
        case (Term(op="app", data=data, args=args), by) if data == name and SYMBOLS[name].derivatives:
            rules = zip(SYMBOLS[name].derivatives, args, strict=True)
            partials = [(rule(*args), D(u, by)) for rule, u in rules if not constant(u, by)]
            if not partials:
                return None
            total = partials[0][0] * partials[0][1]
            for partial, inner in partials[1:]:
                total = total + partial * inner
            return total, NO_CONDITIONS
    return None


@axiom("derivative of a function")
def d_function(term: Term) -> Result:
    """D(φ(u)) = φ′(u)·D(u), φ differentiable"""
    match _derivative(term):
        case (Term(op="call", args=(f, u)), by) if not constant(u, by):
            slope = Term("fun", (), (name_of(f), order_of(f) + 1))
            return Term("call", (slope, u)) * D(u, by), NO_CONDITIONS
    return None


@axiom("derivative of a map", source="Rudin, Principles of Mathematical Analysis, theorem 9.15")
def d_map(term: Term) -> Result:
    """D(F(u)[i]) = Σ_j F′(u)[i, j]·D(u[j]), F smooth"""
    match _derivative(term):
        case (body, by):
            mapped, places = place(body)
            if mapped.op != "map" or not isinstance(mapped.data, tuple) or mapped.data[2] or constant(mapped, by):
                return None
            slope = Term("map", mapped.args, (*mapped.data[:2], 1))
            inner: tuple[Term, ...] = ()
            for axis in mapped.args[0].shape:
                inner = (*inner, bound_index(axis, term, *inner))
            moved = D(component(mapped.args[0], inner), by)
            return Σ(at(slope, (*places, *inner)) * moved, *inner), NO_CONDITIONS
    return None


@axiom("derivative under the expectation", source="Folland, Real Analysis, theorem 2.27")
def d_expectation(term: Term) -> Result:
    """D(𝔼 u) = 𝔼 D(u), where the derivative may be taken inside (a dominating integrable function exists)"""
    match _derivative(term):
        case (body, by) if body.op in _AVERAGES:
            symbols = bound(body)
            weighted = body.op == "expect" and not constant(body.args[1], by)
            if weighted or any(symbol in free(by) or occurs(place(by)[0], symbol) for symbol in symbols):
                return None
            return Term(body.op, (*body.args[:-1], D(body.args[-1], by))), (Term("exchange", (term,)),)
    return None


@axiom("chain rule", source="Rudin, Principles of Mathematical Analysis, theorem 9.15")
def chain_rule(term: Term, *through: str) -> Result:
    """D(F, x) = Σ_q Σ_i D(F, q[i])·D(q[i], x), where every path from x to F goes through exactly one of the named q"""
    parted = _derivative(term)
    if parted is None:
        return None
    outer_body, by = parted
    base, _ = place(by)
    met = _met(outer_body, base, through)
    lets = met or _named(outer_body, through)
    if base in lets or place(outer_body)[0] in lets or len(set(lets)) < len(through):
        return None
    if not any(occurs(base, q) for q in lets):
        return None
    for q in lets:
        for other in lets:
            if other is not q and occurs(other, q):
                raise ProofError(f"{q} depends on {other}: the chain rule through both would count a path twice")
    if not met and _by_another_path(outer_body, base, lets):
        raise ProofError(f"{outer_body} depends on {base} by a path that avoids {', '.join(through)}")
    total: Term | None = None
    for q in lets:
        places: tuple[Term, ...] = ()
        for axis in q.shape:
            places = (*places, bound_index(axis, term, *places))
        part = Σ(D(outer_body, at(q, places)) * D(at(q, places), by), *places)
        total = part if total is None else total + part
    return None if total is None else (total, NO_CONDITIONS)


def _met(whole: Term, base: Term, wanted: tuple[str, ...]) -> tuple[Term, ...]:
    """Return the named quantities of which every way from `base` to `whole` meets one; () if this is not seen."""
    found: dict[str, Term] = {}
    seen, around = {base}, [base] if whole.op == "let" and plainly_made(whole) else []
    while around:
        for user in users(around.pop(), whole):
            if user.op == "let" and name_of(user) in wanted:
                if user is whole or found.setdefault(name_of(user), user) is not user:
                    return ()
            elif user is whole:
                return ()
            elif user not in seen:
                seen.add(user)
                around.append(user)
    return tuple(found[name] for name in wanted) if found.keys() == set(wanted) else ()


def _by_another_path(whole: Term, base: Term, lets: tuple[Term, ...]) -> bool:
    rest = substitute(whole, {q: Term("var", q.shape, (name_of(q) + "°", "real")) for q in lets})
    return occurs(base, rest)


def _named(term: Term, wanted: tuple[str, ...]) -> tuple[Term, ...]:
    """Return the named quantities of a term that bear the wanted names, each once."""
    found = {name_of(t): t for t in subterms(term) if t.op == "let" and name_of(t) in wanted}
    return tuple(found[name] for name in wanted if name in found)


@axiom("definition of a symbol")
def symbol_definition(term: Term, name: str) -> Result:
    """f(u) = what the notation's table says that f(u) is"""
    entry = SYMBOLS[name]
    if entry.definition is None:
        return None
    base, places = place(term)
    if term.op == "app" and term.data == name:
        return entry.definition(*term.args), NO_CONDITIONS
    if base.op == "rows" and base.data == name and places:
        array, leading = base.args[0], places[:-1]
        m = bound_index(array.shape[-1], term)
        return entry.definition(lambda i: component(array, (*leading, i)), places[-1], m), NO_CONDITIONS
    if term.op == "reduce" and term.data == name and len(term.args) == 1 and not term.shape:
        array = term.args[0]
        m = bound_index(array.shape[-1], term)
        return entry.definition(lambda i: component(array, (i,)), m), NO_CONDITIONS
    return None


@axiom("definition of a symbol by cases")
def symbol_branch(term: Term, name: str, branch: int, strict: bool = False) -> Result:
    """f(u) = the value that the notation's table gives for one case, under its condition, or with < for its ≤"""
    if term.op != "app" or term.data != name:
        return None
    condition, value = SYMBOLS[name].branches(*term.args)[branch]
    return value, (lt(*condition.args) if strict and condition.op == "le" else condition,)


