"""Golden keys: what the plan of each shipped experiment comes to."""
