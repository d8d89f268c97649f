"""The tiny open models of tests/models, for trainings of whole answers."""

from tests.models.conftest import models

__all__ = ["models"]
