"""Learning curves in the number of weak labels."""
