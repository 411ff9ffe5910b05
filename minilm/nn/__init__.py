"""The transformer's maths: every forward next to its backward. Knows no files."""
