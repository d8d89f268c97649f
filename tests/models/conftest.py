"""Tiny open models, as fixtures."""

from tests.open_models import model, models

__all__ = ["model", "models"]
