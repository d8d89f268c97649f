"""Distributed training: sharded weights, scattered batches, and the same results on every rank.

Every rank holds a shard of each weight, its gradient and its optimiser state, and gathers a block's weights while it
computes with it (FSDP, torch's ``fully_shard``). A batch is split text by text, so that ranks have about equal work;
each rank reads its texts in micro-batches, and all ranks have equally many of them (``split_by_rank``), as a forward
pass is a collective operation. Logits are gathered before any loss that compares examples, and a loss is divided by the
size of the whole batch. In a single process all of this does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeGuard

import torch
import torch.distributed as dist
from torch import Tensor, nn

from w2s.engine.devices import device
from w2s.engine.rank import wait_seconds, worker

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor

METHODS = ("score_pairs", "prefill", "decode", "read_prefix", "score_after")  # of networks, beside ``forward``


def size() -> int:
    """The number of processes that work on this run."""
    return worker().size


def rank() -> int:
    """The rank of this process."""
    return worker().rank


def join() -> None:
    """Initialise the process group."""
    own, where = worker(), device()
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
    """Wait for all ranks and end the process group."""
    dist.barrier()
    dist.destroy_process_group()


# -- weights -----------------------------------------------------------------------------------------------


def load_on(load: Callable[[], nn.Module], where: torch.device) -> Any:
    """The network that ``load`` makes, on the device; in distributed training each rank holds its shards only.

    Ranks load one after another, so that the machine holds one whole network at a time.
    """
    if size() == 1:
        return load().to(where)
    network = None
    for loading in range(size()):
        if loading == rank():
            network = shard_network(load(), where)
        dist.barrier()
    return network


def shard_network(network: nn.Module, where: torch.device) -> nn.Module:
    """Shard a network in place, block by block."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method

    mesh = init_device_mesh(where.type, (size(),))
    lists = [module for module in network.modules() if isinstance(module, nn.ModuleList)]
    for block in max(lists, key=len, default=()):
        fully_shard(block, mesh=mesh)
    # Reshard the rest too: between two calls every weight is its shard, which can be averaged and saved.
    fully_shard(network, mesh=mesh, reshard_after_forward=True)
    for name in METHODS:
        if hasattr(network, name):
            register_fsdp_forward_method(network, name)
    for module in network.modules():
        if isinstance(module, FSDPModule):  # losses are divided by the size of the whole batch: sum gradients
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
    return network


def is_sharded(weight: Tensor) -> TypeGuard[DTensor]:
    """Whether this rank holds a shard of a tensor only."""
    if size() == 1:  # torch's module of sharded tensors takes a good part of a second to import
        return False
    from torch.distributed.tensor import DTensor

    return isinstance(weight, DTensor)


def local_shard(weight: Tensor) -> Tensor:
    """The local shard of a weight, sharing its memory."""
    return weight.to_local() if is_sharded(weight) else weight


def gather_weights(network: nn.Module, load: Callable[[], nn.Module]) -> Any:
    """The network with all weights, on the CPU, for rank 0; None for the other ranks. load: makes a network like it."""
    if size() == 1:
        return network
    state = {}
    for name, value in network.state_dict().items():  # one at a time: no GPU holds them all
        full = value.full_tensor() if is_sharded(value) else value
        if rank() == 0:
            state[name] = full.cpu()
    if rank() > 0:
        return None
    found = load()
    found.load_state_dict(state, assign=True)
    return found


def shard_like(value: Tensor, weight: Tensor) -> Tensor:
    """A sharded tensor from its local shard, sharded as a weight is."""
    if not is_sharded(weight) or is_sharded(value):
        return value
    from torch.distributed.tensor import DTensor

    return DTensor.from_local(
        value.to(weight.device),
        weight.device_mesh,
        weight.placements,
        run_check=False,
        shape=weight.shape,
        stride=weight.stride(),
    )


# -- batches and results -----------------------------------------------------------------------------------


def split_by_rank(ordered: Sequence[int], sliced: Callable[[Sequence[int]], list[list[int]]]) -> list[list[int]]:
    """The micro-batches of this rank, from ordered numbers; every rank has equally many, the last ones empty.

    sliced: splits a rank's numbers into micro-batches.
    """
    if size() == 1:
        return sliced(ordered)
    shares = [sliced(ordered[first :: size()]) for first in range(size())]
    mine = shares[rank()]
    return mine + [[]] * (max(map(len, shares)) - len(mine))


def gather(rows: Tensor, numbers: Sequence[int]) -> tuple[Tensor, list[int]]:
    """(rows, numbers) of all ranks from those of this one, in the order before the split. Without gradient."""
    if size() == 1:
        return rows, list(numbers)
    local = torch.tensor(list(numbers), device=rows.device)
    counts = [int(count) for count in _all(torch.tensor([len(numbers)], device=rows.device))]
    most = max(counts)
    order = torch.tensor([index % size() * most + index // size() for index in range(sum(counts))], device=rows.device)
    all_rows, all_numbers = (torch.cat(_all(_padded(values, most)))[order] for values in (rows, local))
    return all_rows, all_numbers.tolist()


def _padded(rows: Tensor, count: int) -> Tensor:
    return torch.cat([rows, rows.new_zeros(count - len(rows), *rows.shape[1:])])


def _all(local: Tensor) -> list[Tensor]:
    tensors = [torch.empty_like(local) for _ in range(size())]
    dist.all_gather(tensors, local.contiguous())
    return tensors


def scatter(rows: Tensor) -> Tensor:
    """The rows of this rank, from all rows in the order of ``gather``."""
    return rows[rank() :: size()] if size() > 1 else rows


def all_sum(value: float) -> float:
    """The sum of all ranks' values."""
    if size() == 1:
        return value
    total = torch.tensor([value], dtype=torch.float64)
    dist.all_reduce(total)
    return float(total)


def all_true(value: bool) -> bool:
    """Whether the value is true on all ranks."""
    return value if size() == 1 else all_sum(float(value)) == size()


def broadcast(value: bool) -> bool:
    """The value of rank 0."""
    if size() == 1:
        return value
    result = torch.tensor([int(value)])
    dist.broadcast(result, 0)
    return bool(result)
