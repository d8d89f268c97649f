"""What a job's record says that it computed."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from tests.training.test_loop import small_model, texts
from w2s.engine.artifacts import Build
from w2s.errors import UserError
from w2s.graph.artifact import Identity
from w2s.models.generator import Generator
from w2s.training.job import Job, multiplied


def test_texts_are_packed_where_that_is_asked_for_and_the_record_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wish, packs in (("never", False), ("always", True)):
        monkeypatch.setenv("W2S_PACK", wish)
        build, network = Build(Identity("finetune", 3, {}, {}), tmp_path, tmp_path), small_model()
        job = Job(build)
        job.pack(network, [texts(4), texts(9)])
        job.finish({})
        assert network.packs is packs
        assert build.measured.get("packed", False) is packs
    monkeypatch.setenv("W2S_PACK", "yes")
    with pytest.raises(UserError, match="W2S_PACK='yes' is not allowed; allowed: never, always"):
        job.pack(network, [texts(4)])


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
