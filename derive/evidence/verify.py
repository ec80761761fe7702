"""Everything that can be checked of an entry, checked: proofs, lines in numbers, the certificate elsewhere, kernels.

Nothing numeric is called proved. What could not be decided is unresolved, and that is no pass.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any, Final, Literal

from derive.evidence.kernel_check import KernelCheck, check_kernels
from derive.evidence.quoted import Finding, claim_findings, number_findings
from derive.evidence.witness import Evidence, Session, witness
from derive.language.term import Complaint, Term, plain, sort
from derive.logic.theorem import Theorem
from derive.record import NUMBERS, SAID, Misstatement, Proof, Record

Status = Literal["pass", "fail", "unresolved"]
_STATUS: Final[Mapping[str, Status]] = {"true": "pass", "false": "fail", "undecided": "unresolved"}


@dataclass(frozen=True)
class LineCheck:
    """How one line, or one claim, is known.

    Attributes
    ----------
    proof : str
        The name of its proof.
    position : int
        Its position there; -1 for the claim of the proof.
    statement, reasons : str
    assumes : tuple of str
        The tags of the assumptions on which it rests.
    status : str
        What the witness found: "pass", "fail" or "unresolved".
    instances : int
        At how many points it was looked at.
    disagreement : str
        The largest relative difference of its two sides.
    note : str
        The counterexample, or why it is unresolved.
    """

    proof: str
    position: int
    statement: str
    reasons: str
    assumes: tuple[str, ...]
    status: Status
    instances: int
    disagreement: str
    note: str = ""


@dataclass(frozen=True)
class Report:
    """All that was found about one entry.

    Attributes
    ----------
    slug, title : str
    lines : tuple of LineCheck
        Every line of every proof, and after its lines every claim that is no line itself.
    kernels : tuple of KernelCheck
    certificate : str
        The certificate's content hash, "" where there is none.
    replayed : str
        "pass", "fail" or "unresolved": of the replay in a fresh process.
    faults : tuple of str
        Why a proof failed, an obligation was left over, a certificate was refused.
    assumptions : tuple of str
        The tags of the assumptions on which claims rest.
    seconds : mapping of str to float
        How long each part took.
    numbers : tuple of Finding
        Every number that is quoted in decimals.
    said : tuple of Finding
        Of a misstatement: its claim, which must be false.
    """

    slug: str
    title: str
    lines: tuple[LineCheck, ...]
    kernels: tuple[KernelCheck, ...]
    certificate: str
    replayed: Status
    faults: tuple[str, ...]
    assumptions: tuple[str, ...]
    seconds: Mapping[str, float]
    numbers: tuple[Finding, ...] = ()
    said: tuple[Finding, ...] = ()

    @property
    def status(self) -> Status:
        """Fail if anything fails; else unresolved if anything is; else pass."""
        checks: tuple[LineCheck | KernelCheck | Finding, ...] = (
            *self.lines,
            *self.kernels,
            *self.numbers,
            *self.said,
        )
        found = {self.replayed, *(check.status for check in checks)}
        if self.faults or "fail" in found:
            return "fail"
        return "unresolved" if "unresolved" in found else "pass"

    @property
    def witnessed(self) -> frozenset[tuple[str, int]]:
        """The lines that hold in numbers: (proof, position)."""
        return frozenset((check.proof, check.position) for check in self.lines if check.status == "pass")

    @property
    def seen(self) -> frozenset[tuple[str, int]]:
        """The lines and the numbers that hold, and what is said and false: what a page marks with ≈."""
        return self.witnessed | _places(NUMBERS, self.numbers) | _places(SAID, self.said)

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that keeps it from passing, in words."""
        lines = [
            f"{c.proof}, {'claim' if c.position < 0 else f'line {c.position + 1}'}, {c.status}: {c.statement}: {c.note}"
            for c in self.lines
            if c.status != "pass"
        ]
        kernels = [
            f"kernel {c.kernel}, {c.output}, {c.method}, {c.status} (relative error {c.error:.2g}): {c.note}"
            for c in self.kernels
            if c.status != "pass"
        ]
        numbers = [f"number, {c.status}: {c.statement}: {c.note}" for c in self.numbers if c.status != "pass"]
        said = [f"what is said, {c.status}: {c.statement}: {c.note}" for c in self.said if c.status != "pass"]
        return (*self.faults, *said, *lines, *numbers, *kernels)

    def __str__(self) -> str:
        """Return the figures in a few lines."""
        good = [check for check in self.lines if check.status == "pass"]
        assumed = ", ".join(self.assumptions) or "nothing"
        rows = [
            f"{self.status:<10} {self.slug}",
            f"    proofs    {len(self.lines)} lines and claims proved, {len(good)} witnessed, assumes {assumed}",
            f"    replay    {self.replayed} in a fresh process, certificate {self.certificate[:16]}",
        ]
        rows += [
            f"    said      {finding.statement}: {finding.note}" for finding in self.said if finding.status == "pass"
        ]
        if self.numbers:
            right = sum(check.status == "pass" for check in self.numbers)
            rows.append(f"    numbers   {right} of {len(self.numbers)} decimals witnessed")
        for kernel in dict.fromkeys(check.kernel for check in self.kernels):
            checks = [check for check in self.kernels if check.kernel == kernel]
            worst: dict[str, KernelCheck] = {}
            for check in checks:
                if check.method not in worst or check.error > worst[check.method].error:
                    worst[check.method] = check
            figures = ", ".join(f"{method} {check.error:.1e}" for method, check in worst.items())
            rows.append(f"    kernel    {kernel}: {figures}")
        seconds = ", ".join(f"{part} {time:.1f} s" for part, time in self.seconds.items())
        return "\n".join([*rows, f"    time      {seconds}", *(f"    {problem}" for problem in self.problems)])


# ---- one entry ------------------------------------------------------------------------------------------------------


def verify(entry: Record, *, replay: bool = True) -> Report:
    """Check an entry in every way there is.

    Parameters
    ----------
    entry : Record
    replay : bool
        Whether to replay the certificate in a fresh process. Left out, the replay counts as unresolved.
    """
    clock = _Clock()
    faults = proved(entry)
    clock.lap("proved")
    if faults:
        return Report(entry.slug, plain_text(entry.title), (), (), "", "unresolved", faults, (), clock.seconds)
    lines = tuple(line_checks(entry))
    numbers, said = tuple(number_findings(entry)), tuple(claim_findings(entry))
    clock.lap("witnessed")
    certificate = entry.certificate()
    refused = replayed_elsewhere({entry.slug: certificate}) if replay else {}
    clock.lap("replayed")
    kernels = tuple(check_kernels(entry))
    clock.lap("kernels")
    return Report(
        slug=entry.slug,
        title=plain_text(entry.title),
        lines=lines,
        kernels=kernels,
        certificate=certificate["hash"],
        replayed="unresolved" if not replay else "fail" if refused else "pass",
        faults=tuple(refused.values()),
        assumptions=tuple(sorted({tag for check in lines for tag in check.assumes}, key=lambda tag: int(tag[1:]))),
        seconds=clock.seconds,
        numbers=numbers,
        said=said,
    )


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.seconds[name], self._last = now - self._last, now


def plain_text(marked: str) -> str:
    """Return a text of a record as plain text."""
    from derive.language.term import unmarked

    return unmarked(marked)


def proved(entry: Record) -> tuple[str, ...]:
    """Run every proof of an entry and return what is wrong; () where all hold."""
    faults = tuple(fault for proof in entry.proofs.values() if (fault := _fault(proof)))
    if not faults and isinstance(entry, Misstatement) and not entry.refuted:
        return (f"{entry.slug}: the proofs do not contradict {entry.at(entry.claim)!r}",)
    return faults


def _fault(proof: Proof) -> str:
    try:
        _ = proof.argument
    except Complaint as error:
        return f"{proof.entry.slug}, {proof.name}: {error}"
    return ""


def statements(entry: Record, names: Iterable[str] | None = None) -> Iterator[tuple[Proof, int, Theorem, str]]:
    """Yield every line of an entry, and every claim that is no line: proof, position (-1), theorem, reasons."""
    for proof in map(entry.proofs.__getitem__, entry.proofs if names is None else names):
        for position, line in enumerate(proof.lines):
            yield proof, position, line.theorem, "; ".join(map(repr, line.reasons)) or "algebra"
        if not any(line.theorem.conclusion is proof.theorem.conclusion for line in proof.lines):
            yield proof, -1, proof.theorem, ""


def line_checks(entry: Record, names: Iterable[str] | None = None) -> Iterator[LineCheck]:
    """Yield what the witness finds about every line and every claim, of all proofs or of those with the names."""
    session, errors = Session(), list[Theorem]()
    for proof, position, theorem, reasons in statements(entry, names):
        known = tuple(e.conclusion for e in errors[-NEAR:] if e.hypotheses <= theorem.hypotheses)
        seen = _seen(theorem.conclusion, theorem.hypotheses, session, known)
        tags = {tag for hypothesis in theorem.hypotheses if (tag := entry.tag(hypothesis))}
        status, note = _STATUS[seen.status], ""
        if status == "pass" and _is_error(theorem.conclusion):
            errors.append(theorem)
        if status == "pass" and theorem.conclusion.op == "iff" and len(_met(proof, theorem, seen, session)) < 2:
            status, note = "unresolved", f"both sides of ⟺ were {' and '.join(map(str, seen.met))}, and never otherwise"
        yield LineCheck(
            proof.name,
            position,
            plain(theorem.conclusion),
            reasons,
            tuple(sorted(tags)),
            status,
            seen.instances,
            seen.digits,
            note or ("" if status == "pass" else str(seen)),
        )


NEAR: Final = 16
"How many errors back one looks for that of the next quantity."


def _is_error(formula: Term) -> bool:
    """Tell whether a formula is ∂L/∂q = δ, for a named quantity q as a whole."""
    return formula.op == "eq" and formula.args[0].op == "D" and formula.args[0].args[1].op == "let"


def _met(proof: Proof, theorem: Theorem, seen: Evidence, session: Session) -> frozenset[bool]:
    """Return the truth values that the sides of ⟺ took, also where a formula elsewhere in its chain is made to hold."""
    met = seen.met
    for line in proof.lines:
        for formula in (line.before, line.after):
            if len(met) < 2 and sort(formula) == "formula":
                there = _seen(theorem.conclusion, theorem.hypotheses | {formula}, session)
                met |= there.met if there.status == "true" else frozenset()
    return met


def _seen(formula: Term, hypotheses: frozenset[Term], session: Session, known: tuple[Term, ...] = ()) -> Evidence:
    key = formula, hypotheses, known
    if key not in _SEEN:
        _SEEN[key] = witness(formula, sorted(hypotheses, key=_spelled), session=session, seen=known)
    return _SEEN[key]


_spelled: Final = cache(plain)
_SEEN: Final[dict[tuple[Term, frozenset[Term], tuple[Term, ...]], Evidence]] = {}
"What was seen of a theorem is the same in every session."


def witnessed(entry: Record) -> frozenset[tuple[str, int]]:
    """Return the places of what holds in numbers, (proof, position): lines, claims, quoted numbers; what is said."""
    lines = frozenset((check.proof, check.position) for check in line_checks(entry) if check.status == "pass")
    return lines | _places(NUMBERS, number_findings(entry)) | _places(SAID, claim_findings(entry))


def _places(name: str, findings: Iterable[Finding]) -> frozenset[tuple[str, int]]:
    return frozenset((name, position) for position, found in enumerate(findings) if found.status == "pass")


# ---- the certificate, elsewhere -------------------------------------------------------------------------------------


class Replayer:
    """A fresh process that replays certificates by the core and the rules alone, one after the other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def refusal(self, certificate: Mapping[str, Any]) -> str:
        """Return why a certificate is refused; "" where it holds."""
        from derive.logic.certificate import dumps

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "certificate.json")
            path.write_text(dumps(certificate), encoding="utf-8")
            answer = self._answer(str(path))
        if not answer:
            self.close()
            return "the process that replays it ended without an answer"
        verdict = json.loads(answer)
        return "" if verdict["holds"] else str(verdict["why"]) or "refused"

    def _answer(self, name: str) -> str:
        if self._process is None:
            self._process = self._started()
        questions, answers = self._process.stdin, self._process.stdout
        if questions is None or answers is None:
            return ""
        try:
            questions.write(name + "\n")
            questions.flush()
            return answers.readline()
        except BrokenPipeError:
            return ""

    @staticmethod
    def _started() -> subprocess.Popen[str]:
        home = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "derive", "replay", "-"],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def close(self) -> None:
        """End the process; the next certificate starts another one."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        process.wait()


_REPLAYER: Final = Replayer()
"One for all entries that this process verifies; it is started with the first of them."
atexit.register(_REPLAYER.close)


def replayed_elsewhere(certificates: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Replay certificates in a fresh process, by the core and the rules alone; return what is refused and why."""
    return {slug: why for slug, certificate in certificates.items() if (why := _REPLAYER.refusal(certificate))}


# ---- reports as data and as files ------------------------------------------------------------------------------------


def as_data(report: Report) -> dict[str, Any]:
    """Return a report as plain data."""
    return {"status": report.status, **asdict(report)}


def from_data(data: Mapping[str, Any]) -> Report:
    """Return the report that plain data, from JSON too, were made of."""
    checks = {"lines": LineCheck, "kernels": KernelCheck, "numbers": Finding, "said": Finding}
    fields = {name: value for name, value in data.items() if name != "status"}
    for name, kind in checks.items():
        rows = ({key: tuple(v) if isinstance(v, list) else v for key, v in row.items()} for row in data[name])
        fields[name] = tuple(kind(**row) for row in rows)
    return Report(**{**fields, "faults": tuple(data["faults"]), "assumptions": tuple(data["assumptions"])})


def as_json(reports: Iterable[Report]) -> str:
    """Return reports as JSON text."""
    rows = list(map(as_data, reports))
    return (
        json.dumps({"format": "derive report 1", "derivations": rows}, ensure_ascii=False, indent=1, default=str) + "\n"
    )


def as_junit(reports: Iterable[Report]) -> str:
    """Return reports as JUnit XML: a test suite an entry, a test case a line, kernel check and replay."""
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    root = Element("testsuites", name="derive verify")
    for report in reports:
        cases = list(_cases(report))
        failures = sum(status == "fail" for _, status, _ in cases)
        skipped = sum(status == "unresolved" for _, status, _ in cases)
        suite = SubElement(
            root, "testsuite", name=report.slug, tests=str(len(cases)), failures=str(failures), skipped=str(skipped),
            time=f"{sum(report.seconds.values()):.3f}",
        )  # fmt: skip
        for name, status, note in cases:
            case = SubElement(suite, "testcase", classname=f"derive.{report.slug}", name=_printable(name))
            if status == "fail":
                SubElement(case, "failure", message=_printable(note))
            elif status == "unresolved":
                SubElement(case, "skipped", message=_printable(f"unresolved: {note}"))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _cases(report: Report) -> Iterator[tuple[str, Status, str]]:
    for fault in report.faults:
        yield "proof", "fail", fault
    for check in report.lines:
        where = "claim" if check.position < 0 else f"line {check.position + 1}"
        yield f"{check.proof}, {where}: {check.statement}", check.status, check.note
    yield "replay in a fresh process", report.replayed, ""
    for number in report.numbers:
        yield f"number: {number.statement}", number.status, number.note
    for claim in report.said:
        yield f"false: {claim.statement}", claim.status, claim.note
    for measured in report.kernels:
        yield f"{measured.kernel}, {measured.output}, {measured.method}", measured.status, measured.note


def _printable(text: str) -> str:
    """Return a text without the characters that XML has no room for."""
    return "".join(
        c
        for c in text
        if c in "\t\n" or (ord(c) >= 0x20 and not 0xD800 <= ord(c) < 0xE000 and ord(c) < 0xFFFE) or ord(c) > 0xFFFF
    )
