"""Pure functions on finished runs: accuracies, performance gap recovered, agreement, early stopping, intervals."""
