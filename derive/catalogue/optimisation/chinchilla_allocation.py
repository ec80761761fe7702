"""The split of a budget C = 6ND between parameters and tokens that gives the least loss E + A/N^α + B/D^β."""

from fractions import Fraction

from derive.language.notation import exp, expgap, log
from derive.language.term import Σ, D, Term, both, eq, iff, indices, le, let, lift, sizes, var
from derive.logic.arguments import from_gap, together
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    exponent_sum,
    forall_and,
    inverse_pair,
    linearity,
    log_rules,
    multiplied,
    negative_exponent,
    zero_set,
)
from derive.record import Derivation, Kernel, Mistake, Number

A, B, α, β, C, u, v = (var(name, dom="positive") for name in "ABαβCuv")
floor, s = var("E"), var("s")
c, G = let("c", log(C / 6)), let("G", α * A / (β * B))
n = let("n*", (β * c + log(G)) / (α + β)); d = let("d*", (α * c - log(G)) / (α + β))
a, b = let("a", A * exp(-(α * n))), let("b", B * exp(-(β * d))); least = let("L*", floor + a + b)
N = let("N", exp(n + s)); tokens = let("D", C / (6 * N)); loss = let("L", floor + A / N**α + B / tokens**β)
gap = a * expgap(-(α * s)) + b * expgap(β * s)

T, M, K = sizes("T M K"); (t,), (i,), (k,) = indices("t", T), indices("i", M), indices("k", K)


def number(text: str) -> Term:
    """Return decimals as an exact number; 70e9 as 70·10⁹."""
    digits, _, power = text.partition("e")
    return lift(Fraction(digits)) * lift(10) ** int(power) if power else lift(Fraction(digits))


def tokens_per_parameter(fit: tuple[str, str, str, str], budget: str) -> Term:
    """Return the best ratio of a published fit (A, α, B, β) at a budget in FLOP."""
    size, falling, data, rising = map(number, fit)
    total = Fraction(fit[1]) + Fraction(fit[3])
    return (rising * data / (falling * size)) ** (2 / total) * (number(budget) / 6) ** ((Fraction(fit[1]) - Fraction(fit[3])) / total)


def days(use: str) -> Term:
    """Return how long 70B parameters on 1.4T tokens take with 1000 GPUs of 990 TFLOP/s."""
    work = lift(6) * number("70e9") * number("1400e9")
    return work / (lift(1000) * number("990e12") * number(use)) / (lift(24) * 3600)


entry = Derivation(
    module=__name__,
    title="Compute-optimal allocation",
    claim=le(least, loss),
    goal="Split a budget of compute between parameters and tokens so that the loss is least, and see how both grow with the budget.",
    priority="important",
    given=(
        (C, "budget in FLOP"), (floor, "irreducible loss"),
        (A, "scale of the loss from too few parameters"), (α, "its exponent"), (B, "scale of the loss from too few tokens"), (β, "its exponent"),
        (c, "logarithm of the budget"), (G, "ratio of the two scales"), (n, "logarithm of the best number of parameters"), (d, "logarithm of the best number of tokens"),
        (a, "what is lost there to the size"), (b, "what is lost there to the data"), (least, "least loss"),
        (s, "distance from the best size, in logarithms"), (N, "number of parameters"), (tokens, "number of tokens that the budget leaves"), (loss, "loss"),
        (u, "any base"), (v, "any exponent"), (T, "tokens in a batch"), (M, "outputs of a layer"), (K, "its inputs"),
    ),
    convention=(
        f"Training takes 6 FLOP for each parameter and each token, so the budget is {eq(C, 6 * N * tokens)} and one of the two decides the other. A multiplication and an addition count as two operations. "
        f"The best sizes are given by their logarithms, {n} and {d}; every number of parameters is {exp(n + s)} for some {s}."
    ),
    prompt=f"You have {C} FLOP to train a language model. The loss is {floor + A / N**α + B / tokens**β}. How many parameters, how many tokens? Where does the rule of 20 tokens a parameter come from?",
    sixty_seconds=(
        f"Training costs {6 * N * tokens}: a weight takes a multiplication and an addition forwards and twice as many backwards. In logarithms the budget is a line, and along it the loss is a sum of two exponentials, one falling and "
        f"one rising. It is least where {eq(α * a, β * b)}: one per cent more parameters wins as much as one per cent fewer tokens costs. So parameters grow as the budget to the power {β / (α + β)}, and tokens as its power {α / (α + β)}. "
        f"With equal exponents both grow as its root and their ratio is constant. That this ratio is about 20 is no law but a fit, at the budget of one model."
    ),
    strong=(
        "Shows optimality with a gap, at every other split, and not only by a vanishing derivative. Computes the constant from published fits: one gives about 18 tokens a parameter at the budget of Chinchilla and another about 93, from the same runs. "
        "Says that this minimises the loss of training only: who serves a model to many users trains a smaller one for longer."
    ),
    weak="Quotes 20 tokens a parameter as a law. It holds at every budget only if the two exponents are equal, and the number itself comes from a fit whose published versions differ by a factor of five.",
    sanity=(
        ("Equal exponents", f"With {eq(α, β)} both {β / (α + β)} and {α / (α + β)} are one half: ten times the compute is about three times of each."),
        ("Data is scarce", f"If {B} grows, so does the best number of tokens: {G} falls."),
        ("Budget", f"The exponents of parameters and tokens add up to 1, as {eq(C, 6 * N * tokens)} asks."),
    ),
    mistakes=(
        Mistake(eq(D(n, c), α / (α + β)), "The exponents are swapped: where the loss falls fast with size, a smaller model will do, and the tokens get the larger share."),
        Mistake(eq(a, b), "The two losses are not equal at the optimum; multiplied by their exponents they are."),
        Mistake(eq(C, 2 * N * tokens), "That is the forward pass alone: the backward pass costs twice as much again."),
        Mistake(eq(D(d - n, c), 0), "The ratio of tokens to parameters moves with the budget unless the exponents are equal."),
    ),
    follow_ups=("gd-quadratic-convergence",),
    kernels=(
        Kernel(
            "best_allocation", (A, B, α, β, C),
            (("parameters", (α * A / (β * B)) ** (1 / (α + β)) * (C / 6) ** (β / (α + β))), ("tokens", (β * B / (α * A)) ** (1 / (α + β)) * (C / 6) ** (α / (α + β)))),
            "The compute-optimal numbers of parameters and tokens.", proved_by=("parameters", "best_tokens"),
        ),
    ),
    numbers=(
        Number(tokens_per_parameter(("482.01", "0.3478", "2085.43", "0.3658"), "576e21"), "18.4", "tokens a parameter at the budget of Chinchilla, fit of Besiroglu and others (2024)"),
        Number(tokens_per_parameter(("406.4", "0.34", "410.7", "0.28"), "576e21"), "93", "the same from the third fit of Hoffmann and others (2022), with its exponents as printed"),
        Number(days("1"), "6.87", "days for 70B parameters and 1.4T tokens on 1000 GPUs of 990 TFLOP/s, were they fully used"),
        Number(days("0.4"), "17.2", "days at a utilisation of 0.4"),
    ),
    references=(
        "J. Hoffmann and others, “Training Compute-Optimal Large Language Models”, 2022, section 3.3",
        "T. Besiroglu and others, “Chinchilla Scaling: A replication attempt”, 2024",
    ),
)  # fmt: skip


@entry.proves(eq(Σ(2, t, i, k) + Σ(2, t, k, i) + Σ(2, i, k, t), 6 * (M * K) * T), "Six operations for each weight and token")
def six():
    return (
        calc(Σ(2, t, i, k) + Σ(2, t, k, i) + Σ(2, i, k, t))
        .eq(T * (M * (K * 2)) + T * (K * (M * 2)) + M * (K * (T * 2)),           linearity).note("outputs, gradient by the inputs, gradient by the weights")
        .eq(6 * (M * K) * T)
    )  # fmt: skip


@entry.proves(eq(u**v, exp(v * log(u))), "Powers are exponentials")
def power():
    return (
        calc(u**v)
        .eq(exp(log(u**v)),                                                      inverse_pair)
        .eq(exp(v * log(u)),                                                     log_rules)
    )  # fmt: skip


@entry.proves(eq(6 * exp(n) * exp(d), C), "The best split spends the budget")
def spends():
    return (
        calc(6 * exp(n) * exp(d))
        .eq(6 * exp(n + d),                                                      exponent_sum)
        .eq(6 * exp(c),                                                          by(n, d))
        .eq(C,                                                                   by(c), inverse_pair)
    )  # fmt: skip


@entry.proves(eq(α * a, β * b), "At the best split the two losses balance")
def balance():
    return (
        calc(α * a)
        .eq(β * B * (G * exp(-(α * n))),                                         by(a, G))
        .eq(β * B * (exp(log(G)) * exp(-(α * n))),                               inverse_pair)
        .eq(β * B * exp(log(G) + -(α * n)),                                      exponent_sum)
        .eq(β * B * exp(-(β * d)),                                               by(n, d))
        .eq(β * b,                                                               by(b))
    )  # fmt: skip


# ---- the optimum, by a gap -------------------------------------------------------------------------------------------


@entry.proves(eq(log(N), n + s), "Parameters in logarithms")
def log_parameters():
    return calc(log(N)).eq(n + s, by(N), inverse_pair)


@entry.proves(eq(log(tokens), d - s), "Tokens in logarithms")
def log_tokens():
    return (
        calc(log(tokens))
        .eq(c - log(N),                                                          by(tokens, c), log_rules)
        .eq(d - s,                                                               log_parameters, by(n, d))
    )  # fmt: skip


@entry.proves(eq(loss, floor + a * exp(-(α * s)) + b * exp(β * s)), "The loss around the best split")
def around():
    return (
        calc(loss)
        .eq(floor + A * exp(-(α * log(N))) + B * exp(-(β * log(tokens))),        by(loss), power, negative_exponent)
        .eq(floor + A * exp(-(α * (n + s))) + B * exp(-(β * (d - s))),           log_parameters, log_tokens)
        .eq(floor + A * exp(-(α * n) + -(α * s)) + B * exp(-(β * d) + β * s))
        .eq(floor + a * exp(-(α * s)) + b * exp(β * s),                          exponent_sum, by(a, b))
    )  # fmt: skip


@entry.proves(eq(loss - least, gap), "The gap")
def the_gap():
    return (
        calc(loss - least)
        .eq(a * exp(-(α * s)) + b * exp(β * s) - a - b,                          around, by(least))
        .eq(a * (exp(-(α * s)) - 1 - -(α * s)) + b * (exp(β * s) - 1 - β * s) - s * (α * a - β * b))
        .eq(gap,                                                                 balance, by("expgap"))
    )  # fmt: skip


@entry.proves(le(least, loss), "No other split is better", main=True)
def optimum():
    return from_gap(calc(loss - least).eq(gap, the_gap))


@entry.proves(iff(eq(loss, least), eq(s, 0)), "And none is as good")
def unique():
    return (
        calc(eq(loss, least))
        .iff(eq(loss - least, 0),                                                multiplied(eq(loss - least, 0), lift(1)))
        .iff(both(eq(-(α * s), 0), eq(β * s, 0)),                                the_gap, zero_set)
        .iff(eq(s, 0),                                                           multiplied(eq(s, 0), -α), multiplied(eq(s, 0), β), forall_and)
    )  # fmt: skip


# ---- how both grow with the budget -----------------------------------------------------------------------------------

size_power = (α * A / (β * B)) ** (1 / (α + β)) * (C / 6) ** (β / (α + β))
data_power = (β * B / (α * A)) ** (1 / (α + β)) * (C / 6) ** (α / (α + β))


@entry.proves(eq(exp(n), size_power), "The best number of parameters")
def parameters():
    return (
        calc(exp(n))
        .eq(exp(log(size_power)),                                                by(n, c, G), log_rules)
        .eq(size_power,                                                          inverse_pair)
    )  # fmt: skip


@entry.proves(eq(exp(d), data_power), "The best number of tokens")
def best_tokens():
    return (
        calc(exp(d))
        .eq(exp(log(data_power)),                                                by(d, c, G), log_rules)
        .eq(data_power,                                                          inverse_pair)
    )  # fmt: skip


@entry.proves(both(eq(D(n, c), β / (α + β)), eq(D(d, c), α / (α + β))), "The exponents")
def exponents():
    return together(
        calc(D(n, c)).eq(β / (α + β),                                            by(n), linearity),
        calc(D(d, c)).eq(α / (α + β),                                            by(d), linearity),
    )  # fmt: skip


@entry.proves(iff(eq(D(d - n, c), 0), eq(α, β)), "The ratio is constant for equal exponents alone")
def constant_ratio():
    return (
        calc(eq(D(d - n, c), 0))
        .iff(eq((α - β) / (α + β), 0),                                           by(d, n), linearity)
        .iff(eq(α, β),                                                           multiplied(eq(α, β), 1 / (α + β)))
    )  # fmt: skip
