"""What is lost when a model learns new text, and what each way of continuing keeps.

Read in this order: `ways` (the ways to continue), `runs` (all of them at one seed), `summary` (from
losses to verdicts), `report` (tables and a picture) and `study` (the whole, in a folder).
"""
