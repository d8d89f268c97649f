"""How jobs are run on a machine: the section ``execution`` of the config."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from w2s.config.schema import Positive, Strict


class Execution(Strict):
    """How jobs are run on a machine. No result depends on it; environment variables of jobs overrule it."""

    runs_per_process: Positive = 64  # jobs that a warm process does before it is replaced; 1: each has its own
    checkpoint_seconds: float = Field(60, ge=0)  # between checkpoints of a training; 0: after every step
    tokens_at_once: Positive | None = None  # whose activations are held, 4096 (CPU) or 32768 (GPU) by default
    threads: Positive = 1  # of the CPU for each job; another number changes the last bits of results
    jobs_per_gpu: Positive = 4  # on one machine; more wait. A scheduler (profiles/slurm) gives jobs their own GPUs
    tracker: Literal["tensorboard", "mlflow", "wandb"] | None = None  # that jobs report to, in tracking/
    compile: Literal["auto", "always", "never"] = "auto"  # torch.compile; auto: long trainings on a GPU
    pack: Literal["never", "always"] = "never"  # classifiers read texts in one row, without padding
    keep_weights: Literal["never", "always"] = "never"  # of classifiers that are finetuned from now on, for w2s push
    gpu: Literal["any", "none", "a100", "l40s", "h100", "h200", "rtx4090"] = "any"  # that a scheduler is asked for
    longest_job: Positive = 1440  # minutes that a scheduler is asked for at most; a longer job goes on where it was

    def variables(self) -> dict[str, str]:
        """The environment of jobs."""
        return {
            "W2S_RUNS_PER_PROCESS": str(self.runs_per_process),
            "W2S_CHECKPOINT_SECONDS": f"{self.checkpoint_seconds:g}",
            "W2S_TOKENS_AT_ONCE": str(self.tokens_at_once or ""),
            "W2S_THREADS": str(self.threads),
            "W2S_JOBS_PER_GPU": str(self.jobs_per_gpu),
            "W2S_COMPILE": self.compile,
            "W2S_TRACKER": self.tracker or "",
            "W2S_PACK": self.pack,
            "W2S_KEEP_WEIGHTS": self.keep_weights,
        }
