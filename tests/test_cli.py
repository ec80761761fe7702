"""The command line: what it answers, how fast, what it writes, and what it says of bad input."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import html5lib
import pytest

from derive import cli, files, registry, state
from derive.build import build, index, summary, table
from derive.evidence.verify import as_data, from_data
from derive.language.term import unmarked
from derive.logic.calc import calc
from derive.logic.certificate import content_hash

SLUG = "sigmoid-derivative"
HEAVY = ("sympy", "numpy", "mpmath", "jinja2", "latex2mathml")
SECONDS = 0.15


def run(*arguments, seed="0", **options):
    """The command line in a process of its own."""
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-m", "derive", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, **options)


def loaded(code):
    """What a fresh process has loaded after some code."""
    code += "\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def certificate():
    """A certificate, as text."""
    import derive

    return derive.load(SLUG).to_json()


# ---- answers --------------------------------------------------------------------------------------------------------


def test_list_shows_every_derivation():
    done = run("list")
    assert done.returncode == 0
    assert sorted(listed(done.stdout)) == sorted(registry.slugs())


def listed(text):
    return re.findall(r"^  (?:critical |important|useful   |         ) [★ ] (\S+)  ", text, re.MULTILINE)


def test_what_a_list_shows_is_what_the_entries_say():
    """The list reads the text of the entries; the records are what was written there."""
    for card in registry.cards():
        entry = registry.load(card.slug)
        shown = (entry.topic, unmarked(entry.title), entry.priority, entry.flagship)
        assert (card.topic, card.title, card.priority, card.flagship) == shown


def test_a_list_goes_by_topic_and_priority(capsys):
    cards = registry.cards()
    assert [card.topic for card in cards] == sorted((c.topic for c in cards), key=list(registry.TOPICS).index)
    for topic in registry.TOPICS:
        here = [registry.PRIORITIES.index(card.priority) for card in cards if card.topic == topic]
        assert here == sorted(here)
    assert cli.main(["list"]) == 0
    assert listed(capsys.readouterr().out) == [card.slug for card in cards]


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["--topic", "activations"], lambda card: card.topic == "activations"),
        (["--topic", "Linear models and losses"], lambda card: card.topic == "linear_models"),
        (["--topic", "LINEAR_models"], lambda card: card.topic == "linear_models"),
        (["--priority", "critical"], lambda card: card.priority == "critical"),
        (["--search", "Sigmoid derivative"], lambda card: card.slug == SLUG),
        (["--search", "hyperbolic tangent itself"], lambda card: card.slug == "tanh-derivative"),
        (["--topic", "activations", "--search", "softmax"], lambda card: card.slug == "softmax-jacobian"),
    ],
)
def test_a_list_is_filtered(arguments, kept, capsys):
    assert cli.main(["list", *arguments]) == 0
    shown, wanted = listed(capsys.readouterr().out), [card.slug for card in registry.cards() if kept(card)]
    assert wanted
    assert set(wanted) <= set(shown) if "--search" in arguments else shown == wanted


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--topic", "activation"], "did you mean activations"),
        (["--topic", "zzz"], "choose one of activations, calculus, linear-models"),
        (["--priority", "importantt"], "did you mean important?"),
        (["--priority", "zzz"], "choose one of critical, important, useful"),
        (["--search", "zzz"], "no derivation has --search zzz"),
    ],
)
def test_a_wrong_filter_is_told_with_what_there_is(arguments, hint, capsys):
    assert cli.main(["list", *arguments]) == cli.BAD_INPUT
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["list"], ["--help"]])
def test_it_answers_at_once(arguments):
    """Processor time of the quickest of a few runs: a busy machine must not decide."""

    def cost():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run(*arguments).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cost() for _ in range(5)) < SECONDS


@pytest.mark.parametrize("arguments", [["list"], ["--help"]])
def test_it_loads_nothing_heavy(arguments):
    code = f"from derive.cli import main\ntry: main({arguments!r})\nexcept SystemExit: pass"
    assert not loaded(code) & set(HEAVY)


@pytest.mark.parametrize(
    ("form", "sign"),
    [
        ("text", "lines proved (⊢)"),
        ("latex", r"\documentclass"),
        ("html", "<!doctype html>"),
        ("json", '"format": "derive certificate 1"'),
        ("numpy", "import numpy as np"),
    ],
)
def test_show(form, sign):
    done = run("show", SLUG, "--format", form)
    assert done.returncode == 0, done.stderr
    assert sign in done.stdout
    assert done.stdout.endswith("\n")


def test_version():
    assert run("--version").stdout.strip() == __import__("derive").__version__


def test_a_closed_pipe_is_no_traceback():
    command = f"{sys.executable} -m derive show {SLUG} --format html | head -c 100"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602 - a pipe is the point
    assert "Traceback" not in done.stderr


# ---- worksheets -----------------------------------------------------------------------------------------------------


def test_worksheets_are_written_where_they_are_asked_for(tmp_path, capsys):
    assert cli.main(["worksheet", SLUG, "-o", str(tmp_path / "a/b")]) == 0
    assert cli.main(["worksheet", SLUG, "-o", str(tmp_path), "--mode", "practice", "--seed", "7"]) == 0
    assert cli.main(["worksheet", SLUG, "-o", str(tmp_path), "--format", "tex"]) == 0
    written = [Path(line) for line in capsys.readouterr().out.split()]
    assert [path.name for path in written] == [f"{SLUG}.html", f"{SLUG}-practice-7.html", f"{SLUG}.tex"]
    for path in written[:2]:
        html5lib.HTMLParser(strict=True).parse(path.read_text(encoding="utf-8"))
    assert "seed 7" in written[1].read_text(encoding="utf-8")


def test_one_seed_gives_one_sheet(tmp_path):
    for folder, hashes in (("a", "1"), ("b", "2")):
        done = run("worksheet", SLUG, "--mode", "practice", "--seed", 3, "-o", tmp_path / folder, seed=hashes)
        assert done.returncode == 0, done.stderr
    name = f"{SLUG}-practice-3.html"
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


# ---- replay ---------------------------------------------------------------------------------------------------------


def test_replay_uses_core_and_rules_alone(tmp_path, certificate):
    path = tmp_path / "certificate.json"
    path.write_text(certificate, encoding="utf-8")
    modules = loaded(f"from derive.cli import main\nassert main(['replay', {str(path)!r}]) == 0")
    ours = {name for name in modules if name.startswith("derive")}
    for absent in ("calc", "arguments", "sympy_bridge"):
        assert f"derive.logic.{absent}" not in ours
    for room in ("catalogue", "registry", "record", "pages", "kernels", "evidence", "view", "build"):
        assert not [name for name in ours if name.split(".")[1:2] == [room]]
    assert "derive.logic.theorem" in ours


def test_replay_says_what_holds(tmp_path, certificate):
    path = tmp_path / "certificate.json"
    path.write_text(certificate, encoding="utf-8")
    done = run("replay", path)
    assert done.returncode == 0
    assert "derivative: ⊢ ∂σ(x)/∂x = σ(x)·(1 − σ(x))" in done.stdout


def _edits(data):
    """Certificates with one entry changed in each way that an entry can be."""
    for key in data:
        yield f"without {key}", {k: v for k, v in data.items() if k != key}
        yield f"{key} is null", {**data, key: None}
        yield f"{key} is a number", {**data, key: 7}
    for part in ("terms", "inferences", "lines"):
        for number in range(0, len(data[part]), max(1, len(data[part]) // 12)):
            for name, new in (("gone", None), ("cut", data[part][number][:1]), ("a text", "x"), ("empty", [])):
                edited = deepcopy(data)
                if new is None:
                    del edited[part][number]
                else:
                    edited[part][number] = new
                yield f"{part}[{number}] {name}", edited


def test_every_edited_certificate_is_refused(tmp_path, certificate, capsys):
    """With the hash as it was, and with a hash made anew."""
    path = tmp_path / "certificate.json"
    for what, edited in _edits(json.loads(certificate)):
        for again in (False, True):
            rehashed = {**edited, "hash": content_hash(edited)} if again else edited
            if again and (what.startswith("lines[") or "versions" in what or "slug" in what or "hash" in what):
                continue  # what is not proved may be anything, and an untouched certificate with its own hash holds
            path.write_text(json.dumps(rehashed), encoding="utf-8")
            code = cli.main(["replay", str(path)])
            message = capsys.readouterr().err
            assert code == cli.BAD_INPUT, f"{what} is accepted"
            assert str(path) in message
            assert "Traceback" not in message


def test_a_changed_number_is_refused_though_the_hash_is_right(tmp_path, certificate, capsys):
    data = json.loads(certificate)
    numbers = [n for n, (op, _, _) in enumerate(data["terms"]) if op == "num"]
    path = tmp_path / "certificate.json"
    for number in numbers:
        edited = deepcopy(data)
        edited["terms"][number][2] = {"number": "17"}
        edited["hash"] = content_hash(edited)
        path.write_text(json.dumps(edited), encoding="utf-8")
        assert cli.main(["replay", str(path)]) == cli.BAD_INPUT, data["terms"][number]
        assert "refused" in capsys.readouterr().err


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_certificate_cut_short_is_refused(tmp_path, certificate, share, capsys):
    path = tmp_path / "certificate.json"
    path.write_text(certificate[: int(share * len(certificate))], encoding="utf-8")
    assert cli.main(["replay", str(path)]) == cli.BAD_INPUT
    assert "cut short or edited" in capsys.readouterr().err


# ---- bad input ------------------------------------------------------------------------------------------------------


def _bad(tmp_path):
    (tmp_path / "file").write_text("a file\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "deep").write_text("[" * 100_000, encoding="utf-8")
    (tmp_path / "list").write_text("[1, 2]", encoding="utf-8")
    return {
        "unknown slug": (["show", "sigmoid-derivatve"], "did you mean sigmoid-derivative"),
        "unknown slug among good ones": (["worksheet", SLUG, "elbow", "-o", str(tmp_path / "new")], "elbo"),
        "unknown slug to verify": (["verify", "zzz"], "derive list shows them all"),
        "a file where a folder should be": (["worksheet", SLUG, "-o", str(tmp_path / "file")], "choose another"),
        "a folder inside a file": (["build", "-o", str(tmp_path / "file" / "x")], "choose another"),
        "no such certificate": (["replay", str(tmp_path / "none.json")], "there is no file"),
        "a folder as a certificate": (["replay", str(tmp_path)], "cannot be read"),
        "no text": (["replay", str(tmp_path / "binary")], "is no certificate"),
        "no JSON": (["replay", str(tmp_path / "file")], "is no JSON"),
        "JSON without an end": (["replay", str(tmp_path / "deep")], "is no"),
        "another JSON": (["replay", str(tmp_path / "list")], "is no certificate"),
        "a seed that is no number": (["worksheet", SLUG, "--seed", "x"], "whole number"),
        "a seed below 0": (["worksheet", SLUG, "--seed", "-1"], "whole number"),
        "a seed with a fraction": (["worksheet", SLUG, "--seed", "1.5"], "whole number"),
        "an unknown mode": (["worksheet", SLUG, "--mode", "test"], "invalid choice"),
        "an unknown format": (["show", SLUG, "--format", "pdf"], "invalid choice"),
        "no command": ([], "COMMAND"),
        "an unknown command": (["prove"], "invalid choice"),
        "no processes": (["build", "--jobs", "0"], "whole number"),
        "a report inside a file": (["verify", SLUG, "--json", str(tmp_path / "file" / "r.json")], "choose another"),
    }


BAD = (
    "unknown slug, unknown slug among good ones, unknown slug to verify, a file where a folder should be, "
    "a folder inside a file, no such certificate, a folder as a certificate, no text, no JSON, JSON without an end, "
    "another JSON, a seed that is no number, a seed below 0, a seed with a fraction, an unknown mode, "
    "an unknown format, no command, an unknown command, no processes, a report inside a file"
)


@pytest.mark.parametrize("name", BAD.split(", "))
def test_bad_input_is_told_with_its_remedy(name, tmp_path, capsys):
    arguments, remedy = _bad(tmp_path)[name]
    before = sorted(tmp_path.rglob("*"))
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = stop.code
    found = capsys.readouterr()
    assert code == cli.BAD_INPUT
    assert remedy in found.err
    assert found.err.startswith("derive: ")
    assert not found.out
    assert sorted(tmp_path.rglob("*")) == before, "something was written"


# ---- writing --------------------------------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = files.write(tmp_path / "page.html", "old\n")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(files.FolderError, match="No space left"):
        files.write(path, "new\n")
    assert path.read_text(encoding="utf-8") == "old\n"
    assert [found.name for found in tmp_path.iterdir()] == ["page.html"]


def test_an_interrupt_leaves_nothing_behind(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "page.html", "new\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(files.FolderError, match="Permission denied"):
        files.prepared(tmp_path)


def test_a_table_is_aligned():
    assert table([("name", "x", "y"), ("a", "b", "100")]) == "name  x    y\na     b  100"
    assert summary([]).startswith("# What derive build measured")


SAMPLE = (SLUG, "softmax-jacobian", "tanh-derivative", "kl-as-surprise")


def _build(folder, jobs):
    command = [sys.executable, "-m", "derive", "build", *SAMPLE, "-o", folder, "--jobs", str(jobs)]
    environment = {**os.environ, "PYTHONHASHSEED": str(jobs)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A sample of every kind, built twice: in one process and in two, with different hashes.

    Continuous integration builds the whole catalogue, and compares it with what git keeps, byte for byte.
    """
    folders = [tmp_path_factory.mktemp("built") for _ in range(2)]
    runs = [_build(folder, jobs) for jobs, folder in enumerate(folders, 1)]
    return [(folder, *run.communicate(), run.returncode) for folder, run in zip(folders, runs, strict=True)]


def _names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("report."))


def test_build_writes_every_file(built):
    folder, out, err, code = built[0]
    assert code == 0, err
    wanted = {"index.html"}
    for slug in SAMPLE:
        wanted |= {f"{slug}.html", f"{slug}-practice.html", f"{slug}.tex", f"{slug}.json"}
        wanted |= {f"{slug}.py"} if registry.load(slug).kernels else set()
    assert set(_names(folder)) == wanted
    assert {"report.json", "report.md"} <= {path.name for path in folder.iterdir()}
    assert re.search(rf"^{SLUG} +pass ", out, re.MULTILINE), "the summary table"
    assert f"] built {SLUG}" in err, "the progress"


def test_build_is_the_same_byte_for_byte(built):
    (one, *_), (other, *_) = built
    assert _names(one) == _names(other)
    different = [name for name in _names(one) if (one / name).read_bytes() != (other / name).read_bytes()]
    assert not different


def test_links_of_the_pages_lead_somewhere(built):
    folder, *_ = built[0]
    pages = {f"{slug}.html" for slug in registry.slugs()}  # the sample leads to pages that are not in it
    for page in folder.glob("*.html"):
        for target in re.findall(r'href="([^"#]+)"', page.read_text(encoding="utf-8")):
            assert target in pages or (folder / target).is_file(), f"{page.name} links to {target}"


def test_the_index_is_valid_and_names_everything(built):
    folder, *_ = built[0]
    text = (folder / "index.html").read_text(encoding="utf-8")
    html5lib.HTMLParser(strict=True).parse(text)
    for name in _names(folder):
        assert name == "index.html" or f'href="{name}"' in text


def test_the_index_of_the_whole_catalogue_is_valid():
    text = index(registry.slugs())
    html5lib.HTMLParser(strict=True).parse(text)
    assert [slug for slug in registry.slugs() if f'href="{slug}.html"' not in text] == []


# ---- what a build need not do again ---------------------------------------------------------------------------------


@pytest.fixture
def known(built, tmp_path):
    """A folder with a build of the sample in it."""
    folder = tmp_path / "again"
    shutil.copytree(built[0][0], folder)
    return folder


def _again(folder, **options):
    """What is made when the sample is built again, in this process; and how every file looks then."""
    steps = []
    done = build(folder, SAMPLE, step=lambda slug, *_: steps.append(slug), **options)
    assert sorted(steps) == sorted(one.slug for one in done if not one.unchanged)
    assert [one.report.status for one in done] == ["pass"] * len(SAMPLE)
    return sorted(steps), {name: (folder / name).read_bytes() for name in _names(folder)}


def _contents(folder):
    return {name: (folder / name).read_bytes() for name in _names(folder)}


def test_nothing_is_made_twice(known):
    """The second time takes no proof."""
    before = _contents(known)
    assert _again(known) == ([], before)
    assert "10 of 10 lines" not in (known / "report.md").read_text(encoding="utf-8")
    assert json.loads((known / "report.json").read_text(encoding="utf-8"))["derivations"][0]["status"] == "pass"


def test_what_is_remembered_of_a_report_is_the_report(known, built):
    [row, *_] = json.loads((built[0][0] / "report.json").read_text(encoding="utf-8"))["derivations"]
    assert as_data(from_data(row)) == as_data(from_data(json.loads(json.dumps(as_data(from_data(row))))))
    _again(known)
    assert (known / "report.json").read_bytes() == (built[0][0] / "report.json").read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "tanh-derivative.tex").write_text("edited"),
        lambda folder: (folder / "tanh-derivative.html").unlink(),
        lambda folder: (folder / "report.state/tanh-derivative.json").unlink(),
        lambda folder: (folder / "report.state/tanh-derivative.json").write_text('{"inputs": 3'),
        lambda folder: (folder / "report.state/tanh-derivative.json").write_text('{"format": "another"}'),
    ],
    ids=["edited", "missing", "forgotten", "damaged", "another format"],
)
def test_what_is_missing_or_edited_is_made_again(known, damage):
    before = _contents(known)
    damage(known)
    assert _again(known) == (["tanh-derivative"], before)


def test_the_index_is_made_again_too(known):
    before = _contents(known)
    (known / "index.html").write_text("edited", encoding="utf-8")
    assert _again(known) == ([], before)


def test_all_is_made_again_by_force(known):
    before = _contents(known)
    assert _again(known, force=True) == (sorted(SAMPLE), before)


def test_what_is_made_from_something_else_is_made_again(monkeypatch):
    """The engine and the templates are in every hash; of the catalogue what an entry imports, names or corrects."""
    hashes = state.inputs(registry.slugs())
    assert len(set(hashes.values())) == len(registry.slugs())
    read = Path.read_text

    def changed(name):
        def edited(path, *args, **options):
            return read(path, *args, **options) + "#" * (path.name == name)

        monkeypatch.setattr(Path, "read_text", edited)
        now = state.inputs(registry.slugs())
        monkeypatch.undo()
        return {slug for slug in hashes if hashes[slug] != now[slug]}

    assert changed("softmax_jacobian.py") >= {"softmax-jacobian", "softmax-ce-delta"}
    there = registry.load("kl-as-surprise").instead[0]
    assert changed("kl_as_surprise.py") == {"kl-as-surprise"} | ({there} & set(hashes))
    monkeypatch.setattr(state, "_version", lambda package: "another")
    assert not set(state.inputs(registry.slugs()).values()) & set(hashes.values())


def test_an_entry_that_fails_is_not_remembered(tmp_path, monkeypatch):
    proof = registry.load(SLUG).proofs["derivative"]
    monkeypatch.setattr(proof, "write", lambda: calc(proof.claim.args[0]).eq(1))
    proof.__dict__.pop("argument", None)
    [one] = build(tmp_path, [SLUG])
    proof.__dict__.pop("argument", None)
    assert one.report.status == "fail"
    assert not (tmp_path / f"report.state/{SLUG}.json").exists()
    monkeypatch.undo()
    [one] = build(tmp_path, [SLUG])
    assert (one.report.status, one.unchanged) == ("pass", False)


def test_certificates_that_were_built_hold(built):
    folder, *_ = built[0]
    done = run("replay", *sorted(folder.glob("*-*.json")))
    assert done.returncode == 0, done.stderr


def test_pages_hold_nothing_measured(built):
    """No time, no date, no name of a machine."""
    folder, *_ = built[0]
    for name in _names(folder):
        text = (folder / name).read_text(encoding="utf-8")
        assert str(folder) not in text
        assert not re.search(r"\b20[2-9]\d-[01]\d-[0-3]\d\b|\b\d+\.\d+ s(econds)?\b", text), name
