"""Rules for square matrices: the inverse, the determinant, positive definite forms."""

from __future__ import annotations

from collections.abc import Iterator

from derive.language.array import bound_index, component, fresh_places, push
from derive.language.term import (  # fmt: skip
    ONE,
    TRUE,
    ZERO,
    Σ,
    D,
    Term,
    alpha,
    at,
    det,
    eq,
    forall,
    free,
    inv,
    place,
    posdef,
    substitute,
    δ,
)
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom, parts, product


def _invertible(matrix: Term) -> Term:
    return Term("invertible", (matrix,))


@axiom("inverse")
def inverse(term: Term) -> Result:
    """Σ_k A[i,k]·A⁻¹[k,j] = [i = j] = Σ_k A⁻¹[i,k]·A[k,j]; Σ_k A[i,k]·(Σ_j A⁻¹[k,j]·u(j)) = u(i); A invertible"""
    if term.op != "sum":
        return None
    k, body = term.args
    split = parts(body)
    if len(split) != 1 or k in free(product(split[0][2])):
        return None
    sign, factors, divisors = split[0]
    moving = [factor for factor in factors if k in free(factor)]
    if len(moving) != 2:
        return None
    for one, other in (moving, moving[::-1]):
        for result, matrix in _pairs(k, one, other):
            rest = product(f for f in factors if k not in free(f))
            whole = result if rest is ONE else rest * result
            whole = whole / product(divisors) if divisors else whole
            return (whole if sign > 0 else -whole), (_invertible(matrix),)
    return None


def _pairs(k: Term, one: Term, other: Term) -> Iterator[tuple[Term, Term]]:
    """Yield what Σ_k one·other comes to, with A, where `one` holds A⁻¹ and `other` holds A."""
    for inside, summed, rest in _views(k, one):
        base, places = place(inside)
        if base.op != "inv" or k in free(base) or summed in free(base):
            continue
        (matrix,) = base.args
        for partner, over, left in _views(k, other):
            if summed is not None and over is not None:
                continue
            for outer, value in _contracted(k, matrix, places, partner):
                if over is not None and over is not value:
                    continue
                yield _value(outer, value, summed, rest, over, left), matrix


def _views(k: Term, factor: Term) -> Iterator[tuple[Term, Term | None, Term]]:
    """Yield a factor as a component M (of anything), or as Σ_j M·u(j): M, j (None for no sum) and u."""
    yield factor, None, ONE
    if factor.op != "sum" or factor.args[0] is k:
        return
    j, body = factor.args
    split = parts(body)
    if len(split) != 1:
        return
    sign, factors, divisors = split[0]
    held = [f for f in factors if k in free(f)]
    if len(held) != 1 or j not in free(held[0]) or k in free(product(divisors)):
        return
    rest = product(f for f in factors if f is not held[0])
    rest = rest / product(divisors) if divisors else rest
    yield held[0], j, rest if sign > 0 else -rest


def _contracted(k: Term, matrix: Term, places: tuple[Term, ...], partner: Term) -> Iterator[tuple[Term, Term]]:
    """Yield the two indices that are left of A⁻¹ and A when they meet in k: that of A⁻¹, and that of A."""
    row, column = places
    for p in sorted(free(partner), key=lambda s: s.serial):
        if p is k or p.op != "idx" or p.args[0] is not matrix.shape[0] or p in free(matrix):
            continue
        if column is k and row is not k and _is(matrix, (k, p), partner):
            yield row, p
        if row is k and column is not k and _is(matrix, (p, k), partner):
            yield column, p


def _is(matrix: Term, places: tuple[Term, ...], partner: Term) -> bool:
    return alpha(push(component(matrix, places))) is alpha(push(partner))


def _value(outer: Term, value: Term, summed: Term | None, rest: Term, over: Term | None, left: Term) -> Term:
    """[outer = value], or what a sum over one of the two makes of it."""
    if summed is outer:
        return substitute(rest, {outer: value})
    if over is value:
        return substitute(left, {value: outer})
    return ONE if outer is value else δ(outer, value)


@axiom("derivative of the inverse", source="Magnus and Neudecker, Matrix Differential Calculus, 8.4")
def d_inverse(term: Term) -> Result:
    """D(A⁻¹[i,j]) = −Σ_r Σ_s A⁻¹[i,r]·D(A[r,s])·A⁻¹[s,j], A invertible"""
    if term.op != "D" or term.shape:
        return None
    body, by = term.args
    base, places = place(body)
    if base.op != "inv" or not places:
        return None
    (matrix,), (i, j) = base.args, places
    r = bound_index(matrix.shape[0], term)
    s = bound_index(matrix.shape[0], term, r)
    inner = at(base, (i, r)) * D(component(matrix, (r, s)), by) * at(base, (s, j))
    return -Σ(inner, r, s), (_invertible(matrix),)


@axiom("derivative of the determinant", source="Jacobi; Magnus and Neudecker, Matrix Differential Calculus, 8.3")
def d_determinant(term: Term) -> Result:
    """D(det A) = det A·Σ_r Σ_s A⁻¹[s,r]·D(A[r,s]), A invertible"""
    if term.op != "D" or term.args[0].op != "det" or term.shape:
        return None
    body, by = term.args
    (matrix,) = body.args
    r = bound_index(matrix.shape[0], term)
    s = bound_index(matrix.shape[0], term, r)
    total = Σ(at(inv(matrix), (s, r)) * D(component(matrix, (r, s)), by), r, s)
    return det(matrix) * total, (_invertible(matrix),)


@axiom("inverse of the transpose")
def inverse_transposed(term: Term) -> Result:
    """(Aᵀ)⁻¹[i,j] = A⁻¹[j,i]; A⁻¹[i,j] = A⁻¹[j,i] where A[i,j] = A[j,i] for all i, j, as in BᵀB, diag(v), I"""
    base, places = place(term)
    if base.op != "inv" or not places:
        return None
    (matrix,), (i, j) = base.args, places
    if matrix.op == "T":
        return at(inv(matrix.args[0]), (j, i)), NO_CONDITIONS
    if i is j:
        return None
    if symmetric(matrix):
        return at(base, (j, i)), NO_CONDITIONS
    r, s = fresh_places("h", matrix.shape, matrix)
    alike = forall(eq(component(matrix, (r, s)), component(matrix, (s, r))), r, s)
    return at(base, (j, i)), (alike,)


def symmetric(matrix: Term) -> bool:
    """Tell whether a square matrix is symmetric by its structure."""
    op, args = matrix.op, matrix.args
    if op in {"eye", "diag"}:
        return True
    if op in {"let", "T", "inv", "neg"}:
        return symmetric(args[0])
    if op in {"add", "sub", "mul", "div"}:
        return all(not part.shape or (part.shape == matrix.shape and symmetric(part)) for part in args)
    if op != "matmul":
        return False
    factors = _chain(matrix)
    turned = [factor.args[0] if factor.op == "T" else factor.T for factor in reversed(factors)]
    return all(one is other or (one.T is other and symmetric(one)) for one, other in zip(factors, turned, strict=True))


def _chain(product_: Term) -> list[Term]:
    """Return the factors of a product of matrices, in order."""
    return [f for arg in product_.args for f in _chain(arg)] if product_.op == "matmul" else [product_]


@axiom("positive definite matrices are invertible")
def definite_invertible(term: Term) -> Result:
    """(A is invertible) ⟺ true, (det A > 0) ⟺ true, where A is positive definite"""
    if term.op == "lt" and term.args[0] is ZERO and term.args[1].op == "det":
        return TRUE, (posdef(*term.args[1].args),)
    if term.op != "invertible":
        return None
    return TRUE, (posdef(*term.args),)


@axiom("positive definite form", relation="≤")
def definite_form(term: Term, matrix: Term, vector: Term) -> Result:
    """0 ≤ Σ_i v[i]·Σ_j A[i,j]·v[j], where A is positive definite"""
    if term is not ZERO or vector.shape != matrix.shape[:1]:
        return None
    return vector @ (matrix @ vector), (posdef(matrix),)


@axiom("zero of a positive definite form")
def definite_zero(term: Term, matrix: Term, vector: Term) -> Result:
    """(Σ_i v[i]·Σ_j A[i,j]·v[j] = 0) ⟺ (v[i] = 0 for all i), where A is positive definite"""
    if vector.shape != matrix.shape[:1]:
        return None
    form = push(vector @ (matrix @ vector))
    if term.op != "eq" or term.args[1] is not ZERO or alpha(push(term.args[0])) is not alpha(form):
        return None
    i = bound_index(matrix.shape[0], term)
    return forall(eq(component(vector, (i,)), 0), i), (posdef(matrix),)
