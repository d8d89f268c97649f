"""Experiments: the settings composed. The only place that lists them."""
