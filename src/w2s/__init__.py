"""Weak-to-strong generalization, replicated: Burns et al. 2023 (arXiv 2312.09390) as a workflow.

A setting is a folder: ``nlp``, ``chess``, ``reward``, ``vision``. Dependencies point one way: ``config, graph`` <-
``engine`` <- ``models`` <- ``training`` <- settings <- ``experiments`` <- ``figures, claims`` <- ``report, jobs, cli``.
"""

__version__ = "0.1.0"
