"""The reward setting: preference pairs (Section 4.1, Appendix A.3)."""

from w2s.reward.setting import SETTING

__all__ = ["SETTING"]
