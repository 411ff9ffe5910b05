"""Word vectors from counts: count, weight, factorize, compare."""
