"""Deep compositions: what is derived, written down and replayed grows with the layers as they do, and is all seen."""

import copy
import json

import pytest

from derive import gradient
from derive.evidence.verify import line_checks
from derive.logic.certificate import CertificateError, content_hash, dumps, replay
from derive.losses import deep


def layers(count, *, beside=False):
    """A network of rectified layers; `beside`: with what goes in added to what comes out of each."""
    shapes, lines, before = {"x": "n"}, [], "x"
    for layer in range(1, count + 1):
        shapes |= {f"W{layer}": "n,n", f"b{layer}": "n"}
        lines.append(f"z{layer} = W{layer}@{before}+b{layer}")
        lines.append(f"h{layer} = relu(z{layer})" + f"+{before}" * beside)
        before = f"h{layer}"
    shapes["y"] = "n"
    return "; ".join([*lines, f"-sum(y*log(softmax({before})))"]), shapes


def derived(count, *, beside=False):
    text, shapes = layers(count, beside=beside)
    return gradient(text, "W1", shapes=shapes, domains={"y": "simplex"}, given=["sum(y) == 1"])


def sizes(view):
    certificate = deep(lambda: view.certificate)
    hypotheses = sum(len(json.dumps(row[3])) for row in certificate["inferences"])
    tables = len(certificate["terms"]), len(certificate["inferences"])
    return sum(len(proof.lines) for proof in view.proofs.values()), *tables, hypotheses


@pytest.mark.parametrize(("counts", "beside"), [((2, 10, 50), False), ((2, 6, 18), True)])
def test_lines_and_certificates_grow_as_the_layers_do(counts, beside):
    few, more, many = counts
    for least, middle, most in zip(*(sizes(derived(count, beside=beside)) for count in counts), strict=True):
        assert most - middle <= 1.2 * (middle - least) * (many - more) / (more - few)


@pytest.mark.slow
def test_two_hundred_layers():
    """Every layer has its four lines and its claim, none of which has a derivative left."""
    view = derived(200)
    assert len(view.proofs) == 201
    assert sum(len(proof.lines) for proof in view.proofs.values()) == 5 * 200 + 4
    assert len(view.assumptions) == 200 + 1


def test_every_line_of_a_deep_network_is_seen():
    view = derived(30)
    assert {check.status for check in deep(lambda: list(line_checks(view.entry)))} == {"pass"}


def test_hypotheses_that_are_written_by_what_changes_are_replayed():
    certificate = json.loads(dumps(deep(lambda: derived(30).certificate)))
    changing = [n for n, row in enumerate(certificate["inferences"]) if isinstance(row[3], dict)]
    assert changing
    assert deep(lambda: replay(certificate))
    (number, *_) = [n for n in changing if certificate["inferences"][n][3]["and"]]
    for key, value in (
        ("as", number), ("as", 0), ("as", -1), ("as", True), ("as", 10**6), ("as", None), ("and", []), ("and", {}),
        ("and", [10**6]), ("and", None), ("not", certificate["inferences"][number][3]["and"]), ("not", "x"),
    ):  # fmt: skip
        edited = copy.deepcopy(certificate)
        edited["inferences"][number][3][key] = value
        edited["hash"] = content_hash(edited)
        with pytest.raises(CertificateError, match=f"inference {number} "):
            deep(lambda edited=edited: replay(edited))
    del certificate["inferences"][number][3]["and"]
    with pytest.raises(CertificateError, match=f"inference {number} "):
        deep(lambda: replay(certificate))


def test_a_deep_certificate_is_replayed_by_the_command(tmp_path, capsys):
    from derive.cli import main

    path = tmp_path / "deep.json"
    path.write_text(dumps(deep(lambda: derived(60).certificate)), encoding="utf-8")
    assert main(["replay", str(path)]) == 0
    assert "gradient-by-W1 holds" in capsys.readouterr().out
