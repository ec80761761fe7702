"""The characters that the embedded fonts can draw, from which the fonts are made and against which pages are tested."""

from __future__ import annotations

import string
from typing import Final

_ASCII: Final = frozenset(string.digits + string.ascii_letters + string.punctuation + " \u00a0")
_GREEK: Final = frozenset("αβγδεζηθικλμνξοπρςστυφχψωϑϕϵΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ")
_ITALIC: Final = frozenset(map(chr, (*range(0x1D434, 0x1D455), *range(0x1D456, 0x1D468), 0x210E)))
_ITALIC_GREEK: Final = frozenset(map(chr, range(0x1D6E2, 0x1D71C)))
_STYLED: Final = frozenset("𝔼ℙ𝕍ℝℕℤℂ𝟙𝟎𝟏𝒜ℬ𝒞𝒟ℰℱ𝒢ℋℐℒℳ𝒩𝒫𝒬ℛ𝒮𝒯𝒰𝒱𝒳𝒴𝒵ℓ")
_OPERATORS: Final = frozenset("∑∏∫∂∇∞∀∃∈∉⊂∪∩∅≤≥≠≈≡∼∝→↦⇒⇔⟺∧∨¬∣⊢⊥∥⊤×·⊙⊗∘±∗⋆⋯…⋮−√′‖⟨⟩⌊⌋⌈⌉\u2061‾\u0302\u0303\u0304")
_MARKS: Final = frozenset("★₀₁₂₃₄₅₆₇₈₉")
_PUNCTUATION: Final = frozenset("–—‘’“”…×·−′ äöüéèßÄÖÜ½¼¾²³§°")

MATHS: Final = _ASCII | _GREEK | _ITALIC | _ITALIC_GREEK | _STYLED | _OPERATORS | _MARKS
TEXT: Final = _ASCII | _PUNCTUATION
CODE: Final = _ASCII | (_PUNCTUATION - {" "})
CODE_GREEK: Final = frozenset("αβγδεζηθικλμνξοπρστυφχψωΓΔΘΛΞΠΣΦΨΩ")
# A text or a line of code falls back to the font of formulas.
DRAWABLE: Final = MATHS | TEXT | CODE | CODE_GREEK
