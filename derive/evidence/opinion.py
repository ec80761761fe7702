"""What the witness says of a line that the rules refuse: is it false, or true for another reason?"""

from __future__ import annotations

from collections.abc import Iterable

from derive.evidence.witness import Unresolved, witness
from derive.language.term import Term
from derive.logic.calc import StepError
from derive.logic.facts import harvest


def opinion(error: StepError, given: Iterable[Term] = ()) -> str:
    """Return a sentence on a refused line.

    Parameters
    ----------
    error : StepError
        What `calc` raised.
    given : iterable of Term
        What may be assumed, such as an entry's assumptions.
    """
    if error.kind != "wrong":
        return "The line is refused for how it is argued, and not for what it says."
    conditions = harvest(error.before) | harvest(error.written)
    try:
        evidence = witness(error.claimed, (*given, *conditions))
    except Unresolved as limit:
        return f"The witness cannot tell whether the line is true: {limit}"
    if evidence.status == "true":
        return "The line holds in every sample, so it is the reasons that are wrong or too few."
    if evidence.status == "false":
        return f"The line is false: {evidence.where or evidence.note}."
    return f"The witness cannot tell whether the line is true: {evidence.note}"
