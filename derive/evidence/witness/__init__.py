"""The witness: an evaluator at 50 digits that shares nothing with the rules.

Of ours it imports `derive.language.term` and nothing else.
"""

from derive.evidence.witness.judge import Evidence, Session, Where, evaluate, witness
from derive.evidence.witness.reals import Undefined, Unresolved

__all__ = ["Evidence", "Session", "Undefined", "Unresolved", "Where", "evaluate", "witness"]
