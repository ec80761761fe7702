# ruff: noqa: E501 - a loss is one line
"""The losses that are derived: text, shapes, variable, and the form that a textbook prints where it has one."""

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
    # networks
    *(Case(LAYERS, NETWORK, by, "", "Y=simplex", ROWS) for by in ("X", "W1", "b1", "W2", "b2")),
    Case(
        "mean(logsumexp(relu(X@W1.T+b1)@W2.T+b2,axis=1) - sum(Y*(relu(X@W1.T+b1)@W2.T+b2),axis=1))",
        NETWORK, "W1", "", "Y=simplex", ROWS,
    ),
    Case("h = tanh(W@x); r = h + B@relu(A@h); s = r + C@relu(E@r); sum((s-y)**2)", "W=d,d x=d A=m,d B=d,m E=k,d C=d,k y=d", "W"),
    *(Case("S = Q@K.T; A = softmax(S,axis=1); sum(G*(A@V))", "Q=N,k K=m,k V=m,p G=N,p", by) for by in "QKV"),
    Case("sum(G*(softmax(Q@K.T/8,axis=1)@V))", "Q=N,k K=m,k V=m,p G=N,p", "Q"),
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
    Case("mu = mean(X,axis=0); c = X - mu; v = mean(c**2,axis=0); U = c/sqrt(v+e); sum(T*(U*g+b))", "X=N,d g=d b=d T=N,d e=", "X", "", "e=positive"),
]  # fmt: skip

MATRICES = "A=n,m X=m,k B=k,n C=m,m a=m b=m x=m Y=n,k D=k,k v=n"
IDENTITIES = [
    Case(text, " ".join(part for part in MATRICES.split() if part.split("=")[0] in text), by, form, domains)
    for text, by, form, domains in (
        ("trace(A@X@B)", "X", "Aᵀ Bᵀ", ""),
        ("trace(X.T@C@X)", "X", "(C + Cᵀ) X", ""),
        ("trace(A@X@D@X.T@A.T)", "X", "", ""),
        ("trace(C@C)", "C", "2 Cᵀ", ""),
        ("trace(C.T@C)", "C", "2 C", ""),
        ("trace(C)", "C", "I", ""),
        ("sum(C*C)", "C", "2 C", ""),
        ("sum((A@X-Y)**2)", "X", "2 Aᵀ (A X − Y)", ""),
        ("v@A@x", "A", "v xᵀ", ""),
        ("v@A@x", "x", "Aᵀ v", ""),
        ("x@C@x", "x", "", ""),
        ("x@C@x", "C", "x xᵀ", ""),
        ("x@C@x/(x@x)", "x", "", ""),
        ("x@diag(a)@x", "x", "", ""),
        ("sum(diag(x)@C)", "x", "C 𝟏", ""),
        ("sum(outer(a,x)*C)", "x", "Cᵀ a", ""),
        ("norm(x)", "x", "x/sqrt(𝟏ᵀ x²)", ""),
        ("norm(x-a)", "x", "", ""),
        ("norm(x)**2", "x", "2 x", ""),
        ("a@x/norm(x)", "x", "", ""),
        ("norm(x)*sum(x)", "x", "", ""),
        ("(a@x)**2", "x", "", ""),
        ("(a@x)*(b@x)", "x", "", ""),
        ("(a@x)/(b@x)", "x", "", ""),
        ("exp(a@x)", "x", "", ""),
        ("log(a@x)", "x", "", ""),
        ("sum(x*x)/sum(x)", "x", "", ""),
        ("sum(x**3)", "x", "3 x²", ""),
        ("sum(x)", "x", "", ""),
        ("sum(A@x)", "x", "Aᵀ 𝟏", ""),
        ("mean(A@x)", "x", "Aᵀ 𝟏/n", ""),
        ("sum(exp(A@x))", "x", "Aᵀ exp(A x)", ""),
        ("sum(C@x*b)", "x", "Cᵀ b", ""),
        ("einsum('nm,m->',A,x)", "x", "Aᵀ 𝟏", ""),
        ("log(sum(exp(x)))", "x", "softmax(x)", ""),
        ("sum(softmax(x)*a)", "x", "softmax(x) ⊙ (a − softmax(x)ᵀ a)", ""),
        ("sum(var(A,axis=1))", "A", "", ""),
        ("sum(std(A,axis=1))", "A", "", ""),
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
PAIRS = [
    Case(f"sum({outer}({inner}(x)))", "x=n", "x", "", "x=positive")
    for outer in ("exp", "log", "sqrt", "tanh", "sigmoid", "softplus", "sin", "abs", "square")
    for inner in ("exp", "sqrt", "tanh", "sigmoid", "softplus", "square", "relu", "log1p", "silu", "erf")
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
    Case("det(C)", "C=m,m", "C", "det(C) (C⁻¹)ᵀ"),
    Case("logdet(C)", "C=m,m", "C", "(C⁻¹)ᵀ"),
    Case("a@inv(C)@b", "a=m b=m C=m,m", "C"),
    Case("a@inv(C)@b", "a=m b=m C=m,m", "a", "C⁻¹ b"),
    Case("trace(inv(C)@B)", "B=m,m C=m,m", "C", "−(C⁻¹)ᵀ Bᵀ (C⁻¹)ᵀ"),
    Case("logdet(C@C.T)", "C=m,m", "C"),
    Case("logdet(S) + (x-m)@inv(S)@(x-m)", "S=d,d x=d m=d", "m"),
    Case("logdet(S) + (x-m)@inv(S)@(x-m)", "S=d,d x=d m=d", "S"),
]
