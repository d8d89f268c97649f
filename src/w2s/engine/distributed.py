"""A run in several processes: weights in shards, texts dealt out, results the same in all of them.

Every process holds a share of each weight, its gradient and its optimiser state, and gathers a block's weights while
it computes with it (FSDP, torch's ``fully_shard``). A batch is dealt out text by text, so that all have about as much
to do; each takes its own in micro-batches, and all take equally many (``own``), because computing is a joint matter.
What depends on the whole batch sees the whole batch: logits are gathered before any loss that compares examples, and
a loss is divided by the batch's size, not the share's. In a process alone all this does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from w2s.engine.devices import device
from w2s.engine.rank import member, wait_seconds

COMPUTE = ("both", "begin", "step", "read", "behind")  # ways into a network beside ``forward``


def size() -> int:
    """How many processes work on this run."""
    return member().size


def rank() -> int:
    """Which of them this is."""
    return member().rank


def join() -> None:
    """Meet the others."""
    own, where = member(), device()
    if where.type == "cuda":
        torch.cuda.set_device(where)
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if where.type == "cuda" else "gloo",
        init_method=f"file://{own.meeting}/meeting",
        rank=own.rank,
        world_size=own.size,
        timeout=timedelta(seconds=wait_seconds()),
    )


def leave() -> None:
    """All are done."""
    dist.barrier()
    dist.destroy_process_group()


# -- weights -----------------------------------------------------------------------------------------------


def placed(load: Callable[[], nn.Module], where: torch.device) -> Any:
    """The network that ``load`` makes, on the device; of several processes each holds its shards alone.

    They load one after another, so that the machine holds one whole network at a time.
    """
    if size() == 1:
        return load().to(where)
    network = None
    for turn in range(size()):
        if turn == rank():
            network = sharded(load(), where)
        dist.barrier()
    return network


def sharded(network: nn.Module, where: torch.device) -> nn.Module:
    """Shard a network in place, block by block."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method

    mesh = init_device_mesh(where.type, (size(),))
    lists = [module for module in network.modules() if isinstance(module, nn.ModuleList)]
    for block in max(lists, key=len, default=()):
        fully_shard(block, mesh=mesh)
    # The rest too lets go of what it gathered: between two calls a weight is its shard, to be averaged and saved.
    fully_shard(network, mesh=mesh, reshard_after_forward=True)
    for name in COMPUTE:
        if hasattr(network, name):
            register_fsdp_forward_method(network, name)
    for module in network.modules():
        if isinstance(module, FSDPModule):  # losses are divided by the whole batch's size already: gradients add up
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
    return network


def shard(weight: Tensor) -> Tensor:
    """What this process holds of a weight: memory shared with it."""
    return weight.to_local() if isinstance(weight, DTensor) else weight


def whole(network: nn.Module, load: Callable[[], nn.Module]) -> Any:
    """The network on the CPU, with the weights of all processes, for the first of them; None for the others.

    load: makes one like it.
    """
    if size() == 1:
        return network
    state = {}
    for name, value in network.state_dict().items():  # one after another, so that no GPU ever holds them all
        every = value.full_tensor() if isinstance(value, DTensor) else value
        if rank() == 0:
            state[name] = every.cpu()
    if rank() > 0:
        return None
    found = load()
    found.load_state_dict(state, assign=True)
    return found


def like(value: Tensor, weight: Tensor) -> Tensor:
    """What this process holds of a tensor that is sharded as a weight is, as the whole of it."""
    if not isinstance(weight, DTensor) or isinstance(value, DTensor):
        return value
    return DTensor.from_local(
        value.to(weight.device),
        weight.device_mesh,
        weight.placements,
        run_check=False,
        shape=weight.shape,
        stride=weight.stride(),
    )


# -- texts and what is found for them ----------------------------------------------------------------------


def own(ordered: Sequence[int], sliced: Callable[[Sequence[int]], list[list[int]]]) -> list[list[int]]:
    """This process's micro-batches of numbers that lie in order; as many as any process has, the last ones empty.

    sliced: cuts a share of the numbers into micro-batches.
    """
    if size() == 1:
        return sliced(ordered)
    shares = [sliced(ordered[first :: size()]) for first in range(size())]
    mine = shares[rank()]
    return mine + [[]] * (max(map(len, shares)) - len(mine))


def gathered(found: Tensor, numbers: Sequence[int]) -> tuple[Tensor, list[int]]:
    """(rows, numbers) of all processes in the order that they were dealt out in, from this one's. Without gradient."""
    if size() == 1:
        return found, list(numbers)
    whose = torch.tensor(list(numbers), device=found.device)
    counts = [int(count) for count in _all(torch.tensor([len(numbers)], device=found.device))]
    most = max(counts)
    order = torch.tensor([place % size() * most + place // size() for place in range(sum(counts))], device=found.device)
    rows, every = (torch.cat(_all(_padded(one, most)))[order] for one in (found, whose))
    return rows, every.tolist()


def _padded(rows: Tensor, count: int) -> Tensor:
    return torch.cat([rows, rows.new_zeros(count - len(rows), *rows.shape[1:])])


def _all(one: Tensor) -> list[Tensor]:
    every = [torch.empty_like(one) for _ in range(size())]
    dist.all_gather(every, one.contiguous())
    return every


def dealt(rows: Tensor) -> Tensor:
    """This process's rows of all, in the order of ``gathered``."""
    return rows[rank() :: size()] if size() > 1 else rows


def summed(value: float) -> float:
    """The sum of all processes' values, the same in all of them."""
    if size() == 1:
        return value
    total = torch.tensor([value], dtype=torch.float64)
    dist.all_reduce(total)
    return float(total)


def everywhere(value: bool) -> bool:
    """Whether it holds in all processes."""
    return value if size() == 1 else summed(float(value)) == size()


def agreed(value: bool) -> bool:
    """What the first process thinks."""
    if size() == 1:
        return value
    said = torch.tensor([int(value)])
    dist.broadcast(said, 0)
    return bool(said)
