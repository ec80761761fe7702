"""Everything that can be checked of an entry, checked: proofs, lines in numbers, the certificate elsewhere, kernels.

Nothing numeric is called proved. What could not be decided is unresolved, and that is no pass.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final, Literal

from derive.evidence.kernel_check import KernelCheck, check_kernels
from derive.evidence.witness import Evidence, Session, witness
from derive.language.term import Complaint, Term, plain, sort
from derive.logic.theorem import Theorem
from derive.record import Derivation, Proof

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

    @property
    def status(self) -> Status:
        """Fail if anything fails; else unresolved if anything is; else pass."""
        found = {self.replayed, *(line.status for line in self.lines), *(kernel.status for kernel in self.kernels)}
        if self.faults or "fail" in found:
            return "fail"
        return "unresolved" if "unresolved" in found else "pass"

    @property
    def witnessed(self) -> frozenset[tuple[str, int]]:
        """The lines that hold in numbers: (proof, position)."""
        return frozenset((check.proof, check.position) for check in self.lines if check.status == "pass")

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
        return (*self.faults, *lines, *kernels)

    def __str__(self) -> str:
        """Return the figures in a few lines."""
        good = [check for check in self.lines if check.status == "pass"]
        assumed = ", ".join(self.assumptions) or "nothing"
        rows = [
            f"{self.status:<10} {self.slug}",
            f"    proofs    {len(self.lines)} lines and claims proved, {len(good)} witnessed, assumes {assumed}",
            f"    replay    {self.replayed} in a fresh process, certificate {self.certificate[:16]}",
        ]
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


def verify(entry: Derivation, *, replay: bool = True) -> Report:
    """Check an entry in every way there is.

    Parameters
    ----------
    entry : Derivation
    replay : bool
        Whether to replay the certificate in a fresh process. Left out, the replay counts as unresolved.
    """
    clock = _Clock()
    faults = proved(entry)
    clock.lap("proved")
    if faults:
        return Report(entry.slug, plain_text(entry.title), (), (), "", "unresolved", faults, (), clock.seconds)
    lines = tuple(line_checks(entry))
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


def proved(entry: Derivation) -> tuple[str, ...]:
    """Run every proof of an entry and return what is wrong; () where all hold."""
    return tuple(fault for proof in entry.proofs.values() if (fault := _fault(proof)))


def _fault(proof: Proof) -> str:
    try:
        _ = proof.argument
    except Complaint as error:
        return f"{proof.entry.slug}, {proof.name}: {error}"
    return ""


def statements(entry: Derivation) -> Iterator[tuple[Proof, int, Theorem, str]]:
    """Yield every line of an entry, and every claim that is no line: proof, position (-1), theorem, reasons."""
    for proof in entry.proofs.values():
        for position, line in enumerate(proof.lines):
            yield proof, position, line.theorem, "; ".join(map(repr, line.reasons)) or "algebra"
        if not any(line.theorem.conclusion is proof.theorem.conclusion for line in proof.lines):
            yield proof, -1, proof.theorem, ""


def line_checks(entry: Derivation) -> Iterator[LineCheck]:
    """Yield what the witness finds about every line and every claim."""
    session = Session()
    for proof, position, theorem, reasons in statements(entry):
        seen = _seen(theorem.conclusion, theorem.hypotheses, session)
        tags = {tag for hypothesis in theorem.hypotheses if (tag := entry.tag(hypothesis))}
        status, note = _STATUS[seen.status], ""
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


def _met(proof: Proof, theorem: Theorem, seen: Evidence, session: Session) -> frozenset[bool]:
    """Return the truth values that the sides of ⟺ took, also where a formula elsewhere in its chain is made to hold."""
    met = seen.met
    for line in proof.lines:
        for formula in (line.before, line.after):
            if len(met) < 2 and sort(formula) == "formula":
                there = _seen(theorem.conclusion, theorem.hypotheses | {formula}, session)
                met |= there.met if there.status == "true" else frozenset()
    return met


def _seen(formula: Term, hypotheses: frozenset[Term], session: Session) -> Evidence:
    if (formula, hypotheses) not in _SEEN:
        _SEEN[formula, hypotheses] = witness(formula, sorted(hypotheses, key=plain), session=session)
    return _SEEN[formula, hypotheses]


_SEEN: Final[dict[tuple[Term, frozenset[Term]], Evidence]] = {}
"What was seen of a theorem is the same in every session."


def witnessed(entry: Derivation) -> frozenset[tuple[str, int]]:
    """Return the lines and claims that hold in numbers: (proof, position)."""
    return frozenset((check.proof, check.position) for check in line_checks(entry) if check.status == "pass")


# ---- the certificate, elsewhere -------------------------------------------------------------------------------------


def replayed_elsewhere(certificates: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Replay certificates in a fresh process, by the core and the rules alone; return what is refused and why."""
    from derive.logic.certificate import dumps

    with tempfile.TemporaryDirectory() as folder:
        paths = {slug: Path(folder, f"{slug}.json") for slug in certificates}
        for slug, path in paths.items():
            path.write_text(dumps(certificates[slug]), encoding="utf-8")
        if _replay(paths.values()) == "":
            return {}
        return {slug: why for slug, path in paths.items() if (why := _replay([path]))}


def _replay(paths: Iterable[Path]) -> str:
    """Return why a fresh process refuses certificates; "" where it accepts them all."""
    home = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))}
    command = [sys.executable, "-P", "-m", "derive", "replay", *map(str, paths)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)  # noqa: S603 - our own command
    return "" if done.returncode == 0 else done.stderr.strip() or f"the replay ended with {done.returncode}"


# ---- reports as files -----------------------------------------------------------------------------------------------


def as_json(reports: Iterable[Report]) -> str:
    """Return reports as JSON text."""
    from dataclasses import asdict

    rows = [{"status": report.status, **asdict(report)} for report in reports]
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
    for measured in report.kernels:
        yield f"{measured.kernel}, {measured.output}, {measured.method}", measured.status, measured.note


def _printable(text: str) -> str:
    """Return a text without the characters that XML has no room for."""
    return "".join(
        c
        for c in text
        if c in "\t\n" or (ord(c) >= 0x20 and not 0xD800 <= ord(c) < 0xE000 and ord(c) < 0xFFFE) or ord(c) > 0xFFFF
    )
