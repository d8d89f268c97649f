"""How jobs run: artifacts on disk, locks, checkpoints, devices, memory, distributed training, rows of data sets."""
