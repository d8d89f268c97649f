"""Tiny open models, and plans of several shapes, as fixtures."""

from tests.figures.conftest import shape
from tests.open_models import model, models

__all__ = ["model", "models", "shape"]
