"""Weak-to-strong generalization, replicated: Burns et al. 2023 (arXiv 2312.09390) as a workflow.

Floors, lowest first: ``tasks, models`` -> ``training`` -> ``analysis`` -> ``figures`` -> ``commands``.
``experiment`` and ``plan`` are imported by all and import none of them.
"""

__version__ = "0.1.0"
