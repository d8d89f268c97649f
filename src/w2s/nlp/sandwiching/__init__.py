"""Sandwiching: non-experts who label with a model's help."""
