"""dV = AᵀdO, dS = A ⊙ (dA − rowsum(dA ⊙ A)), dQ = dS K/√d, dK = dSᵀQ/√d: backwards through softmax attention, with a mask too."""

from derive.catalogue.activations.softmax_jacobian import by_rows
from derive.language.notation import exp, softmax, sqrt
from derive.language.term import Σ, D, array, eq, forall, indices, let, lt, mapping, sizes, var, δ
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, chain, exp_rule, linearity, multiplied_out, quotient_rule, sift
from derive.record import Assumption, Derivation, Kernel, Mistake

N, M, d, E = sizes("N M d E")
(n, m), (i, j, k), (a, b), (c, f) = indices("n m", N), indices("i j k", M), indices("a b", d), indices("c f", E)

# scores, weights, output, and any loss of it
Q, K, V = var("Q", N, d), var("K", M, d), var("V", M, E)
S = let("S", Q @ K.T / sqrt(d)); A = let("A", softmax(S)); O = let("O", A @ V)
L = let("L", mapping("ℓ")(O)); dO = let("dO", D(L, O))
dA, dS = let("dA", D(L, A)), let("dS", D(L, S))


def through_softmax(A, dA):
    """Return A ⊙ (dA − rowsum(dA ⊙ A))."""
    return array(A[n, j] * (dA[n, j] - Σ(dA[n, k] * A[n, k], k)), n, j)


# a mask: a weight for every pair, 0 where a query may not look
W = var("W", N, M, dom="nonnegative")
total = Σ(W[n, k] * exp(S[n, k]), k)
A_W = let("A_W", array(W[n, i] * exp(S[n, i]) / total, n, i)); O_W = let("O_W", A_W @ V)
L_W = let("L_W", mapping("ℓ")(O_W)); dA_W = let("dA_W", D(L_W, A_W)); dO_W, dS_W = let("dO_W", D(L_W, O_W)), let("dS_W", D(L_W, S))
seen = forall(lt(0, total), n)

# the same for a gradient that is given, and as it is computed
G = var("G", N, E)
L_G = let("L_G", Σ(G[n, c] * O[n, c], n, c))
gA = let("gA", G @ V.T); gS = let("gS", array(A[n, j] * Σ(A[n, k] * (gA[n, j] - gA[n, k]), k), n, j))

claim = eq(dS, through_softmax(A, dA))

entry = Derivation(
    module=__name__,
    title="Backward through attention",
    claim=claim,
    goal=f"The gradients of scaled dot-product attention by queries, keys and values, given the gradient {dO} that arrives at its output.",
    priority="critical",
    given=(
        (N, "number of queries"), (M, "number of keys and values"), (d, "length of a query and of a key"), (E, "length of a value"),
        (Q, "queries, one a row"), (K, "keys, one a row"), (V, "values, one a row"),
        (S, "scores"), (A, "weights of attention"), (O, "output"), (L, "any loss of it"),
        (dO, "gradient that arrives"), (dA, "gradient at the weights"), (dS, "gradient at the scores"),
        (W, "a mask: 0 where a query may not look, 1 where it may"), (A_W, "weights with the mask"), (O_W, "output with it"), (L_W, "any loss of that"), (dO_W, "gradient that arrives then"), (dA_W, "gradient at the masked weights"), (dS_W, "gradient at the scores"),
        (G, "a gradient that is given"), (L_G, "the loss that has it, as far as its gradient goes"), (gA, "the gradient at the weights then"), (gS, "and at the scores"),
    ),
    assumptions=(Assumption(seen, "with a mask, every query may look somewhere"),),
    convention=(
        f"Softmax acts on each row of {S}. A gradient has the shape of what it is taken by; {D(L, Q)} is {N} × {d} as {Q} is. {dO}, {dA} and {dS} are names of gradients. "
        f"For the causal mask {W[n, i]} is 1 for keys up to the query’s own place and 0 beyond it."
    ),
    prompt=f"Write the backward pass of attention, {eq(O, softmax(Q @ K.T / sqrt(d)) @ V)}: the gradients by {Q}, {K} and {V} for a given {dO}. What changes with a causal mask, and what does one have to keep from the forward pass?",
    sixty_seconds=(
        f"Two matrix products and a softmax between them. Through the last product {V} gets {A.T @ dO} and the weights get {dO @ V.T}. Softmax acts row by row, and its Jacobian times a row of {dA} is "
        f"{A[n, j] * (dA[n, j] - Σ(dA[n, k] * A[n, k], k))}: subtract the row’s weighted mean, then multiply by the weight. Through the scores {Q} gets {dS @ K / sqrt(d)} and {K} gets "
        f"{dS.T @ Q / sqrt(d)}: the scale comes back once for each. A mask multiplies the exponentials, and the formula stays; where it is 0 so is the weight, and with it the gradient of that score."
    ),
    strong=(
        f"Notices that {Σ(dA[n, k] * A[n, k], k)} is also the product of the rows of {dO} and {O}, so it takes {E} numbers and not {M}: that is what lets a fused kernel recompute {A} block by block and never hold "
        f"the {N} × {M} matrix. Checks that each row of {dS} adds up to 0, since softmax does not see a common shift."
    ),
    weak=f"Takes the derivative of softmax entry by entry, {A * (1 - A)}: only the diagonal of a Jacobian that is full in every row.",
    sanity=(
        ("Shape", f"{dS} is {N} × {M}, so {dS @ K} is {N} × {d} and {dS.T @ Q} is {M} × {d}."),
        ("Sum", f"Each row of {dS} adds up to 0."),
        ("One key", f"With {eq(M, 1)} every weight is 1, and queries and keys get no gradient at all."),
        ("Equal values", f"If all rows of {V} are equal the output does not depend on the weights: {dA} is the same along a row, and {dS} is 0."),
    ),
    mistakes=(
        Mistake(eq(dS, A * (1 - A) * dA), "Only the diagonal of softmax’s Jacobian: every weight of a row depends on every score of it."),
        Mistake(eq(dS, array(A[n, j] * (dA[n, j] - Σ(dA[n, k], k)), n, j)), f"The mean of the row is weighted by {A}."),
        Mistake(eq(D(L, Q), dS @ K), f"The scale {1 / sqrt(d)} stands between scores and queries, and comes back once."),
        Mistake(eq(D(L, K), dS.T @ Q / d), f"The scale comes back once, as {1 / sqrt(d)}."),
        Mistake(eq(dA, dO @ V.T * A), "The weights enter at softmax; here only the values stand on the way."),
    ),
    prerequisites=("softmax-jacobian", "mlp-backprop"),
    follow_ups=("softmax-ce-delta",),
    kernels=(
        Kernel(
            "attention_backward", (Q, K, V, G),
            (("loss", L_G), ("dQ", gS @ K / sqrt(d)), ("dK", gS.T @ Q / sqrt(d)), ("dV", A.T @ G)),
            "Attention and its gradients by queries, keys and values for the gradient G that arrives; loss is the sum of G times the output. "
            "Differences are taken before they are weighted, so no digit is lost where attention is nearly hard.",
            textbook=L_G, proved_by=("given_queries", "given_keys", "given_values"),
        ),
    ),
    references=("Vaswani and others, Attention is all you need (2017)", "Dao and others, FlashAttention (2022), appendix B"),
)  # fmt: skip


@entry.proves(eq(D(L, V), A.T @ dO), "Values")
def values():
    return (
        calc(D(L, V[j, c]))
        .eq(Σ(dO[n, f] * D(O[n, f], V[j, c]), n, f),                             chain(O), by(dO))
        .eq(Σ(A[n, j] * dO[n, c], n),                                            by(O), linearity, sift)
        .array(D(L, V), A.T @ dO, j, c)
    )  # fmt: skip


@entry.proves(eq(dA, dO @ V.T), "Weights")
def weights():
    return (
        calc(dA[n, k])
        .eq(Σ(dO[m, f] * D(O[m, f], A[n, k]), m, f),                             by(dA), chain(O), by(dO))
        .eq(Σ(dO[n, f] * V[k, f], f),                                            by(O), linearity, sift)
        .array(dA, dO @ V.T, n, k)
    )  # fmt: skip


@entry.proves(claim, "Scores, back through softmax", main=True)
def scores():
    return (
        calc(dS[n, j])
        .eq(Σ(dA[m, k] * D(A[m, k], S[n, j]), m, k),                             by(dS), chain(A), by(dA))
        .eq(Σ(dA[m, k] * (δ(m, n) * A[m, k] * (δ(k, j) - A[m, j])), m, k),       by_rows)
        .eq(A[n, j] * (dA[n, j] - Σ(dA[n, k] * A[n, k], k)),                     linearity, sift)
        .array(dS, claim.args[1], n, j)
    )  # fmt: skip


@entry.proves(eq(D(L, Q), dS @ K / sqrt(d)), "Queries")
def queries():
    return (
        calc(D(L, Q[n, a]))
        .eq(Σ(dS[m, k] * D(S[m, k], Q[n, a]), m, k),                             chain(S), by(dS))
        .eq(Σ(dS[n, k] * K[k, a], k) / sqrt(d),                                  by(S), linearity, sift)
        .array(D(L, Q), dS @ K / sqrt(d), n, a)
    )  # fmt: skip


@entry.proves(eq(D(L, K), dS.T @ Q / sqrt(d)), "Keys")
def keys():
    return (
        calc(D(L, K[j, a]))
        .eq(Σ(dS[m, k] * D(S[m, k], K[j, a]), m, k),                             chain(S), by(dS))
        .eq(Σ(dS[m, j] * Q[m, a], m) / sqrt(d),                                  by(S), linearity, sift)
        .array(D(L, K), dS.T @ Q / sqrt(d), j, a)
    )  # fmt: skip


@entry.proves(eq(Σ(dA[n, k] * A[n, k], k), Σ(dO[n, f] * O[n, f], f)), "The row’s mean from the output alone")
def row_mean():
    return (
        calc(Σ(dA[n, k] * A[n, k], k))
        .eq(Σ(Σ(dO[n, f] * V[k, f], f) * A[n, k], k),                            weights)
        .eq(Σ(dO[n, f] * V[k, f] * A[n, k], f, k),                               multiplied_out)
        .eq(Σ(dO[n, f] * O[n, f], f),                                            by(O), linearity)
    )  # fmt: skip


# ---- a mask ----------------------------------------------------------------------------------------------------------


@entry.proves(eq(D(A_W[m, k], S[n, j]), δ(m, n) * A_W[m, k] * (δ(k, j) - A_W[m, j])), "With a mask: the Jacobian is the same")
def masked_jacobian():
    above, below = W[m, k] * exp(S[m, k]), Σ(W[m, i] * exp(S[m, i]), i)
    return (
        calc(D(A_W[m, k], S[n, j]))
        .eq(D(above / below, S[n, j]),                                           by(A_W))
        .eq((D(above, S[n, j]) * below - above * D(below, S[n, j])) / below ** 2,   quotient_rule)
        .eq(δ(m, n) * (δ(k, j) * above * below - above * (W[m, j] * exp(S[m, j]))) / below ** 2,   exp_rule, linearity, sift)
        .eq(δ(m, n) * (above / below) * (δ(k, j) - W[m, j] * exp(S[m, j]) / below))
        .eq(δ(m, n) * A_W[m, k] * (δ(k, j) - A_W[m, j]),                         by(A_W))
    )  # fmt: skip


@entry.proves(eq(dA_W, dO_W @ V.T), "With a mask: weights")
def masked_weights():
    return (
        calc(dA_W[n, k])
        .eq(Σ(dO_W[m, f] * D(O_W[m, f], A_W[n, k]), m, f),                       by(dA_W), chain(O_W), by(dO_W))
        .eq(Σ(dO_W[n, f] * V[k, f], f),                                          by(O_W), linearity, sift)
        .array(dA_W, dO_W @ V.T, n, k)
    )  # fmt: skip


@entry.proves(eq(dS_W, through_softmax(A_W, dA_W)), "With a mask: scores")
def masked_scores():
    return (
        calc(dS_W[n, j])
        .eq(Σ(dA_W[m, k] * D(A_W[m, k], S[n, j]), m, k),                         by(dS_W), chain(A_W), by(dA_W))
        .eq(Σ(dA_W[m, k] * (δ(m, n) * A_W[m, k] * (δ(k, j) - A_W[m, j])), m, k), masked_jacobian)
        .eq(A_W[n, j] * (dA_W[n, j] - Σ(dA_W[n, k] * A_W[n, k], k)),             linearity, sift)
        .array(dS_W, through_softmax(A_W, dA_W), n, j)
    )  # fmt: skip


masked = W[n, j] * (exp(S[n, j]) / total * (dA_W[n, j] - Σ(dA_W[n, k] * A_W[n, k], k)))


@entry.proves(eq(dS_W[n, j], masked), "With a mask: what it hides gets nothing, as above the diagonal of a causal mask")
def masked_out():
    return (
        calc(dS_W[n, j])
        .eq(A_W[n, j] * (dA_W[n, j] - Σ(dA_W[n, k] * A_W[n, k], k)),             masked_scores)
        .eq(masked,                                                              by(A_W))
    )  # fmt: skip


@entry.proves(eq(D(L_W, V), A_W.T @ dO_W), "With a mask: values")
def masked_values():
    return (
        calc(D(L_W, V[j, c]))
        .eq(Σ(dO_W[n, f] * D(O_W[n, f], V[j, c]), n, f),                         chain(O_W), by(dO_W))
        .eq(Σ(A_W[n, j] * dO_W[n, c], n),                                        by(O_W), linearity, sift)
        .array(D(L_W, V), A_W.T @ dO_W, j, c)
    )  # fmt: skip


@entry.proves(eq(D(L_W, Q), dS_W @ K / sqrt(d)), "With a mask: queries")
def masked_queries():
    return (
        calc(D(L_W, Q[n, a]))
        .eq(Σ(dS_W[m, k] * D(S[m, k], Q[n, a]), m, k),                           chain(S), by(dS_W))
        .eq(Σ(dS_W[n, k] * K[k, a], k) / sqrt(d),                                by(S), linearity, sift)
        .array(D(L_W, Q), dS_W @ K / sqrt(d), n, a)
    )  # fmt: skip


@entry.proves(eq(D(L_W, K), dS_W.T @ Q / sqrt(d)), "With a mask: keys")
def masked_keys():
    return (
        calc(D(L_W, K[j, a]))
        .eq(Σ(dS_W[m, k] * D(S[m, k], K[j, a]), m, k),                           chain(S), by(dS_W))
        .eq(Σ(dS_W[m, j] * Q[m, a], m) / sqrt(d),                                by(S), linearity, sift)
        .array(D(L_W, K), dS_W.T @ Q / sqrt(d), j, a)
    )  # fmt: skip


# ---- a gradient that is given, without a difference of large numbers -------------------------------------------------


@entry.proves(eq(Σ(A[n, k], k), 1), "Weights of a query sum to one")
def rows_sum():
    return (
        calc(Σ(A[n, k], k))
        .eq(Σ(exp(S[n, k]) / Σ(exp(S[n, i]), i), k),                             by(A, "softmax"))
        .eq(Σ(exp(S[n, k]), k) / Σ(exp(S[n, i]), i),                             linearity)
        .eq(1)
    )  # fmt: skip


@entry.proves(eq(D(L_G, A), gA), "For a given gradient: weights")
def given_weights():
    return (
        calc(D(L_G, A[n, k]))
        .eq(Σ(G[m, c] * D(O[m, c], A[n, k]), m, c),                              by(L_G), linearity)
        .eq(Σ(G[n, c] * V[k, c], c),                                             by(O), linearity, sift)
        .eq(gA[n, k],                                                            by(gA))
        .array(D(L_G, A), gA, n, k)
    )  # fmt: skip


@entry.proves(eq(D(L_G, S), gS), "For a given gradient: scores")
def given_scores():
    return (
        calc(D(L_G, S[n, j]))
        .eq(Σ(D(L_G, A[m, k]) * D(A[m, k], S[n, j]), m, k),                      chain(A))
        .eq(Σ(gA[m, k] * (δ(m, n) * A[m, k] * (δ(k, j) - A[m, j])), m, k),       given_weights, by_rows)
        .eq(A[n, j] * (gA[n, j] * Σ(A[n, k], k) - Σ(gA[n, k] * A[n, k], k)),     linearity, sift, rows_sum)
        .eq(A[n, j] * Σ(A[n, k] * (gA[n, j] - gA[n, k]), k),                     linearity)
        .eq(gS[n, j],                                                            by(gS))
        .array(D(L_G, S), gS, n, j)
    )  # fmt: skip


@entry.proves(eq(D(L_G, Q), gS @ K / sqrt(d)), "For a given gradient: queries")
def given_queries():
    return (
        calc(D(L_G, Q[n, a]))
        .eq(Σ(gS[m, k] * D(S[m, k], Q[n, a]), m, k),                             chain(S), given_scores)
        .eq(Σ(gS[n, k] * K[k, a], k) / sqrt(d),                                  by(S), linearity, sift)
        .array(D(L_G, Q), gS @ K / sqrt(d), n, a)
    )  # fmt: skip


@entry.proves(eq(D(L_G, K), gS.T @ Q / sqrt(d)), "For a given gradient: keys")
def given_keys():
    return (
        calc(D(L_G, K[j, a]))
        .eq(Σ(gS[m, k] * D(S[m, k], K[j, a]), m, k),                             chain(S), given_scores)
        .eq(Σ(gS[m, j] * Q[m, a], m) / sqrt(d),                                  by(S), linearity, sift)
        .array(D(L_G, K), gS.T @ Q / sqrt(d), j, a)
    )  # fmt: skip


@entry.proves(eq(D(L_G, V), A.T @ G), "For a given gradient: values")
def given_values():
    return (
        calc(D(L_G, V[j, c]))
        .eq(Σ(G[n, f] * D(O[n, f], V[j, c]), n, f),                              by(L_G), linearity)
        .eq(Σ(A[n, j] * G[n, c], n),                                             by(O), linearity, sift)
        .array(D(L_G, V), A.T @ G, j, c)
    )  # fmt: skip
