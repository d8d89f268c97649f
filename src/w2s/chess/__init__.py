"""The chess setting: puzzles (Section 4.2, Appendix A.2)."""

from w2s.chess.setting import SETTING

__all__ = ["SETTING"]
