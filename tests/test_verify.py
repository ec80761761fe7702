"""Verification: what a report says, what it is called, how it ends; and that nothing false passes."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from derive import build, cli, registry
from derive.evidence import verify as module
from derive.evidence.kernel_check import KernelCheck, check_kernels
from derive.evidence.verify import LineCheck, Report, as_json, as_junit, proved, replayed_elsewhere, verify
from derive.language.notation import exp, σ
from derive.language.term import D, eq, lift, var
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, given
from derive.record import Derivation, Kernel

SLUG = "sigmoid-derivative"
x = var("x")


def entry(**changes):
    texts = dict.fromkeys(("title", "goal", "prompt", "sixty_seconds", "strong", "weak"), "text")
    fields = {
        "module": "derive.catalogue.activations.made_up",
        "claim": eq(σ(x), 1 / (1 + exp(-x))),
        "priority": "useful",
        "given": ((x, "a number"),),
        "mistakes": (),
        "sanity": (),
    }
    return Derivation(**{**texts, **fields, **changes})


def proving(claim, write, **changes):
    made = entry(**changes)
    made.proves(claim, "A claim")(write)
    return made


@pytest.fixture(scope="module")
def good():
    return verify(registry.load(SLUG))


def test_a_report_counts_every_line_and_claim(good):
    record = registry.load(SLUG)
    lines = [check for check in good.lines if check.position >= 0]
    assert len(lines) == len(record.lines)
    assert {check.proof for check in good.lines} == set(record.proofs)
    assert good.status == "pass"
    assert good.replayed == "pass"
    assert good.problems == ()
    assert set(good.seconds) == {"proved", "witnessed", "replayed", "kernels"}
    assert all(check.instances > 0 for check in good.lines)


def test_a_report_prints_its_figures(good):
    text = str(good)
    assert text.startswith("pass")
    assert f"certificate {good.certificate[:16]}" in text
    assert "sigmoid_derivative: 50 digits" in text
    assert "complex step" in text
    assert "Ridders" in text


def test_a_proof_that_fails_is_a_fault():
    def write():
        return calc(σ(x)).eq(1 / (1 - exp(-x)), by("σ"))

    found = verify(proving(eq(σ(x), 1 / (1 - exp(-x))), write))
    assert found.status == "fail"
    assert "it does not follow" in found.faults[0]
    assert not found.lines


def test_an_assumption_that_is_not_listed_is_a_fault():
    def write():
        return calc(σ(x)).eq(1, given(eq(σ(x), 1)))

    [fault] = proved(proving(eq(σ(x), 1), write))
    assert "list it among the entry’s assumptions" in fault or "list it among the entry's assumptions" in fault


def test_a_proof_of_something_else_is_a_fault():
    def write():
        return calc(σ(x)).eq(1 / (1 + exp(-x)), by("σ"))

    [fault] = proved(proving(eq(σ(x), 1), write))
    assert "and claims" in fault


def test_a_refused_certificate_is_told():
    certificate = dict(registry.load(SLUG).certificate())
    edited = {**certificate, "hash": "0" * 64}
    assert replayed_elsewhere({"good": certificate}) == {}
    refused = replayed_elsewhere({"good": certificate, "edited": edited})
    assert list(refused) == ["edited"]
    assert "content hash" in refused["edited"]


def test_a_report_with_a_refused_certificate_fails(monkeypatch):
    monkeypatch.setattr(module, "replayed_elsewhere", lambda certificates: dict.fromkeys(certificates, "refused"))
    assert verify(registry.load(SLUG)).status == "fail"


def test_without_replay_it_stays_unresolved():
    assert verify(registry.load(SLUG), replay=False).status == "unresolved"


# ---- kernels --------------------------------------------------------------------------------------------------------


def kernel(output, **changes):
    fields = {"textbook": σ(x), "proved_by": ("derivative",), **changes}
    return Kernel("slope", (x,), (("value", output),), "A slope.", **fields)


def checks(made):
    """What is found of a kernel that stands in the sigmoid's entry."""
    real = registry.load(SLUG)
    other = entry(module=real.module, kernels=(made,))
    other.proofs.update(real.proofs)
    return list(check_kernels(other))


def test_a_good_kernel_passes_every_check():
    found = checks(kernel(σ(x) * (1 - σ(x))))
    assert [check.method for check in found] == ["50 digits", "complex step", "Ridders", "saturated", "float32"]
    assert {check.status for check in found} == {"pass"}


@pytest.mark.parametrize(
    "wrong",
    [
        σ(x) * (1 + σ(x)),
        -σ(x) * (1 - σ(x)),
        2 * (σ(x) * (1 - σ(x))),
        lift(Fraction(10001, 10000)) * (σ(x) * (1 - σ(x))),
        σ(x),
        1 - σ(x),
        exp(-x),
    ],
    ids=repr,
)
def test_a_wrong_kernel_fails(wrong):
    assert "fail" in {check.status for check in checks(kernel(wrong))}


def test_a_kernel_that_loses_its_digits_fails(monkeypatch):
    """The right formula in a form that is no good in the tail."""
    from derive.evidence import kernel_check

    def naive(text, name):
        made = load(text, name)
        if hasattr(made, "slope"):
            made.slope = lambda x: made.stable(x) * (1 - made.stable(x))
            made.stable = lambda z: np.where(z >= 0, 1, np.exp(-np.abs(z))) / (1 + np.exp(-np.abs(z)))
        return made

    load = kernel_check.load
    monkeypatch.setattr(kernel_check, "load", naive)
    found = checks(kernel(σ(x) * (1 - σ(x))))
    assert [check.method for check in found if check.status == "fail"] == ["saturated"]


def test_a_kernel_that_leaves_float32_fails(monkeypatch):
    from derive.evidence import kernel_check

    load = kernel_check.load

    def wide(text, name):
        made = load(text, name)
        narrow = made.slope
        made.slope = lambda x: narrow(x).astype(float)
        return made

    monkeypatch.setattr(kernel_check, "load", wide)
    found = checks(kernel(σ(x) * (1 - σ(x))))
    assert [check.method for check in found if check.status == "fail"] == ["float32"]


def test_a_kernel_that_cannot_be_compiled_fails():
    y = var("y")
    [check] = checks(kernel(σ(y)))
    assert check.status == "fail"
    assert "y" in check.note


# ---- files and exit codes -------------------------------------------------------------------------------------------


def report(status):
    line = LineCheck("p", 0, "a = b < c & d", "algebra", ("A1",), status, 3, "1e-60", "why" if status != "pass" else "")
    check = KernelCheck("k", "out", "Ridders", "pass", 1e-12)
    return Report("made-up", "Made up", (line,), (check,), "f" * 64, "pass", (), ("A1",), {"proved": 0.5})


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["pass"], 0),
        (["pass", "fail"], 1),
        (["pass", "unresolved"], 3),
        (["unresolved", "fail", "pass"], 1),
    ],
)
def test_exit_codes_and_reports(statuses, code, monkeypatch, tmp_path, capsys):
    slugs = registry.slugs()[: len(statuses)]
    found = dict(zip(slugs, map(report, statuses), strict=True))
    monkeypatch.setattr(build, "verified", found.get)
    junit, data = tmp_path / "new/junit.xml", tmp_path / "new/report.json"
    assert cli.main(["verify", *slugs, "--junit", str(junit), "--json", str(data)]) == code
    out = capsys.readouterr().out
    assert f"{len(slugs)} derivations: " in out
    root = ET.parse(junit).getroot()  # noqa: S314 - our own file
    assert len(root.findall("testsuite")) == len(slugs)
    assert len(root.findall(".//failure")) == statuses.count("fail")
    assert len(root.findall(".//skipped")) == statuses.count("unresolved")
    assert [row["status"] for row in json.loads(data.read_text(encoding="utf-8"))["derivations"]] == statuses


def test_junit_has_no_characters_that_xml_forbids():
    odd = replace(report("fail"), faults=("\x00\x1b[1m \ud800 ok \U0001d53c",))
    root = ET.fromstring(as_junit([odd]).encode())  # noqa: S314 - our own text
    assert "ok 𝔼" in root.find(".//failure").get("message")


def test_json_says_everything(good):
    [row] = json.loads(as_json([good]))["derivations"]
    assert row["slug"] == SLUG
    assert row["status"] == "pass"
    assert len(row["lines"]) == len(good.lines)
    assert {check["method"] for check in row["kernels"]} >= {"complex step", "Ridders", "50 digits", "saturated"}


def test_a_sigmoid_has_its_derivative():
    """What the entry stands for, once more and by hand."""
    assert registry.load(SLUG).claim is eq(D(σ(x), x), σ(x) * (1 - σ(x)))
