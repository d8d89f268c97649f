"""The paper's claims as data, and the rules that decide whether they hold in an experiment.

* ``claim``: what a claim is, and how a number with an interval decides it;
* ``cells``: a figure's table as numbers; ``measures``: what rules make of them; ``intervals``: how sure that is;
* ``nlp``, ``chess``, ``reward``, ``elicitation``, ``structure``: the claims;
* ``paper``: the paper's own numbers as tables like ours, on which its claims must hold;
* ``evaluate``: all claims on an experiment's tables.

Rules see nothing but the table of one figure (``results/figures/<experiment>/<figure>.csv``). Measures and ranges are
set on the paper's own numbers.
"""

from __future__ import annotations

from collections.abc import Collection

from w2s.claims import chess, elicitation, nlp, reward, structure
from w2s.claims.claim import Claim


def everything() -> tuple[Claim, ...]:
    """All claims, in the order of the report."""
    return nlp.CLAIMS + chess.CLAIMS + reward.CLAIMS + elicitation.CLAIMS + structure.CLAIMS


def settings() -> list[str]:
    """The settings that claims are about, each once."""
    return list(dict.fromkeys(claim.setting for claim in everything()))


def tables(among: Collection[str]) -> list[str]:
    """The figures and tables whose numbers test claims on some settings, each once."""
    return list(dict.fromkeys(claim.figure for claim in everything() if claim.figure and claim.setting in among))
