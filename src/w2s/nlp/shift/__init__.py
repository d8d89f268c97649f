"""Runs scored on test sets of other data than they were trained on."""
