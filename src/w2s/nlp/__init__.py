"""The NLP setting: classification tasks (Section 4.1, Appendix A.1), and the studies that build on them."""

from w2s.nlp.setting import SETTING

__all__ = ["SETTING"]
