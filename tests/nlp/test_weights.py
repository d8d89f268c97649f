"""A run that keeps its weights is the same run; they give its predictions, and ``w2s push`` publishes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from tests.made import made
from w2s.engine import artifacts
from w2s.experiments.loading import plan_of
from w2s.report import card


@pytest.mark.slow
def test_the_model_that_is_kept_gives_the_runs_predictions(
    tiny_config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = plan_of(tiny_config, "tiny").nlp.truth("sst2", "w8", 0)
    without = made(run).rename("without")
    monkeypatch.setenv("W2S_KEEP_WEIGHTS", "always")
    kept = made(run)
    for name in ("predictions.parquet", "history.csv"):
        assert (kept / name).read_bytes() == (without / name).read_bytes()

    card.write(card.read(kept), Path("out"), "me/run")
    assert not [path for path in Path("out").iterdir() if str(tmp_path).encode() in path.read_bytes()]
    assert "AutoModelForSequenceClassification" in Path("out/README.md").read_text()
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained("out"), AutoTokenizer.from_pretrained("out")
    (data,) = Path("results/nlp/sst2").glob("data-*")
    examples = artifacts.read_table(data / "examples.parquet").to_pydict()
    texts = dict(zip(examples["id"], examples["text"], strict=True))
    predicted = artifacts.read_table(kept / "predictions.parquet").to_pydict()
    tested = [number for number, part in enumerate(predicted["part"]) if part == "test"][:20]
    with torch.no_grad():
        logits = [
            model(**tokenizer(texts[predicted["id"][number]], return_tensors="pt")).logits[0] for number in tested
        ]
    found = torch.stack(logits).softmax(-1)[:, 1]
    expected = torch.tensor([predicted["probability"][number] for number in tested])
    torch.testing.assert_close(found, expected.float(), atol=1e-5, rtol=1e-4)
