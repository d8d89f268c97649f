"""Finetuning: batches, objectives, the loop, and the stage that runs it. Knows nothing of figures or Snakemake."""
