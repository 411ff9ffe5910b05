"""Word vectors from counts: count, weight, factorise, compare."""
