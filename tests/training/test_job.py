"""What a job's record says that it computed."""

from __future__ import annotations

from torch import nn

from tests.training.test_loop import small_model
from w2s.models.generator import Generator
from w2s.training.job import multiplied


def test_an_embedding_counts_only_where_it_unembeds() -> None:
    classifier = small_model()
    backbone = classifier.backbone
    embedding = 50 * 16
    others = sum(one.numel() for one in backbone.parameters()) - embedding
    assert multiplied(classifier) == others + 2 * 16
    assert multiplied(Generator(backbone, None)) == others + embedding
    assert multiplied(Generator(backbone, nn.Linear(16, 50, bias=False))) == others + embedding
    tied = nn.Linear(16, 50, bias=False)
    tied.weight = backbone.get_input_embeddings().weight  # type: ignore[operator]
    assert multiplied(Generator(backbone, tied)) == others + embedding
