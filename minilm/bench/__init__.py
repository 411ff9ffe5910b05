"""The races against other libraries: one file for a race, ratios from one run."""
