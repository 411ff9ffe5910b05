"""Models as objects: what `minilm.load` gives, and what the commands call.

Read `loading.py` (a folder becomes an object), `language_model.py` and `text_classifier.py` first,
then `adapted.py` (adapters on one base). `generate.py` makes text, `scores.py` measures how well
text is predicted, `predictions.py` how well labels are. `batches.py` cuts tokens into windows,
`texts.py` pads texts of different lengths.
"""
