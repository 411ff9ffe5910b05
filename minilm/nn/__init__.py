"""The transformer's math: token ids in, logits and gradients out. Knows no files and no text.

Read `functional` first (the operations as pairs of forward and backward), then `gpt` (the model
made of them) and `parameters` (all weights in one flat array). Then, in any order: `heads` (a
classifier on the same body), `lora` (low-rank adapters), `optim` (SGD, AdamW, learning rates),
`parallel` (a training step on several threads) and `gradcheck` (is a gradient right?).
"""

from minilm import lazy

__getattr__, __dir__, __all__ = lazy.exports(
    __name__,
    {
        "config": ("GPTConfig", "SIZES"),
        "gpt": ("GPT", "KeyValueCache", "initial_parameters"),
        "gradcheck": ("directional_error", "element_errors"),
        "heads": ("SequenceClassifier", "with_score"),
        "lora": ("Adapter", "new_adapter"),
        "optim": ("SGD", "AdamW", "clip_factor", "global_norm", "warmup_decay"),
        "parallel": ("Shards",),
        "parameters": ("FlatStore", "Parameters", "param_shapes"),
    },
)
