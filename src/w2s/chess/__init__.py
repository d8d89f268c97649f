"""The chess setting: puzzles (Section 4.1, Appendix A.2)."""

from w2s.chess.setting import SETTING

__all__ = ["SETTING"]
