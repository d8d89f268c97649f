"""Pretraining of the smoke ladder: our packed loop against an unpacked one, in tokens of text a second.

``unpacked`` takes 128 documents a step, each a row of its own, padded to the longest, as transformers' model and loss
do it; ``ours`` cuts the same documents' stream into blocks. Padding is not counted.

    python benchmarks/pretraining.py [--repeats N]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import ROOT, fresh, in_turns, machine, one_thread, spread, table

DOCUMENTS, STEPS, UNPACKED_BATCH = 20_000, 40, 128
RUNNERS = ("unpacked", "ours")


def worker(runner: str, rung: str) -> dict[str, Any]:
    """Tokens of text a CPU second of one loop, after two steps of warm-up."""
    import torch
    from torch.nn.functional import cross_entropy

    from w2s.config.files import read_yaml
    from w2s.experiments.loading import plan_of
    from w2s.models import decoder
    from w2s.models.pretraining import Blocks, loss_of, new_model
    from w2s.models.tokenizer import train_tokenizer, write_tokens
    from w2s.nlp import corpus

    one_thread(ours=runner == "ours")
    plan = plan_of(read_yaml(ROOT / "config.yaml"), "config.yaml")
    spec, shape = plan.nlp.corpus().spec, plan.nlp.model(rung).spec["shape"]
    training = plan.nlp.model(rung).spec["training"]
    documents = list(corpus.documents_of_world({**spec, "documents": DOCUMENTS}))
    tokenizer = train_tokenizer(documents, spec["vocabulary"])
    model: Any = new_model(shape, spec["vocabulary"], 0)
    tokens: list[int] = []
    if runner == "unpacked":
        encoded = [one.ids for one in tokenizer.encode_batch(documents)]

        def batches() -> Any:
            for step in range(STEPS):
                rows = [torch.tensor(ids) for ids in encoded[step * UNPACKED_BATCH : (step + 1) * UNPACKED_BATCH]]
                tokens.append(sum(map(len, rows)))
                yield torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-100)

        def loss(rows: torch.Tensor) -> torch.Tensor:
            logits = model(input_ids=rows.clamp(min=0)).logits
            return cross_entropy(logits[:, :-1].flatten(0, 1), rows[:, 1:].flatten())

        network: torch.nn.Module = model
    else:
        with tempfile.TemporaryDirectory() as folder:
            write_tokens(Path(folder) / "tokens.npy", tokenizer, documents)
            blocks = Blocks(Path(folder) / "tokens.npy", training["block"])
            order = torch.randperm(blocks.count)[: STEPS * training["batch"]].view(STEPS, -1)
            ready = list(blocks.batches(order, torch.device("cpu")))

        def batches() -> Any:
            for rows in ready:
                tokens.append(rows.numel())
                yield rows

        own = decoder.shape_of(model.config.to_diff_dict())
        assert own
        network = decoder.with_weights(own, model.model.state_dict(), Path())
        loss = partial(loss_of, network)  # type: ignore[arg-type]
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    network.train()
    started = 0.0
    for step, rows in enumerate(batches()):
        if step == 2:
            tokens.clear()
            tokens.append(rows.numel() if runner == "ours" else int((rows >= 0).sum()))
            started = time.process_time()
        value = loss(rows)
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        value.item()
    return {"tokens_per_second": sum(tokens) / (time.process_time() - started)}


def measure(repeats: int) -> str:
    """The table of ratios for every rung of the smoke ladder."""
    from w2s.config.files import read_yaml
    from w2s.experiments.loading import plan_of

    rows = []
    for rung in plan_of(read_yaml(ROOT / "config.yaml"), "config.yaml").experiment.nlp.ladder:
        found = in_turns(RUNNERS, lambda runner, name=rung.name: fresh(__file__, runner, name), repeats)  # type: ignore[misc]
        speeds = {name: [one["tokens_per_second"] for one in some] for name, some in found.items()}
        ratio = max(speeds["ours"]) / max(speeds["unpacked"])
        rows.append((rung.name, *(spread(speeds[name], ",.0f") for name in RUNNERS), f"{ratio:.2f}"))
    header = ("rung", "unpacked, tokens / CPU s", "ours", "ratio")
    return table("Pretraining, one thread (goal: 2 x the unpacked loop)", header, rows)


def main() -> None:
    """Measure, or be one of the measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--worker", nargs=2, metavar=("RUNNER", "RUNG"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(worker(*options.worker)))
        return
    print(machine())
    print(measure(options.repeats))


if __name__ == "__main__":
    main()
