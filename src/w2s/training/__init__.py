"""Finetuning: batches, objectives, the loop, and checkpoints. Knows nothing of figures or Snakemake."""
