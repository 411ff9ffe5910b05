"""Is a text fit to learn from? The parts of `minilm validate`.

Read in this order: `verdict` (the checks, their limits, the report), `validate` (all checks over
the files), `damage` (what is wrong with one text), `fingerprints` and `minhash` (equal and nearly
equal texts), `findings` (what repeats) and `cleaning` (the copy without it).
"""
