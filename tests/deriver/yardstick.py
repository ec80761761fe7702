# ruff: noqa: E501 - a loss is one line
"""The losses that are derived: text, shapes, variable, and the form that a textbook prints where it has one."""

import re
from typing import NamedTuple


class Case(NamedTuple):
    text: str
    shapes: str
    by: str
    form: str = ""
    domains: str = ""
    given: str = ""

    @property
    def declared(self):
        return pairs(self.shapes)

    @property
    def known(self):
        return pairs(self.domains)

    @property
    def equations(self):
        return [self.given] if self.given else []


def pairs(text):
    return dict(part.split("=") for part in text.split())


LOGISTIC, EXAMPLES, ONE_HOT = "X=N,d y=N w=d", "z=K y=K", "sum(y) == 1"
HARD = "Xᵀ (σ(m) − y)/N"
NETWORK = "X=N,d W1=M,d b1=M W2=K,M b2=K Y=N,K"
LAYERS = "Z1 = X@W1.T+b1; H = relu(Z1); Z2 = H@W2.T+b2; mean(logsumexp(Z2,axis=1) - sum(Y*Z2,axis=1))"
ROWS = "sum(Y,axis=1) == 1"
FIT, RIDGE = "A=m,n x=n b=m", "X=N,d y=N w=d s="

LOSSES = [
    # 0/1 labels, however they are written
    *(
        Case(f"m = X @ w; {text}", LOGISTIC, "w", HARD, "y=closed unit".replace(" ", "_"))
        for text in (
            "mean(log(1 + exp(m)) - y*m)",
            "mean(softplus(m) - y*m)",
            "-mean(y*log(sigmoid(m)) + (1-y)*log(1-sigmoid(m)))",
            "-mean(y*log(1/(1+exp(-m))) + (1-y)*log(1-1/(1+exp(-m))))",
            "-mean(y*log(exp(m)/(1+exp(m))) + (1-y)*log(1/(1+exp(m))))",
            "mean(y*softplus(-m) + (1-y)*softplus(m))",
            "-mean(y*log(sigmoid(m)) + (1-y)*log(sigmoid(-m)))",
            "-mean(y*log((1+tanh(m/2))/2) + (1-y)*log((1-tanh(m/2))/2))",
            "mean(-y*m + log(exp(0)+exp(m)))",
            "mean(log(exp(-m)+1) + (1-y)*m)",
            "-mean(y*log(1-1/(1+exp(m))) + (1-y)*log(1/(exp(m)+1)))",
            "mean(log1p(exp(m)) - y*m)",
        )
    ),
    Case("mean(softplus(X@w) - y*(X@w))", LOGISTIC, "w", "Xᵀ (σ(X w) − y)/N"),
    # labels of ±1
    *(
        Case(text, LOGISTIC, "w", "−Xᵀ (y ⊙ σ(−y ⊙ (X w)))/N", "y=sign")
        for text in (
            "mean(log(1 + exp(-y * (X @ w))))",
            "mean(softplus(-y * (X @ w)))",
            "-mean(log(sigmoid(y * (X @ w))))",
            "-mean(log(1/(1+exp(-y * (X @ w)))))",
        )
    ),
    Case("sum(log(1 + exp(-y * (X @ w))))", LOGISTIC, "w", "−Xᵀ (y ⊙ σ(−y ⊙ (X w)))", "y=sign"),
    # cross-entropy
    *(
        Case(text, EXAMPLES, "z", form, "y=simplex", ONE_HOT)
        for text, form in (
            ("-sum(y*log(softmax(z)))", "softmax(z) − y"),
            ("logsumexp(z)*sum(y) - sum(y*z)", "softmax(z) − y"),
            ("log(sum(exp(z))) - sum(y*z)", "softmax(z) − y"),
            ("-sum(y*(z - logsumexp(z)))", "softmax(z) − y"),
            ("-sum(y*log_softmax(z))", "softmax(z) − y"),
            ("p = softmax(z); -sum(y*log(p))", "p − y"),
            ("e = exp(z); s = sum(e); p = e/s; -sum(y*log(p))", "p − y"),
        )
    ),
    Case("Z = X@W + b; mean(logsumexp(Z,axis=1) - sum(Y*Z,axis=1))", "X=N,d W=d,K b=K Y=N,K", "W", "Xᵀ (softmax(Z) − Y)/N"),
    Case("Z = X@W + b; mean(logsumexp(Z,axis=1) - sum(Y*Z,axis=1))", "X=N,d W=d,K b=K Y=N,K", "b", "(softmax(Z) − Y)ᵀ 𝟏/N"),
    Case("-mean(sum(Y*log(softmax(X@W+b,axis=1)),axis=1))", "X=N,d W=d,K b=K Y=N,K", "W", "", "Y=simplex", ROWS),
    # least squares
    *(
        Case(text, FIT, "x", "2 Aᵀ (A x − b)")
        for text in ("sum((A@x-b)**2)", "norm(A@x-b)**2", "(A@x-b)@(A@x-b)")
    ),
    Case("mean((A@x-b)**2)", FIT, "x", "2 Aᵀ (A x − b)/m"),
    Case("norm(A@x-b)", FIT, "x"),
    Case("sum((A@x-b)**2)", FIT, "A", "2 (A x − b) xᵀ"),
    Case("x@A.T@A@x - 2*(b@A@x) + b@b", FIT, "x"),
    # losses of the field
    Case("mean((X@w-y)**2)/2 + s/2*(w@w)", RIDGE, "w", "Xᵀ (X w − y)/N + s w"),
    Case("mean((X@w-y)**2) + s*sum(w**2)", RIDGE, "w"),
    Case("mean((X@w-y)**2) + s*sum(abs(w))", RIDGE, "w"),
    Case("r = X@w-y; mean(where(abs(r) <= 1, r**2/2, abs(r) - 0.5))", LOGISTIC, "w"),
    Case("mean(exp(X@w) - y*(X@w))", LOGISTIC, "w", "Xᵀ (exp(X w) − y)/N"),
    Case("sum(0.5*exp(-s)*(y - X@w)**2 + 0.5*s)", RIDGE, "w"),
    Case("sum(0.5*exp(-s)*(y - X@w)**2 + 0.5*s)", RIDGE, "s"),
    Case("mean((sigmoid(X@w)-y)**2)", LOGISTIC, "w"),
    Case("sum((M*(T - U @ V.T))**2)", "U=n,k V=m,k T=n,m M=n,m", "U"),
    Case("sum((M*(T - U @ V.T))**2)", "U=n,k V=m,k T=n,m M=n,m", "V"),
    Case("sum(M*(R - (U@V.T + b[:,None] + c[None,:]))**2)", "M=n,m R=n,m U=n,k V=m,k b=n c=m", "U"),
    Case("sum(M*(R - (U@V.T + b[:,None] + c[None,:]))**2)", "M=n,m R=n,m U=n,k V=m,k b=n c=m", "b"),
    Case("-mean(log(sigmoid(X@w - Y@w)))", "X=N,d Y=N,d w=d", "w"),
    Case("S = A@B.T/t; mean(logsumexp(S,axis=1) - diag(S))", "A=N,d B=N,d t=", "A"),
    Case("-sum(logsumexp(log(p) - (x[:,None]-m[None,:])**2/(2*s**2) - log(s), axis=1))", "x=N m=K s=K p=K", "m", "", "s=positive p=positive"),
    *(
        Case("mean(mean((m + exp(l/2)*E - x)**2,axis=1)) + mean(sum(exp(l)+m**2-1-l,axis=1))/2", "m=N,d l=N,d E=N,d x=N,d", by)
        for by in "ml"
    ),
    *(Case("mean(l + (y - m)**2*exp(-l))/2", "m=N l=N y=N", by) for by in "ml"),
    *(Case("sum(M*(R - (U@V.T + b[:,None] + c[None,:]))**2)", "M=n,m R=n,m U=n,k V=m,k b=n c=m", by) for by in "Vc"),
    *(Case("S = A@B.T/t; mean(logsumexp(S,axis=1) - diag(S))", "A=N,d B=N,d t=", by, "", "t=positive") for by in "Bt"),
    *(
        Case(
            "U = A/norm(A,axis=1)[:,None]; V = B/norm(B,axis=1)[:,None]; S = U@V.T/t; mean(logsumexp(S,axis=1) - diag(S))",
            "A=N,d B=N,d t=", by, "", "t=positive",
        )
        for by in "AB"
    ),
    *(
        Case("-sum(logsumexp(log_softmax(q) - (x[:,None]-m)**2/(2*s**2) - log(s), axis=1))", "x=N m=K s=K q=K", by, "", "s=positive")
        for by in "qms"
    ),
    *(
        Case("D = X[:,None,:] - M[None,:,:]; -mean(logsumexp(log_softmax(q) - sum(D**2,axis=2)/2, axis=1))", "X=N,d M=K,d q=K", by)
        for by in "qM"
    ),
    *(
        Case(
            "Z = m + exp(l/2)*E; R = sigmoid(Z@W + b); mean(sum((R - X)**2,axis=1)) + mean(sum(exp(l)+m**2-1-l,axis=1))/2",
            "m=N,k l=N,k E=N,k W=k,d b=d X=N,d", by,
        )
        for by in "mlWb"
    ),
    # networks
    *(Case(LAYERS, NETWORK, by, "", "Y=simplex", ROWS) for by in ("X", "W1", "b1", "W2", "b2")),
    Case(
        "mean(logsumexp(relu(X@W1.T+b1)@W2.T+b2,axis=1) - sum(Y*(relu(X@W1.T+b1)@W2.T+b2),axis=1))",
        NETWORK, "W1", "", "Y=simplex", ROWS,
    ),
    Case("h = tanh(W@x); r = h + B@relu(A@h); s = r + C@relu(E@r); sum((s-y)**2)", "W=d,d x=d A=m,d B=d,m E=k,d C=d,k y=d", "W"),
    *(Case("S = Q@K.T; A = softmax(S,axis=1); sum(G*(A@V))", "Q=N,k K=m,k V=m,p G=N,p", by) for by in "QKV"),
    *(Case("sum(G*(softmax(Q@K.T/sqrt(k),axis=1)@V))", "Q=N,k K=m,k V=m,p G=N,p", by) for by in "QKV"),
    # normalisations
    Case("mu = mean(x); c = x - mu; v = mean(c**2); r = (v+e)**-0.5; u = c*r; sum(g*u)", "x=n g=n e=", "x", "", "e=positive"),
    Case("mu = mean(x); s = sqrt(mean((x-mu)**2)+e); sum(g*(x-mu)/s)", "x=n g=n e=", "x", "", "e=positive"),
    Case("sum(g*x/sqrt(mean(x**2)+e))", "x=n g=n e=", "x", "", "e=positive"),
    *(
        Case(
            "mu = mean(X,axis=1,keepdims=True); c = X - mu; v = mean(c**2,axis=1,keepdims=True); U = c/sqrt(v+e); sum(T*(U*g+b))",
            "X=N,d g=d b=d T=N,d e=", by, "", "e=positive",
        )
        for by in "Xgb"
    ),
    *(
        Case("mu = mean(X,axis=0); c = X - mu; v = mean(c**2,axis=0); U = c/sqrt(v+e); sum(T*(U*g+b))", "X=N,d g=d b=d T=N,d e=", by, "", "e=positive")
        for by in "Xgb"
    ),
    *(
        Case("r = sqrt(mean(X**2,axis=1,keepdims=True)+e); sum(T*(X/r*g))", "X=N,d g=d T=N,d e=", by, "", "e=positive")
        for by in "Xg"
    ),
]  # fmt: skip

FACTORS, SQUARES = "M=n,m T=n,m U=n,k V=m,k", "sum((M*(T - U @ V.T))**2)"


def network(layers):
    """A ReLU network with softmax cross-entropy, by its first layer."""
    shapes, lines, before = {"x": "n0"}, [], "x"
    for layer in range(1, layers + 1):
        shapes |= {f"W{layer}": f"n{layer},n{layer - 1}", f"b{layer}": f"n{layer}"}
        lines.append(f"z{layer} = W{layer}@{before}+b{layer}")
        if layer < layers:
            lines.append(f"h{layer} = relu(z{layer})")
        before = f"h{layer}"
    shapes["y"] = f"n{layers}"
    text = "; ".join([*lines, f"-sum(y*log(softmax(z{layers})))"])
    return Case(text, " ".join(f"{k}={v}" for k, v in shapes.items()), "W1", "δ₁ xᵀ", "y=simplex", ONE_HOT)


# The benchmark of Laue, Mitterreiter and Giesen, each with the form of its Hessian where matrices have one.
BENCHMARK = [
    (Case("sum(log(1 + exp(-y * (X @ w))))", LOGISTIC, "w", "−Xᵀ (y ⊙ σ(−y ⊙ (X w)))", "y=sign"), ""),
    (Case(SQUARES, FACTORS, "U"), ""),
    (Case(SQUARES, FACTORS, "V"), ""),
    (network(10), ""),
    (Case("x@A@x", "A=n,n x=n", "x", "(A + Aᵀ) x"), "A + Aᵀ"),
]

MATRICES = "A=n,m X=m,k B=k,n C=m,m E=m,m F=m,m Y=n,k D=k,k a=m b=m x=m v=n u=k"


def _shapes(text):
    """The shapes of what a text names."""
    used = set(re.findall(r"[A-Za-z]+", text))
    return " ".join(part for part in MATRICES.split() if part.split("=")[0] in used)


# The identities of matrix-calculus tables, each with the line that such a table prints.
IDENTITIES = [
    Case(text, _shapes(text), by, form)
    for text, by, form in (
        # traces
        ("trace(C)", "C", "I"),
        ("trace(A@X@B)", "X", "Aᵀ Bᵀ"),
        ("trace(B.T@X.T@A.T)", "X", "Aᵀ Bᵀ"),
        ("trace(X.T@X)", "X", "2 X"),
        ("trace(X.T@C@X)", "X", "(C + Cᵀ) X"),
        ("trace(X@D@X.T)", "X", "X (D + Dᵀ)"),
        ("trace(X.T@C@X@D)", "X", "Cᵀ X Dᵀ + C X D"),
        ("trace(C@C)", "C", "2 Cᵀ"),
        ("trace(C@C@C)", "C", "3 Cᵀ Cᵀ"),
        ("trace(C.T@C)", "C", "2 C"),
        ("sum(C*E)", "C", "E"),
        ("trace(diag(a)@C)", "C", "diag(a)"),
        # inverses and determinants
        ("trace(inv(C)@E)", "C", "−C⁻ᵀ Eᵀ C⁻ᵀ"),
        ("a@inv(C)@b", "C", "−C⁻ᵀ a bᵀ C⁻ᵀ"),
        ("a@inv(C)@b", "a", "C⁻¹ b"),
        ("det(C)", "C", "det(C) C⁻ᵀ"),
        ("logdet(C)", "C", "C⁻ᵀ"),
        # quadratic and bilinear forms
        ("v@A@x", "A", "v xᵀ"),
        ("v@A@x", "x", "Aᵀ v"),
        ("x@C@x", "x", "(C + Cᵀ) x"),
        ("x@C@x", "C", "x xᵀ"),
        ("a@C@C.T@b", "C", "a bᵀ C + b aᵀ C"),
        ("a@C.T@C@b", "C", "C b aᵀ + C a bᵀ"),
        ("(x-a)@C@(x-a)", "x", "(C + Cᵀ) (x − a)"),
        ("x@diag(a)@x", "x", "2 (x ⊙ a)"),
        # norms, their products and quotients
        ("norm(x)", "x", "x/sqrt(𝟏ᵀ x²)"),
        ("norm(x)**2", "x", "2 x"),
        ("norm(x-a)", "x", "(x − a)/sqrt(𝟏ᵀ (x − a)²)"),
        ("norm(A@x)", "x", "Aᵀ (A x)/sqrt(𝟏ᵀ (A x)²)"),
        ("a@x/norm(x)", "x", "(a − (aᵀ x) x/(𝟏ᵀ x²))/sqrt(𝟏ᵀ x²)"),
        ("norm(x)*(a@x)", "x", "sqrt(𝟏ᵀ x²) a + (xᵀ a) x/sqrt(𝟏ᵀ x²)"),
        ("norm(A@x)/norm(x)", "x", "(Aᵀ (A x)/sqrt(𝟏ᵀ (A x)²) − sqrt(𝟏ᵀ (A x)²) x/(𝟏ᵀ x²))/sqrt(𝟏ᵀ x²)"),
        ("norm(X)", "X", "X/sqrt(𝟏ᵀ X² 𝟏)"),
        ("sum((A@X-Y)**2)", "X", "2 Aᵀ (A X − Y)"),
        ("sum((A@X@D-Y)**2)", "X", "2 Aᵀ (A X D − Y) Dᵀ"),
        # functions of linear forms
        ("(a@x)**2", "x", "2 aᵀ x a"),
        ("(a@x)*(b@x)", "x", "(xᵀ b) a + (aᵀ x) b"),
        ("(a@x)/(b@x)", "x", "(a − (aᵀ x) b/(xᵀ b))/(xᵀ b)"),
        ("exp(a@x)", "x", "exp(aᵀ x) a"),
        ("log(a@x)", "x", "a/(aᵀ x)"),
        ("trace(outer(x,a)@C)", "x", "Cᵀ a"),
    )
]
# More of them, which tables have in another form or not at all.
VARIED = [
    Case(text, _shapes(text), by, form)
    for text, by, form in (
        ("trace(A@X@D@X.T@A.T)", "X", ""),
        ("det(E@C@F)", "C", ""),
        ("det(X.T@X)", "X", ""),
        ("logdet(X.T@X)", "X", ""),
        ("x@C@x/(x@x)", "x", ""),
        ("trace(inv(C)@E@inv(C)@F)", "C", ""),
        ("logdet(X.T@C@X)", "X", ""),
        ("det(C@C)", "C", ""),
        ("det(C+a)", "C", ""),
        ("logdet(inv(C))", "C", ""),
        ("a@C@C.T@a", "C", "2 a aᵀ C"),
        ("sum(diag(x)@C)", "x", "C 𝟏"),
        ("sum(outer(a,x)*C)", "x", "Cᵀ a"),
        ("norm(x)**4", "x", ""),
        ("1/norm(x)", "x", ""),
        ("norm(x-a)/norm(x-b)", "x", ""),
        ("(a@x)*(x@C@x)", "x", ""),
        ("exp(-(x@C@x)/2)", "x", ""),
        ("sum(log(A@x))", "x", "Aᵀ (1/(A x))"),
        ("sum(x*x)/sum(x)", "x", ""),
        ("sum(x**3)", "x", "3 x²"),
        ("sum(x)", "x", "𝟏"),
        ("sum(A@x)", "x", "Aᵀ 𝟏"),
        ("mean(A@x)", "x", "Aᵀ 𝟏/n"),
        ("sum(exp(A@x))", "x", "Aᵀ exp(A x)"),
        ("sum(C@x*b)", "x", "Cᵀ b"),
        ("einsum('nm,m->',A,x)", "x", "Aᵀ 𝟏"),
        ("log(sum(exp(x)))", "x", "softmax(x)"),
        ("sum(softmax(x)*a)", "x", "softmax(x) ⊙ (a − softmax(x)ᵀ a)"),
        ("sum(var(A,axis=1))", "A", ""),
        ("sum(std(A,axis=1))", "A", ""),
    )
]

SYMBOLS = {
    "exp": "exp(x)", "log": "1/x", "log1p": "1/(x + 1)", "expm1": "exp(x)", "sqrt": "1/(2 sqrt(x))", "tanh": "1 − (tanh x)²",
    "sin": "cos x", "cos": "−sin x", "sigmoid": "σ(x) ⊙ (1 − σ(x))", "softplus": "σ(x)", "relu": "step(x)",
    "abs": "sign(x)", "silu": "", "gelu": "", "erf": "2 exp(−x²)/sqrt(π)", "square": "2 x",
    "log_sigmoid": "1 − σ(x)",
}  # fmt: skip
POSITIVE = {"log", "sqrt", "log1p"}
ELEMENTWISE = [
    Case(f"sum({name}(x))", "x=n", "x", form, "x=positive" if name in POSITIVE else "")
    for name, form in SYMBOLS.items()
]

# Losses that were thought of when the deriver was done, and not while it was written.
INVENTED = [
    Case("sum(w*(log(w) - log(q))) + s*(sum(w)-1)", "w=n q=n s=", "w", "", "w=positive q=positive"),
    Case("-mean(log(p)*t + log(1-p)*(1-t)*(p**2))", "p=n t=n", "p", "", "p=unit t=unit"),
    Case("D = X[:,None,:] - Y[None,:,:]; sum(exp(-sum(D**2,axis=2)/2))", "X=N,d Y=M,d", "X"),
    Case("a = X@u; b = Y@v; (a@b)/(norm(a)*norm(b))", "X=N,d Y=N,e u=d v=e", "u"),
    Case(
        "sum(maximum(0, 1 - y*(X@w))) + s*(w@w)/2",
        "X=N,d y=N w=d s=",
        "w",
        "s w − Xᵀ (y ⊙ step(1 − y ⊙ (X w)))",
        "y=sign",
    ),
    Case("mean(maximum(q*(y - X@w), (q-1)*(y - X@w)))", "X=N,d y=N w=d q=", "w"),
    Case("g = sigmoid(U@x); h = tanh(V@x); z = g*h + (1-g)*x; sum((z-y)**2)", "U=d,d V=d,d x=d y=d", "U"),
    Case("K = exp(-(X@X.T)); trace(K@A)", "X=N,d A=N,N", "X"),
    Case("sum(log(exp(r)+exp(-r)))", "r=n", "r"),
    Case("-sum(y*log(X@w) - X@w)", "X=N,d y=N w=d", "w", "Xᵀ ((X w − y)/(X w))", "X=positive w=positive"),
    Case("Z = X@W; P = softmax(Z,axis=1); mean(sum((P-Y)**2,axis=1))", "X=N,d W=d,K Y=N,K", "W"),
    Case("H = sum(softmax(z)*log_softmax(z)); -H", "z=K", "z"),
    Case("sum((A - x[:,None]*y[None,:])**2)", "A=n,m x=n y=m", "x", "2 (x yᵀ − A) y"),
    Case("norm(A@x)/norm(x)", "A=m,n x=n", "x"),
    Case("sum(abs(x)**3)**(1/3)", "x=n", "x"),
    Case("logsumexp(t*x)/t", "t= x=n", "t", "", "t=positive"),
    Case("sum(where(x > 0, x, 0.1*(exp(x)-1)))", "x=n", "x"),
    Case("mean(softplus(s - (u@v)) + softplus((u@w) - s))", "s= u=d v=d w=d", "u", "σ(uᵀ w − s) w − σ(s − uᵀ v) v"),
    Case("det(C)", "C=m,m", "C", "det(C) C⁻ᵀ"),
    Case("logdet(C)", "C=m,m", "C", "C⁻ᵀ"),
    Case("a@inv(C)@b", "a=m b=m C=m,m", "C"),
    Case("a@inv(C)@b", "a=m b=m C=m,m", "a", "C⁻¹ b"),
    Case("trace(inv(C)@B)", "B=m,m C=m,m", "C", "−C⁻ᵀ Bᵀ C⁻ᵀ"),
    Case("logdet(C@C.T)", "C=m,m", "C"),
    Case("logdet(S) + (x-m)@inv(S)@(x-m)", "S=d,d x=d m=d", "m"),
    Case("logdet(S) + (x-m)@inv(S)@(x-m)", "S=d,d x=d m=d", "S"),
]

# Thought of at the end, against the state of then: what each is stands before it.
T_LOSS = "sum(gammaln(v/2) - gammaln((v+1)/2) + log(v)/2 + (v+1)/2*log(1 + (x-m)**2/v))"
LAST = [
    # Cox's partial likelihood, R the risk sets
    Case(
        "u = X@w; -sum(d*(u - log(R@exp(u))))", "X=N,k w=k d=N R=N,N", "w",
        "Xᵀ ((Rᵀ (d/(R exp(u)))) ⊙ exp(u) − d)", "R=positive",
    ),
    # the dual of entropic optimal transport
    Case(
        "a@f + b@g - e*sum(exp((f[:,None] + g[None,:] - C)/e))", "a=n b=m f=n g=m C=n,m e=", "f",
        "a − exp((f 𝟏ᵀ + g − C)/e) 𝟏", "e=positive",
    ),
    # deviance of a gamma model
    Case("mean(y*exp(-(X@w)) + X@w)", "X=N,d w=d y=N", "w", "Xᵀ (1 − y ⊙ exp(−X w))/N"),
    # Student's t by its degrees of freedom and its mean
    Case(T_LOSS, "x=n m= v=", "v", "", "v=positive"),
    Case(T_LOSS, "x=n m= v=", "m", "", "v=positive"),
    # a Dirichlet density
    Case(
        "sum(gammaln(a)) - gammaln(sum(a)) - sum((a-1)*log(p))", "a=K p=K", "a",
        "digamma(a) − digamma(𝟏ᵀ a) − log p", "a=positive p=simplex",
    ),
    # Barlow twins
    Case("C = Z.T@Y/N; sum((diag(C)-1)**2) + s*(sum(C**2) - sum(diag(C)**2))", "Z=N,d Y=N,d s=", "Z"),
    # preferences, with a reference model
    Case("-mean(log_sigmoid(s*((X-Y)@w - r)))", "X=N,d Y=N,d w=d r=N s=", "w", "s (Y − X)ᵀ σ(−s ((X − Y) w − r))/N"),
    # two steps of a residual map with shared weights
    Case("h = x + e*tanh(W@x); k = h + e*tanh(W@h); sum((k-y)**2)", "x=d W=d,d y=d e=", "W"),
    # a clipped ratio of policies
    Case("r = exp(X@w - l); -mean(minimum(r*A, where(r > 1.2, 1.2, where(r < 0.8, 0.8, r))*A))", "X=N,d w=d l=N A=N", "w"),
    # the marginal likelihood of a Gaussian process, by the scale of its kernel
    Case("K = s*Q + t*E; (y@inv(K)@y + logdet(K))/2", "Q=n,n E=n,n y=n s= t=", "s", "", "s=positive t=positive"),
    # a factorisation machine
    Case("sum(X@w) + (sum((X@V)**2) - sum((X**2)@(V**2)))/2", "X=N,d V=d,k w=d", "V"),
    # attention that pools instances, and the noisy or of them
    Case("g = softmax(X@w); z = g@V; sum((z-y)**2)", "X=n,d w=d V=n,k y=k", "w"),
    Case("p = prod(1 - sigmoid(X@w)); -(y*log(1-p) + (1-y)*log(p))", "X=n,d w=d y=", "w", "", "y=unit"),
    # the largest residual
    Case("max(abs(A@x - b))", "A=m,n x=n b=m", "x"),
]  # fmt: skip
