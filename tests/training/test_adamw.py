"""The optimiser of all trainings is torch's AdamW, and what it needs is little to import."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
import torch
from torch import nn

from w2s.training.adamw import AdamW

RATES = (1e-2, 7e-3, 3e-3, 1e-3)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(30, 8), nn.Linear(8, 5), nn.LayerNorm(5), nn.Linear(5, 2))


def take_gradient(model: nn.Sequential, step: int) -> None:
    """Of some texts; in the first step the last layer has none."""
    ids = torch.arange(12).view(3, 4) + step
    (model[:-1] if step == 0 else model)(ids).square().sum().backward()


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_steps_are_those_of_torch_bit_for_bit_and_go_on_from_its_checkpoints(weight_decay: float) -> None:
    ours, theirs, resumed = network(), network(), network()
    own = AdamW(ours.parameters(), weight_decay)
    torchs = torch.optim.AdamW(theirs.parameters(), weight_decay=weight_decay, fused=True)
    for step, rate in enumerate(RATES):
        if step == 2:
            resumed.load_state_dict(ours.state_dict())
            file = io.BytesIO()
            torch.save([own.state_dict(), torchs.state_dict()], file)
            file.seek(0)
            saved = torch.load(file, weights_only=True)
            own, earlier = AdamW(ours.parameters(), weight_decay), AdamW(resumed.parameters(), weight_decay)
            own.load_state_dict(saved[0])
            earlier.load_state_dict(saved[1])
        own.zero_grad()
        torchs.zero_grad()
        torchs.param_groups[0]["lr"] = rate
        for model in (ours, theirs):
            take_gradient(model, step)
        own.step(rate)
        torchs.step()
        if step >= 2:
            earlier.zero_grad()
            take_gradient(resumed, step)
            earlier.step(rate)
    for one, two, three in zip(ours.parameters(), theirs.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, three)


@pytest.mark.slow
def test_training_imports_neither_torchs_compiler_nor_sharded_tensors() -> None:
    """Each takes longer to import than a small run takes to train."""
    code = (
        "import sys, tempfile\n"
        "from pathlib import Path\n"
        "import torch\n"
        "from w2s.models.decoder import Decoder, Shape, with_weights\n"
        "from w2s.nlp import finetune\n"
        "from w2s.models.classifier import Classifier\n"
        "from w2s.training import objectives\n"
        "from w2s.training.batching import Texts\n"
        "from w2s.training.job import checkpoint_at\n"
        "from w2s.training.loop import Evaluation, Recipe, Runtime, Schedule, train\n"
        "from w2s.training.loss import Loss\n"
        "shape = Shape(30, 8, 16, 1, 2)\n"
        "weights = {name: torch.ones(one.shape) for name, one in Decoder(shape).state_dict().items()}\n"
        "model = Classifier(with_weights(shape, weights, Path()), torch.ones(2, 8))\n"
        "recipe = Recipe(Loss(objectives.naive, separable=True), Schedule(1, 2, 1e-3, 0.0, 1, 0))\n"
        "runtime = Runtime(checkpoint_at(Path(tempfile.mkdtemp()) / 'c.pt'))\n"
        "train(model, Texts([[1, 2]] * 4), torch.full((4, 2), 0.5), recipe, Evaluation(), runtime)\n"
        "print(sorted({'torch._dynamo', 'torch.distributed.tensor', 'transformers', 'pandas'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr
