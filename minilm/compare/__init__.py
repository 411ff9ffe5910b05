"""Fair comparisons: conditions x budgets x seeds, a tidy table, intervals, pictures."""
