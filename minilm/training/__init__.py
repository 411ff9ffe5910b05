"""Training: text or a model's folder in, a model's folder out.

Read `settings.py` (every default and its reason) and `loop.py` (the one training loop) first.
Pretraining: `tokens.py` (files of token ids), `word_start.py`, `pretrain.py`, `checkpoint.py`.
Updates: `new_documents.py`, `replay.py` and `forgetting.py` (care for old text), `text_run.py` (one
run), `update.py` (from folder to folder), `outcome.py` (its figures), `pipeline.py` (a session).
Fine-tuning: `finetune.py` (the maths), `unfreezing.py` (what is trained when), `labelled_task.py`
(labels) and `replies.py` (conversations) from folder to folder, `estimators.py` (for scikit-learn).
`output.py` writes the results.
`front.py` has what a person calls: pretrain, finetune, update.
"""
