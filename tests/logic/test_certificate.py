"""A certificate that was edited is refused with the entry named, or proves no more than it honestly says."""

import copy
import json

import pytest

from derive.evidence.witness import witness
from derive.language.notation import σ
from derive.language.term import Σ, D, Term, alpha, eq, forall, indices, ne, sizes, var
from derive.logic import theorem as core
from derive.logic.axiom import Axiom
from derive.logic.calc import calc
from derive.logic.certificate import CertificateError, axioms, content_hash, dumps, replay, write
from derive.logic.rules.reasons import linearity, sigmoid_rule

(K,) = sizes("K")
(k,) = indices("k", K)
x, u = var("x"), var("u", K)
DELETED = object()
JUNK = (
    None, True, -1, 10**6, 0.5, "", "x", "add", [], {}, [0], {"a": 1}, {"number": "1/0"}, {"number": "nan"},
    {"number": "1e9"}, {"number": 3}, {"tuple": []}, {"tuple": ["x", 0]}, {"tuple": None}, "\ud800", DELETED,
)  # fmt: skip


def certified():
    """Two claims, one under an assumption, as they are read from a file."""
    slope = calc(D(σ(x), x)).eq(σ(x) * (1 - σ(x)) * D(x, x), sigmoid_rule).eq(σ(x) * (1 - σ(x)), linearity)
    total = calc(Σ(u[k] * x / u[k], k)).eq(Σ(x, k)).eq(K * x, linearity)
    claims = {"slope": slope.theorem, "total": total.theorem}
    proofs = (("slope", slope), ("total", total))
    lines = [(name, line.theorem, "by rules") for name, proof in proofs for line in proof.lines]
    made = write("some-slug", claims, lines, [forall(ne(u[k], 0), k)], {"derive": "0"})
    return json.loads(dumps(made))


CERTIFICATE = certified()
CLAIMS = {name: theorem.conclusion for name, theorem in replay(CERTIFICATE).items()}


def entries(node, path=()):
    """Every place in a certificate."""
    yield path
    for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield from entries(node[key], (*path, key))


def at(node, path):
    for key in path:
        node = node[key]
    return node


def edited(path, value, *, hashed=True):
    """The certificate with another value at a place, and the hash made right."""
    made = copy.deepcopy(CERTIFICATE)
    if not path:
        return value
    if value is DELETED:
        del at(made, path[:-1])[path[-1]]
    else:
        at(made, path[:-1])[path[-1]] = copy.deepcopy(value)
    if hashed:
        try:
            made["hash"] = content_hash(made)
        except UnicodeEncodeError:
            made["hash"] = ""
    return made


def neighbours(old):
    return (old + 1, old - 1, max(0, old - 3)) if type(old) is int else ()


def consequences(path, value):
    """What comes of an edit: the claims that it proves, None where it is refused. Nothing else may be raised."""
    try:
        return replay(edited(path, value))
    except CertificateError:
        return None


@pytest.mark.parametrize(
    "table", ["terms", "inferences", "assumptions", "claims", "lines", "versions", "slug", "format"]
)
def test_every_edit_of_every_entry_is_refused_or_honest(table):
    """The hash is made right after each edit, so that only the mathematics can refuse it."""
    refused, other = 0, 0
    for path in entries(CERTIFICATE):
        if path[:1] != (table,):
            continue
        for value in (*JUNK, *neighbours(at(CERTIFICATE, path))):
            proved = consequences(path, value)
            refused += proved is None
            for name, theorem in (proved or {}).items():
                if theorem.conclusion is not CLAIMS.get(name):
                    other += 1
                    assert witness(theorem.conclusion, theorem.hypotheses).status != "false", (path, value)
    assert refused > 10
    assert other <= 0.05 * refused or table == "claims"


@pytest.mark.parametrize(
    ("path", "value", "names"),
    [
        (("terms", 3, 0), "nothing", "term 3"),
        (("terms", 5, 1), [10**6], "term 5"),
        (("terms", 4, 2), {"number": "1/0"}, "term 4"),
        (("inferences", 2, 0), "magic", "inference 2"),
        (("inferences", 1, 1), [], "inference 1"),
        (("inferences", 2, 2), 0, "inference 2"),
        (("inferences", 3, 3), [0], "inference 3"),
        (("assumptions",), [], "claim 'total'"),
        (("assumptions", 0), "x", "assumption 0"),
        (("claims", "slope"), 10**6, "claim 'slope'"),
        (("claims", "slope"), -1, "claim 'slope'"),
        (("claims",), {}, "claims nothing"),
        (("lines", 1), ["slope"], "line 1"),
        (("lines", 1, 0), "nobody", "line 1"),
        (("lines",), None, "table of lines"),
        (("slug",), 3, "slug"),
        (("versions", "derive"), 3, "version of derive"),
        (("format",), "derive certificate 0", "no certificate of the format"),
        (("terms",), DELETED, "table of terms"),
        (("inferences",), CERTIFICATE["inferences"][:-1], "claim 'total'"),
    ],
)
def test_the_message_names_the_entry(path, value, names):
    with pytest.raises(CertificateError, match=names):
        replay(edited(path, value))


def test_an_edit_that_proves_as_much_is_told_by_the_hash():
    for path, value in ((("slug",), "another"), (("lines", 0, 2), "by magic"), (("versions", "derive"), "1")):
        with pytest.raises(CertificateError, match="edited after it was made"):
            replay(edited(path, value, hashed=False))
        assert replay(edited(path, value))


def test_assumptions_are_those_that_are_stated():
    more = edited(("assumptions",), [*CERTIFICATE["assumptions"], *CERTIFICATE["assumptions"]])
    assert {name: theorem.conclusion for name, theorem in replay(more).items()} == CLAIMS
    with pytest.raises(CertificateError, match="not among the stated assumptions"):
        replay(edited(("assumptions",), []))


def test_swapped_claims_say_what_they_prove():
    swapped = replay(edited(("claims",), dict(zip(CLAIMS, reversed(CERTIFICATE["claims"].values()), strict=True))))
    assert {name: theorem.conclusion for name, theorem in swapped.items()} != CLAIMS
    assert {theorem.conclusion for theorem in swapped.values()} == set(CLAIMS.values())


@pytest.mark.parametrize("data", [None, 3, "text", [], {}, {"format": "derive certificate 1"}, [CERTIFICATE]])
def test_what_is_no_certificate_is_refused(data):
    with pytest.raises(CertificateError):
        replay(data)


def test_deep_and_huge_data_is_refused():
    depth = 5000
    nested: list = []
    for _ in range(depth):
        nested = [nested]
    with pytest.raises(CertificateError):
        replay({**CERTIFICATE, "slug": nested})
    terms = [["var", [], {"tuple": ["x", "real"]}], *(["neg", [number], None] for number in range(depth))]
    rows = [["reflexivity", [["term", depth]], 0, []]]
    deep = {**CERTIFICATE, "terms": terms, "inferences": rows, "claims": {"c": 0}, "lines": [], "assumptions": []}
    with pytest.raises(CertificateError, match="inference 0"):
        replay(deep)
    with pytest.raises(CertificateError, match="term 0"):
        replay({**CERTIFICATE, "terms": [["num", [], {"number": "9" * 10**6}]]})


def test_a_schema_of_ones_own_does_not_replay():
    """Whoever can run Python can make an axiom; a certificate can only name those that there are."""
    forged = Axiom("linearity", "everything is 0", "=", lambda term: (term * 0, ()))
    theorem = core.step(core.reflexivity(x), (), forged)
    assert theorem.conclusion is eq(x, x * 0)
    made = write("forged", {"c": theorem}, [], [], {})
    with pytest.raises(CertificateError, match="inference 1"):
        replay(made)
    unknown = Axiom("magic", "everything is 0", "=", lambda term: (term * 0, ()))
    with pytest.raises(CertificateError, match="magic"):
        replay(write("forged", {"c": core.step(core.reflexivity(x), (), unknown)}, [], [], {}))


def test_a_forged_theorem_does_not_replay():
    real = core.reflexivity(x)
    forged = object.__new__(core.Theorem)
    for name, value in {**vars(real), "conclusion": eq(x, x + 1)}.items():
        object.__setattr__(forged, name, value)
    with pytest.raises(CertificateError, match="inference 0"):
        replay(write("forged", {"c": forged}, [], [], {}))


def test_a_certificate_is_text_and_comes_back():
    assert json.loads(dumps(CERTIFICATE)) == CERTIFICATE
    assert CERTIFICATE["hash"] == content_hash(CERTIFICATE)
    again = certified()
    assert again == CERTIFICATE
    assert all(alpha(Term(c.op, c.args, c.data)) is alpha(c) for c in CLAIMS.values())


def test_every_schema_is_found_by_its_name():
    assert all(name == axiom.name for name, axiom in axioms().items())
