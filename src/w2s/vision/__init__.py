"""The vision setting: linear probes on frozen networks (Appendix D.1)."""

from w2s.vision.setting import SETTING

__all__ = ["SETTING"]
