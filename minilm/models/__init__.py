"""Models as objects: what `minilm.load` returns, and what the commands call.

Read `loading.py` (a folder becomes an object), `language_model.py` and `text_classifier.py` first,
then `adapted.py` (adapters on one base). `generate.py` generates text, and `chat.py` answers in a
conversation. `scores.py` and `predictions.py` measure how well text and labels are predicted.
`batches.py` cuts tokens into windows, `texts.py` pads texts of different lengths.
"""
