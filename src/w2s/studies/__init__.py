"""Stages of the special studies: which examples are easy, and labels with errors of a known kind."""
