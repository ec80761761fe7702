"""Make the embedded fonts: a tool for developers, not used when pages are rendered.

Run it with the unabridged fonts, as `README.md` beside it says:

    python -m derive.pages.fonts.subset MATH ROMAN ITALIC CODE CODE_GREEK

It needs fontTools with its woff extra. What is kept follows from the TeX that `mathml` lets in.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fontTools import subset
from fontTools.ttLib import TTFont

from derive.pages.repertoire import CODE, CODE_GREEK, MATHS, TEXT

HERE: Final = Path(__file__).parent
# file name: (characters, features)
FONTS: Final[dict[str, tuple[frozenset[str], tuple[str, ...]]]] = {
    "maths.woff2": (MATHS, ()),
    "roman.woff2": (TEXT, ("kern", "liga", "tnum")),
    "italic.woff2": (TEXT, ("kern", "liga", "tnum")),
    "code.woff2": (CODE, ()),
    "code-greek.woff2": (CODE_GREEK, ()),
}


def shrink(source: Path, target: Path, characters: frozenset[str], features: Sequence[str]) -> None:
    """Write the part of a font that draws the characters, with its MATH table if it has one."""
    options = subset.Options(
        flavor="woff2", layout_features=list(features), hinting=False, name_IDs=[0, 1, 2, 13, 14], notdef_outline=True
    )
    font = subset.load_font(str(source), options)
    lacking = sorted(characters - {chr(code) for code in font.getBestCmap()})
    if lacking:
        raise SystemExit(f"{source.name} lacks {' '.join(f'U+{ord(c):04X}' for c in lacking)}")
    worker = subset.Subsetter(options)
    worker.populate(unicodes=[ord(character) for character in characters])
    worker.subset(font)
    if "MATH" in font:
        _level_subscripts(font)
    subset.save_font(font, str(target), options)


def _level_subscripts(font: TTFont) -> None:
    """Browsers lower the subscripts of letters with descenders by this much, so that p_k hangs below z_j."""
    font["MATH"].table.MathConstants.SubscriptBaselineDropMin.Value = 0


def main() -> None:
    """Make all five files beside this one."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    for name in FONTS:
        parser.add_argument(name.removesuffix(".woff2"), type=Path)
    sources = vars(parser.parse_args())
    for name, (characters, features) in FONTS.items():
        shrink(sources[name.removesuffix(".woff2")], HERE / name, characters, features)
        print(f"{name}: {(HERE / name).stat().st_size} bytes")  # noqa: T201 - a command's output


if __name__ == "__main__":
    main()
