"""Pure functions on prediction tables: accuracies, performance gap recovered, and what figures share."""
