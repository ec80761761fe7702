"""d/dx log(1 + eˣ) = σ(x): the derivative of softplus, the form that never overflows, and the positive part below it."""

from derive.language.notation import abs_, exp, log, log1p, relu, softplus, σ
from derive.language.term import D, eq, le, lift, lt, var
from derive.logic.arguments import by_cases, from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    branch,
    by,
    exp_rule,
    exponent_sum,
    inverse_pair,
    linearity,
    log_rule,
    log_rules,
    negative_exponent,
    use,
)
from derive.record import Derivation, Kernel, Mistake, Number

x = var("x")
stable = relu(x) + log1p(exp(-abs_(x)))

entry = Derivation(
    module=__name__,
    title="The derivative of softplus",
    claim=eq(D(log(1 + exp(x)), x), σ(x)),
    goal="Differentiate softplus, and write softplus itself so that no exponential can overflow.",
    priority="important",
    given=(
        (x, "a real number"),
        (softplus(x), "softplus"),
        (σ(x), "the logistic sigmoid"),
        (relu(x), "the positive part"),
    ),
    convention=f"{log1p(x)} stands for {log(1 + x)}: libraries compute it without rounding {1 + x} first.",
    prompt=f"Derive the derivative of {eq(softplus(x), log(1 + exp(x)))}. How would you compute softplus for a logit of a thousand, and how is it related to the positive part?",
    sixty_seconds=(
        f"The chain rule gives {exp(x) / (1 + exp(x))}; divide both by {exp(x)} and it is {σ(x)}. So softplus is what one differentiates to get a sigmoid. "
        f"To compute it, take the larger of the two terms out of the logarithm: for positive {x} that leaves {x + log1p(exp(-x))}, for negative {x} nothing "
        f"is to be done, and both are {stable}. The exponential then never sees a positive number, and what stands beside the positive part lies between 0 and {log(lift(2))}."
    ),
    strong=f"Adds that {eq(log(σ(x)), -softplus(-x))}, so every logistic loss is a softplus, and that {exp(x) / (1 + exp(x))} overflows long before the function itself does.",
    weak=f"Says that the derivative of a logarithm is one over its argument, and answers {1 / (1 + exp(x))}: the inner derivative is missing.",
    sanity=(
        ("Value", f"At {eq(x, 0)} softplus is {log(lift(2))} and its slope is a half."),
        ("Limits", f"For large {x} the slope tends to 1, for very negative {x} to 0: the slopes of the positive part."),
        ("Sign", f"The slope is positive, so {softplus(x)} grows everywhere."),
    ),
    mistakes=(
        Mistake(eq(D(softplus(x), x), 1 / (1 + exp(x))), f"The inner derivative {exp(x)} is missing; this is {σ(-x)}."),
        Mistake(eq(D(softplus(x), x), σ(x) * (1 - σ(x))), "That is the sigmoid’s own derivative, the second derivative of softplus."),
        Mistake(eq(softplus(x), relu(x) + log1p(exp(abs_(x)))), f"The sign of the exponent is lost: with {exp(abs_(x))} it overflows on both sides instead of on none."),
        Mistake(eq(softplus(-x), softplus(x)), f"Softplus is not even; the two differ by {x}."),
    ),
    prerequisites=("sigmoid-derivative",),
    follow_ups=("logistic-gradient", "relu-derivative", "logsumexp-trick"),
    kernels=(
        Kernel("softplus", (x,), (("value", stable),), "Softplus, without overflow.", textbook=log(1 + exp(x)), proved_by=("stable_form",)),
        Kernel("softplus_derivative", (x,), (("derivative", σ(x)),), "The derivative of softplus.", textbook=log(1 + exp(x)), proved_by=("derivative",)),
    ),
    numbers=(
        Number(log(lift(2)), "0.6931", "softplus at 0, and the most by which it exceeds the positive part"),
    ),
    references=("C. Dugas and others, Incorporating second-order functional knowledge for better option pricing, NIPS 2000",),
)  # fmt: skip


@entry.proves(eq(D(log(1 + exp(x)), x), σ(x)), "Derivative of softplus", main=True)
def derivative():
    return (
        calc(D(log(1 + exp(x)), x))
        .eq(1 / (1 + exp(x)) * D(1 + exp(x), x),             log_rule)
        .eq(exp(x) / (1 + exp(x)),                           linearity, exp_rule)
        .eq(1 / (1 + 1 / exp(x)))
        .eq(1 / (1 + exp(-x)),                               negative_exponent)
        .eq(σ(x),                                            by("σ"))
    )  # fmt: skip


@entry.proves(eq(softplus(x), stable), "Softplus without overflow")
def stable_form():
    left = -x
    return by_cases(
        x,
        calc(softplus(x))
        .eq(log(1 + exp(x)),                                 by("softplus"))
        .eq(log(exp(x) * (1 + 1 / exp(x))))
        .eq(log(exp(x)) + log(1 + 1 / exp(x)),               log_rules)
        .eq(x + log(1 + exp(-x)),                            inverse_pair, negative_exponent)
        .eq(stable,                                          branch("relu", 0), branch("abs", 0), by("log1p")),
        calc(softplus(x))
        .eq(0 + log(1 + exp(-left)),                         by("softplus"))
        .eq(stable,                                          branch("relu", 1), branch("abs", 1), by("log1p")),
    )  # fmt: skip


@entry.proves(eq(softplus(x) - softplus(-x), x), "Reflection")
def reflection():
    return (
        calc(softplus(x) - softplus(-x))
        .eq(log(1 + exp(x)) - log(1 + 1 / exp(x)),           by("softplus"), negative_exponent)
        .eq(log(1 + exp(x)) - log((1 + exp(x)) / exp(x)))
        .eq(x,                                               log_rules, inverse_pair)
    )  # fmt: skip


@entry.proves(eq(log(σ(x)), -softplus(-x)), "The logarithm of the sigmoid")
def log_sigmoid():
    return (
        calc(log(σ(x)))
        .eq(log(1 / (1 + exp(-x))),                          by("σ"))
        .eq(-log(1 + exp(-x)),                               log_rules)
        .eq(-softplus(-x),                                   by("softplus"))
    )  # fmt: skip


@entry.proves(lt(relu(x), softplus(x)), "Above the positive part")
def above():
    return from_gap(
        calc(softplus(x) - relu(x))
        .eq(log1p(exp(-abs_(x))),                            stable_form)
        .eq(softplus(-abs_(x)),                              by("log1p", "softplus"))
    )  # fmt: skip


@entry.proves(le(softplus(x), relu(x) + log(lift(2))), "Close to the positive part")
def close():
    size = from_gap(calc(0 - (-abs_(x))).eq(abs_(x)))
    return (
        calc(softplus(x))
        .eq(relu(x) + log(1 + exp(-abs_(x))),                stable_form, by("log1p"))
        .le(relu(x) + log(1 + exp(lift(0))),                 use(size.theorem, "a size is never negative"))
        .eq(relu(x) + log(lift(2)),                          exponent_sum).note("the exponential of 0 is 1")
    )  # fmt: skip
