"""Prompted base models, zero-shot and few-shot (Section 5.2.1)."""
