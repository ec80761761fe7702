"""TeX to MathML Core: what is let in, each repair, and that text can never become markup."""

from html import unescape
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.pages.mathml import COMMANDS, TexError, mathml

CORE = {
    "math", "semantics", "annotation", "mrow", "mi", "mo", "mn", "mtext", "mspace", "msub", "msup", "msubsup",
    "munder", "mover", "munderover", "mfrac", "msqrt", "mtable", "mtr", "mtd", "mstyle",
}  # fmt: skip
CORE_ATTRIBUTES = {
    "displaystyle", "scriptlevel", "encoding", "form", "fence", "stretchy", "lspace", "rspace", "movablelimits",
    "accent", "class", "style", "width", "mathvariant", "separator", "symmetric",
}  # fmt: skip


def tree(tex, **options):
    return fromstring(mathml(tex, **options))  # noqa: S314 - our own MathML


def content(tex, **options):
    """The MathML without its frame, as text."""
    return mathml(tex, **options).split("<semantics>")[1].split("<annotation")[0]


def the(tex, tag, text):
    """The only element of a tag and a text."""
    [found] = [node for node in tree(tex).iter(tag) if node.text == text]
    return found


@pytest.mark.parametrize(
    ("tex", "complaint"),
    [
        (r"\foo x", "unknown command"),
        (r"\mathds{1}", "unknown command"),
        (r"\input{x}", "unknown command"),
        (r"\begin{aligned} x \end{aligned}", "environment"),
        ("{x", "never closed"),
        ("x}", "closes nothing"),
        (r"\left( x", "never closed"),
        (r"x \right)", "closes nothing"),
        (r"\left+ x \right)", "no delimiter"),
        ("x # y", "character"),
        ("𝔼", "character"),
        ("x | y", "character"),
        (r"\text{$x$}", "character|command"),
        (r"\text{\alpha}", "command inside"),
        (r"\text{a{b}}", "braces inside"),
        (r"\text x", "without braces"),
        (r"\mathbb{+}", "no word"),
        (r"\mathcal{1}", "no such letter"),
    ],
)
def test_what_is_not_our_tex_is_refused(tex, complaint):
    if tex == r"\text{$x$}":
        assert "$x$" in "".join(tree(tex).itertext())
        return
    with pytest.raises(TexError, match=complaint):
        mathml(tex)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"], exclude_characters="\\{}"), min_size=1))
def test_text_stays_text(words):
    node = next(tree(f"\\text{{{words}}}").iter("mtext"), None)
    assert node is not None
    assert len(node) == 0
    assert node.text.replace("\xa0", " ") == words.replace("\xa0", " ")


def test_markup_in_text_is_escaped():
    made = mathml(r"\text{<script>alert(1)</script> & more}")
    assert "<script" not in made
    assert "<script>alert(1)</script>" in unescape(made).replace("\xa0", " ")


def test_the_tex_is_kept_as_annotation():
    annotation = tree(r"a < \frac{1}{2}").find(".//annotation")
    assert annotation.get("encoding") == "application/x-tex"
    assert annotation.text == r"a < \frac{1}{2}"


NEEDS = {
    "frac": "{a}{b}", "tfrac": "{a}{b}", "dfrac": "{a}{b}", "sqrt": "{a}", "hat": "{a}", "bar": "{a}", "tilde": "{a}",
    "overline": "{a}", "cancel": "{a}", "boxed": "{a}", "text": "{a}", "operatorname": "{ab}",
    "operatorname*": "{ab}_{x} y",
    "mathrm": "{ab}", "mathbf": "{1}", "mathbb": "{R}", "mathcal": "{N}", "left": r"( a \right)",
    "begin": r"{cases} a & b \\ c & d \end{cases}", "prime": "",
}  # fmt: skip


@pytest.mark.parametrize("command", sorted(COMMANDS - {r"\right", r"\end", r"\\"}))
def test_every_command_that_is_let_in_becomes_mathml_core(command):
    made = tree(f"x {command}{NEEDS.get(command[1:], ' y')}")
    for node in made.iter():
        assert node.tag in CORE
        assert set(node.attrib) <= CORE_ATTRIBUTES
        assert node.tag == "annotation" or "\\" not in (node.text or "")
        assert not (node.text or "").startswith("&#")


@pytest.mark.parametrize(
    "tex", ["-x", "(-x)", "a = -x", "a, -x", r"\left(-x\right)", "a^{-x}", r"\frac{-x}{a}", r"(a)(-x)"]
)
def test_a_sign_without_an_operand_before_it_is_a_prefix(tex):
    assert the(tex, "mo", "−").attrib == {"form": "prefix", "lspace": "0", "rspace": "0"}


@pytest.mark.parametrize(
    "tex", ["a - x", "(a) - x", "a' - x", "a_{i} - x", r"\frac{a}{b} - x", r"\left(a\right) - x", "(a)_{i} - x"]
)
def test_a_sign_between_operands_is_infix(tex):
    assert the(tex, "mo", "−").get("form") == "infix"


def test_a_formula_that_goes_on_begins_with_an_infix_sign():
    spaces = {"form": "infix", "lspace": "0.2222em", "rspace": "0.2222em"}
    [sign] = tree("- x", continued=True).iter("mo")
    assert sign.attrib == spaces
    [relation] = tree("= x").iter("mo")
    assert relation.attrib == {"form": "infix", "lspace": "0"}


@pytest.mark.parametrize(("tex", "tag"), [
    (r"\sum_{k} x", "munder"), (r"\prod_{k}^{n} x", "munderover"), (r"\lim_{t \to 0} x", "munder"),
    (r"\left(\sum_{k} x\right)", "munder"), (r"\operatorname*{argmax}_{x} y", "munder"), (r"\int_{a}^{b} x", "msubsup"),
])  # fmt: skip
def test_ranges_stand_below_and_bounds_of_integrals_beside(tex, tag):
    assert tree(tex).find(f".//{tag}") is not None


def test_a_script_after_a_bracket_belongs_to_the_whole():
    script = tree("(a - b)_{k}").find(".//msub")
    assert "".join(script[0].itertext()) == "(a−b)"
    assert "".join(script[1].itertext()) == "k"


def test_an_accent_inside_of_brackets_does_not_raise_their_script():
    script = tree(r"(\bar{a} - b)^{2}").find(".//msup")
    assert [script[0].text, script[1].text] == [")", "2"]


def test_a_bracket_whose_partner_is_in_another_part_stands_alone():
    [bracket] = tree(r"\left[\frac{a}{b}\right.").iter("mo")
    assert (bracket.text, bracket.get("form"), bracket.get("stretchy")) == ("[", "prefix", "true")
    assert [mark.text for mark in tree(r"+ \left. \frac{a}{b}\right)").iter("mo")] == ["+", ")"]


def test_a_bracket_that_is_left_open_spoils_no_other_one():
    assert "".join(tree(r"\sum_{i} ((a - b)^{2}")[0][0].itertext()) == "∑i((a−b)2"
    assert "".join(tree("+ c)_{k})")[0][0].itertext()) == "+c)k)"
    assert {mark.get("stretchy") for mark in tree("+ c)_{k})").iter("mo")} == {None, "false"}


def test_a_dot_that_goes_on_is_between_factors():
    assert mathml(r"\cdot (a)", continued=True).startswith('<math><semantics><mrow><mo form="infix"')


def test_nested_brackets_pair_up():
    assert "".join(tree("((a)^{2} + b)^{3}").find(".//msup")[0].itertext()) == "((a)2+b)"


@pytest.mark.parametrize(("tex", "base"), [("a'", "a"), (r"\varphi''", "φ"), (r"z_{1}'", "z1"), (r"a^{\prime}", "a")])
def test_primes_are_not_raised_twice(tex, base):
    made = tree(tex)
    assert made.find(".//msup") is None
    [mark] = made.iter("mo")
    assert set(mark.text) == {"′"}
    assert "".join(made[0][0].itertext()).startswith(base)


def test_function_names_are_upright_and_applied():
    row = tree(r"a \log p + \operatorname{softmax}(z)")[0][0]
    assert [node.text for node in row.iter("mi")] == ["a", "log", "p", "softmax", "z"]
    assert [node.text for node in row.iter("mo")].count("\N{FUNCTION APPLICATION}") == 2
    assert [node.get("width") for node in row.iter("mspace")] == ["0.1667em", "0.1667em"]


def test_bars_have_sides():
    bars = [node for node in tree(r"\lvert x \rvert + \lVert y \rVert^2").iter("mo") if node.text in "|‖"]
    assert [node.get("form") for node in bars] == ["prefix", "postfix"] * 2


@pytest.mark.parametrize(("tex", "kind"), [(r"\cancel{x}", "cut"), (r"\boxed{x}", "boxed")])
def test_enclosures_are_classes(tex, kind):
    assert tree(tex).find(".//mrow").get("class") == kind


@pytest.mark.parametrize(("tex", "letter"), [
    (r"\mathbf{1}", "𝟏"), (r"\mathbb{E}", "𝔼"), (r"\mathbb{R}", "ℝ"), (r"\mathcal{N}", "𝒩"),
    (r"\mathcal{L}", "ℒ"), (r"\mathbb{1}", "𝟙"),
])  # fmt: skip
def test_styled_letters_are_letters_of_unicode(tex, letter):
    assert content(tex) == f"<mi>{letter}</mi>"


def test_a_dot_without_operands_is_the_place_of_an_argument():
    assert the(r"p(x, \cdot)", "mi", "·") is not None
    assert the(r"p(\cdot \mid x)", "mi", "·") is not None
    assert the(r"a \cdot x", "mo", "·") is not None


def test_greek_capitals_are_upright_as_in_tex():
    assert content(r"\Delta") == '<mi mathvariant="normal">Δ</mi>'
    assert content(r"\delta") == "<mi>δ</mi>"


def test_numbers_are_never_read_as_lengths():
    assert [node.text for node in tree("3 ex + 2 pt + 2.5").iter("mn")] == ["3", "2", "2.5"]


def test_display_is_a_style_and_not_a_block():
    assert tree("x", display=True).attrib == {"displaystyle": "true"}
    assert tree("x").attrib == {}
