"""Plans of several shapes, as the figures' tests make them."""

from tests.figures.conftest import shape

__all__ = ["shape"]
