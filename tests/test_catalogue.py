"""Every derivation of the catalogue: its record is whole, it holds in every way, and what is wrong is refused."""

import ast
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from functools import cache

import html5lib
import pytest
from mutants import mutants, mutants_of

import derive
import derive.record
from derive import registry
from derive.build import levels
from derive.evidence.kernel_check import check_kernels
from derive.evidence.verify import line_checks
from derive.evidence.witness import Session, witness
from derive.language.term import alpha, lift
from derive.logic.certificate import dumps, replay
from derive.pages.site import html_page, tex_page
from derive.record import Derivation, Example

SLUGS = registry.slugs()
MISSTATED = tuple(entry.slug for entry in registry.misstatements())
RESULTS = tuple(slug for slug in SLUGS if slug not in MISSTATED)
TEXTS = ("title", "goal", "prompt", "sixty_seconds", "strong", "weak")

# The issue's own list: what the flagships may rest on, and nothing else.
ASSUMED = {
    "sigmoid-derivative": 0,
    "logistic-gradient": 0,
    "softmax-jacobian": 0,
}


@cache
def view(slug):
    return derive.load(slug)


@cache
def report(slug):
    return view(slug).verify()


@cache
def page(slug, mode="solution", seed=0):
    return view(slug).page(mode, seed)


def conjuncts(formula):
    return [part for arg in formula.args for part in conjuncts(arg)] if formula.op == "and" else [formula]


@pytest.mark.parametrize("slug", RESULTS)
def test_the_record_is_whole(slug):
    entry = view(slug).entry
    for name in TEXTS:
        assert getattr(entry, name).strip(), f"{slug} has no {name}"
    assert entry.given, "say what is given"
    assert entry.mistakes, "name a common mistake"
    assert entry.sanity, "name a sanity check"
    assert all(name and text for name, text in entry.sanity)
    assert all(mistake.why.strip() for mistake in entry.mistakes), "say why each mistake is wrong"
    assert entry.topic in registry.TOPICS
    lost = {s for s in (*entry.prerequisites, *entry.follow_ups) if s not in SLUGS}
    assert not lost, f"{slug} names derivations that are not there: {lost}"
    assert slug not in entry.prerequisites
    names = [kernel.name for kernel in entry.kernels]
    assert len(set(names)) == len(names)
    unknown = {name for kernel in entry.kernels for name in kernel.proved_by} - set(entry.proofs)
    assert not unknown, f"kernels are proved by what is no proof: {unknown}"


def test_prerequisites_have_no_circle():
    """The index prints them by levels, and refuses a circle."""
    placed = levels({slug: view(slug).entry.prerequisites for slug in SLUGS})
    number = {slug: n for n, level in enumerate(placed) for slug in level}
    assert all(
        number[before] < number[slug] for slug in SLUGS for before in view(slug).entry.prerequisites if before in SLUGS
    )


def test_a_circle_is_noticed():
    assert levels({"a": (), "b": ("a", "elsewhere"), "c": ("b",), "d": ("a",)}) == [["a"], ["b", "d"], ["c"]]
    with pytest.raises(ValueError, match="of one another: b, c"):
        levels({"a": (), "b": ("c",), "c": ("b", "a")})


@pytest.mark.parametrize("slug", MISSTATED)
def test_what_is_often_said_is_refuted_and_corrected(slug):
    """The theorems contradict the claim, the witness finds it false, and what is true is proved elsewhere."""
    entry = view(slug).entry
    for name in ("title", "said", "why", "correction"):
        assert getattr(entry, name).strip(), f"{slug} has no {name}"
    assert entry.given, "say what is given"
    assert entry.topic == "misstated"
    assert entry.refuted
    assert [finding.status for finding in report(slug).said] == ["pass"]
    there, name = entry.instead
    assert there in RESULTS, f"{slug} is corrected by {there}, which is not there"
    assert name in view(there).entry.proofs, f"{there} has no proof {name}: {sorted(view(there).entry.proofs)}"
    assert page(slug).said.theorem is view(there).entry.proofs[name].claim


@pytest.mark.parametrize("slug", sorted({registry.load(slug).instead[0] for slug in MISSTATED} & set(SLUGS)))
def test_the_page_of_the_truth_leads_to_what_is_said(slug):
    wrong = {other for other in MISSTATED if view(other).entry.instead[0] == slug}
    assert {link.slug for link in page(slug).misstated} == wrong


@pytest.mark.parametrize("slug", RESULTS)
def test_the_claim_is_proved(slug):
    entry = view(slug).entry
    proved = {alpha(part) for proof in entry.proofs.values() for part in conjuncts(proof.theorem.conclusion)}
    lost = [part for part in conjuncts(entry.claim) if alpha(part) not in proved]
    assert not lost, f"{slug} claims what no proof of it shows: {lost}"
    assert any(proof.main for proof in entry.proofs.values()), "mark the proof of the claim with main=True"


@pytest.mark.parametrize("slug", SLUGS)
def test_every_hypothesis_is_a_listed_assumption_and_every_assumption_is_used(slug):
    entry = view(slug).entry
    used = {entry.tag(h) for proof in entry.proofs.values() for h in proof.theorem.hypotheses}
    assert None not in used
    idle = {f"A{n}" for n in range(1, len(entry.assumptions) + 1)} - used
    assert not idle, f"{slug} lists assumptions that no claim rests on: {idle}"
    if slug in ASSUMED:
        assert len(entry.assumptions) == ASSUMED[slug]


@pytest.mark.parametrize("slug", SLUGS)
def test_everything_holds(slug):
    """Proofs, every line at 50 digits, the replay in a fresh process, the kernels: what `derive verify` says."""
    found = report(slug)
    assert found.status == "pass", "\n".join(found.problems)
    assert len(found.witnessed) == len(found.lines) > 0


@pytest.mark.parametrize("slug", SLUGS)
def test_every_instance_of_an_example_holds(slug):
    """Each seed draws one that is proved and witnessed, and they are not all the same."""
    names = [name for name, proof in view(slug).entry.proofs.items() if isinstance(proof, Example)]
    drawn = [view(slug).entry.drawn(seed) for seed in range(6 if names else 0)]
    assert all(len({entry.proofs[name].claim for entry in drawn}) > 1 for name in names)
    for seed, entry in enumerate(drawn):
        wrong = [check for check in line_checks(entry, names) if check.status != "pass"]
        assert not wrong, f"seed {seed}: {wrong}"


@pytest.mark.parametrize("slug", SLUGS)
def test_the_certificate_claims_what_was_proved(slug):
    certificate = view(slug).certificate
    claims = replay(certificate)
    assert {n: t.conclusion for n, t in claims.items()} == {
        n: t.conclusion for n, t in view(slug).entry.theorems.items()
    }
    assert dumps(certificate) == view(slug).to_json()


@pytest.mark.parametrize("slug", SLUGS)
def test_kernels_are_readable_python(slug):
    source = view(slug).numpy
    tree = ast.parse(source)
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for kernel in view(slug).kernels:
        assert ast.get_docstring(functions[kernel.name]), f"{kernel.name} has no docstring"
        assert not any(isinstance(node, ast.For | ast.While) for node in ast.walk(functions[kernel.name]))


@pytest.mark.parametrize(("mode", "seed"), [("solution", 0), ("practice", 3)], ids=["solution", "practice"])
@pytest.mark.parametrize("slug", SLUGS)
def test_pages_are_valid_html(slug, mode, seed):
    pages = {"index.html", *(f"{other}.html" for other in SLUGS)}
    text = html_page(page(slug, mode, seed))
    html5lib.HTMLParser(strict=True).parse(text)
    assert "\ue000" not in text, "a term's mark was printed and not the term"
    assert set(re.findall(r'href="([^"#]+)"', text)) <= pages, "a link leads nowhere"


@pytest.mark.parametrize("slug", SLUGS)
def test_a_practice_sheet_gives_nothing_away(slug):
    solution, practice = page(slug), page(slug, "practice")
    assert [line.tall for line in practice.lines] == [line.tall for line in solution.lines]
    assert all(line.right is None for line in practice.lines)
    assert practice.sheet == solution.sheet
    seeded, key = page(slug, "practice", 3), page(slug, "solution", 3)
    assert seeded.sheet == key.sheet != solution.sheet
    assert [line.blank for line in seeded.lines] == [line.blank for line in key.lines]


@pytest.mark.parametrize("slug", SLUGS)
def test_the_page_shows_every_line_with_reason_and_verdict(slug):
    sheet = page(slug)
    assert sheet.verdict.lines == sheet.verdict.proved == sheet.verdict.witnessed
    assert all(line.reason and line.proved and line.witnessed for line in sheet.lines)
    assert all(number.witnessed for number in sheet.numbers)
    assert sheet.verdict.assumed == len(sheet.assumptions) == len(view(slug).assumptions)
    assert [line.number for line in sheet.lines] == list(range(1, len(list(sheet.lines)) + 1))


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
@pytest.mark.parametrize(
    "slug", [pytest.param(slug, marks=[pytest.mark.slow] if n % 3 else []) for n, slug in enumerate(SLUGS)]
)
def test_the_latex_compiles(slug, tmp_path):
    (tmp_path / "sheet.tex").write_text(tex_page(page(slug)), encoding="utf-8")
    command = ["pdflatex", "-draftmode", "-interaction=nonstopmode", "-halt-on-error", "sheet.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]


# ---- what is wrong is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", RESULTS)
def test_common_mistakes_are_mistakes(slug):
    entry = view(slug).entry
    given = [assumption.formula for assumption in entry.assumptions]
    for mistake in entry.mistakes:
        seen = [witness(mistake.wrong, hypotheses) for hypotheses in ((), given)]
        assert any(evidence.status == "false" for evidence in seen), f"{mistake.wrong} is not refuted: {seen[1]}"


@pytest.mark.parametrize("slug", SLUGS)
def test_mutants_of_every_line_are_refused_or_true(slug):
    """A slip is refused; what is accepted with a slip is true for another reason, and says so in numbers."""
    entry, session = view(slug).entry, Session()
    refused, survivors = Counter(), []
    for line in entry.lines:
        for mutant in mutants_of(line):
            if mutant.refused(entry):
                refused[mutant.kind] += 1
            else:
                survivors.append(mutant)
    if slug in RESULTS:
        assert refused.total() >= 10
        assert {"sign", "factor", "dropped reason"} <= set(refused), refused
    for mutant in survivors:
        assert mutant.kind not in {"dropped reason", "relation"}, f"{mutant.kind} is accepted: {mutant.formula}"
        evidence = witness(mutant.formula, sorted(mutant.line.theorem.hypotheses, key=repr), session=session)
        assert evidence.status == "true", f"a false mutant survives: {mutant.formula}: {evidence}"


@pytest.mark.parametrize("slug", SLUGS)
def test_another_claim_than_the_proved_one_is_refused(slug):
    entry = view(slug).entry
    for proof in entry.proofs.values():
        for _, wrong in list(mutants(proof.claim))[:6]:
            other = replace(proof, stated=wrong, write=lambda proof=proof: proof.argument)
            with pytest.raises(derive.record.RecordError, match="and claims"):
                _ = other.argument


@pytest.mark.parametrize("slug", SLUGS)
def test_mutants_of_the_kernels_are_caught(slug):
    """A lost factor, sign or addend, one part in ten thousand, another output in its place."""
    entry = view(slug).entry
    for kernel in entry.kernels:
        if not kernel.proved_by and kernel.textbook is None:
            continue
        for number, (name, term) in enumerate(kernel.outputs):
            slips = [2 * term, -term, lift(Fraction(10001, 10000)) * term, *_cheap(term)]
            for slip in slips:
                outputs = ((name, slip), *kernel.outputs[:number], *kernel.outputs[number + 1 :])
                wrong = _with_kernel(entry, replace(kernel, outputs=outputs))
                caught = any(check.status == "fail" for check in check_kernels(wrong))
                assert caught, f"{kernel.name} is not caught with {name} = {slip!r}"


def _cheap(term):
    """A few slips inside a term, those that the witness can tell from it."""
    different = []
    for kind, mutant in mutants(term):
        if kind in {"dropped", "transposed"} and len(different) < 3:
            from derive.language.term import eq

            if witness(eq(term, mutant)).status == "false":
                different.append(mutant)
    return different


def _with_kernel(entry, kernel):
    wrong = Derivation(**{**{name: getattr(entry, name) for name in _FIELDS}, "kernels": (kernel,)})
    wrong.proofs.update(entry.proofs)
    return wrong


_FIELDS = [name for name in Derivation.__dataclass_fields__ if name != "proofs"]
