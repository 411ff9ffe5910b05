"""The settings of fine-tuning."""

from __future__ import annotations

import math
from dataclasses import dataclass

from minilm.errors import OptionError
from minilm.nn.config import POOLINGS, TARGETS

METHODS = ("full", "probe", "lora", "last-n", "gradual")


@dataclass(frozen=True)
class Defaults:
    """What a method is trained with unless said.

    Attributes
    ----------
    learning_rate : float
        The highest, which the head has.
    embeddings : float
        How much of it the embeddings have; the layers between go down in equal steps.
    """

    learning_rate: float
    embeddings: float


# Chosen by accuracy on a development part of rt-polarity (Pang and Lee 2005), at 100 and 200 labels
# on a body of 2 layers and width 96, three to five draws. Full fine-tuning at one rate of 5e-4 for
# all layers came to 0.594 and 0.611, with these to 0.611 and 0.632: the head needs a high rate, the
# word embeddings a low one. For the deep bodies of others take less: for GPT-2 some 5e-5, with a
# layer decay of 0.9.
DEFAULTS = {
    "full": Defaults(5e-3, 1e-3),
    "probe": Defaults(1e-2, 1.0),
    "lora": Defaults(5e-3, 8e-3),
    "last-n": Defaults(5e-3, 1e-3),
    "gradual": Defaults(5e-3, 1e-3),
}


@dataclass(frozen=True)
class FinetuneSettings:
    """How a body is fine-tuned.

    Attributes
    ----------
    method : {"full", "probe", "lora", "last-n", "gradual"}
    rank : int
        Of LoRA.
    alpha : float, optional
        LoRA's product counts alpha / rank times; twice the rank unless said.
    targets : tuple of str
        The matrices that LoRA adapts: some of `TARGETS`.
    layers : int
        n of last-n.
    epochs : float
        Times through the texts.
    updates : int, optional
        How many steps instead, whatever the number of texts.
    batch : int
        Texts in a batch.
    learning_rate : float, optional
        The highest; by method unless said, see `DEFAULTS`.
    layer_decay : float, optional
        The learning rate of a layer is that of the one above times this (Howard and Ruder 2018,
        section 3.2, where it is 1 / 2.6); by method and number of layers unless said.
    lm_weight : float
        Weight of the auxiliary next-word loss.
    pooling : {"mean", "last"}
        What stands for a text: the mean over its tokens, or the last of them.
    weight_decay : float
    dropout : float
        The rate of all three dropouts.
    seed : int
    threads : int
        Shards of a batch. The result depends on their number in the last bits.
    """

    method: str = "full"
    rank: int = 4
    alpha: float | None = None
    targets: tuple[str, ...] = TARGETS
    layers: int = 1
    epochs: float = 10
    updates: int | None = None
    batch: int = 16
    learning_rate: float | None = None
    layer_decay: float | None = None
    lm_weight: float = 0.0
    pooling: str = "mean"
    weight_decay: float = 0.01
    dropout: float = 0.1
    seed: int = 0
    threads: int = 1

    def check(self) -> None:
        """Raise OptionError at the first value that cannot work."""
        if self.method not in METHODS:
            raise OptionError(f"the method {self.method!r} is not one of {', '.join(METHODS)}")
        if self.pooling not in POOLINGS:
            raise OptionError(f"pooling is {self.pooling!r}; expected {' or '.join(POOLINGS)}")
        for name in ("rank", "layers", "updates", "batch", "threads"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise OptionError(f"{name} is {value!r}; expected a whole number of 1 or more")
        for name in ("epochs", "alpha", "learning_rate", "layer_decay"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise OptionError(f"{name} is {value!r}; expected a number above 0")
        for name in ("lm_weight", "weight_decay", "seed"):
            if not 0 <= getattr(self, name) < math.inf:
                raise OptionError(f"{name} is {getattr(self, name)!r}; expected 0 or more")
        if not 0 <= self.dropout < 1:
            raise OptionError(f"dropout is {self.dropout!r}; expected a rate from 0 to below 1")
        if self.lm_weight and self.method == "probe":
            raise OptionError("lm_weight trains the body, which a probe leaves alone; leave it out")

    @property
    def peak(self) -> float:
        """The highest learning rate."""
        if self.learning_rate is not None:
            return self.learning_rate
        return DEFAULTS[self.method].learning_rate

    def decay(self, layers: int) -> float:
        """Return what each layer's learning rate is of the one above, in a body of so many.

        >>> settings = FinetuneSettings("full")
        >>> round(settings.decay(2), 3), round(settings.decay(12), 3)
        (0.1, 0.588)
        """
        if self.layer_decay is not None:
            return self.layer_decay
        steps = layers + 1  # from the head down to the embeddings
        return float(DEFAULTS[self.method].embeddings ** (1 / steps))

    def share(self, trained: int, base_count: int) -> str:
        """Return how much is trained, in words.

        >>> FinetuneSettings("lora", rank=4).share(9_573, 1_063_680)
        'LoRA rank 4: 0.9 % of 1,063,680 parameters'
        """
        names = {
            "full": "full fine-tuning",
            "probe": "a probe on the frozen body",
            "lora": f"LoRA rank {self.rank}",
            "last-n": "the last layer" if self.layers == 1 else f"the last {self.layers} layers",
            "gradual": "gradual unfreezing",
        }
        percent = min(100.0, 100 * trained / base_count)  # the head is no part of the base
        digits = 0 if percent >= 10 else 1 if percent >= 0.1 else 3
        return f"{names[self.method]}: {percent:.{digits}f} % of {base_count:,} parameters"
