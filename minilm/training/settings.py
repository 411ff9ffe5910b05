"""Every setting of training in one place: pretraining, updates, fine-tuning.

Each default has its reason beside it. Settings come from the command line or a TOML file as a
mapping of names to values; `given.py` checks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from minilm.errors import InputError, OptionError
from minilm.nn.config import SIZES, TARGETS, GPTConfig
from minilm.nn.llama_config import LlamaConfig
from minilm.nn.parameters import Config
from minilm.training.given import SHAPE, check, load_toml

UPDATE = "update"  # the table of a TOML file that holds the settings of updates

#: What words take in place of the defaults below, which suit BPE. The aim is a body to fine-tune.
#: Chosen by accuracy on development parts, never on test items: 2,000 reviews of rt-polarity (Pang
#: and Lee 2005) at 100 and 200 labels ("rt"), and of corpora/movie_reviews.csv the dev part and
#: half of the train part at 32, 128 and 256 ("films"). Documents shuffled, 1.8 passes, width 64,
#: one pretraining, 6 draws (+- 0.01); the accuracy is that of a softmax regression on the frozen
#: body, mean pooling, penalty 30, unless it says "fine-tuned".
#:
#: - Next-word prediction soon spoils vectors that say which words are alike. At the full rate, from
#:   rows of length 0.2: rt 0.619 and 0.657, fine-tuned 0.594 and 0.649. Embeddings at a tenth of
#:   the rate: 0.632 and 0.667, fine-tuned 0.624 and 0.667. Frozen: 0.635 and 0.666, but then the
#:   language model is worse than counting words (8.6 nats held out, against 6.4 and 5.9).
#: - Rows of length 0.2 are as short as the position embeddings, which are noise to a mean. At a
#:   tenth of the rate, films: 0.575, 0.600, 0.598 from length 0.2; 0.592, 0.611, 0.627 from 1.0.
#: - Window 5 in place of 15: word vectors lose 1 to 3 points on films, weighted by frequency.
#: - No clear gain (films): width 96 (0.588, 0.617, 0.646), 1 layer (0.596, 0.616, 0.629), learning
#:   rate 1e-3 (0.592, 0.607, 0.625); 4e-3 loses 7 points (rt, at the full rate). A mean weighted by
#:   word frequency as in `embeddings.documents` adds about a point, and weights to every model.
#:
#: How long, and at what rate, on films re-split (400 texts to draw from, 664 to test on; nine draws
#: of 16, 64 and 256 labels, three pretrainings; +- 0.01), accuracy of the probe:
#:
#: - 2e-3: 0.540, 0.559, 0.594 after 200 steps; 0.553, 0.587, 0.618 after 400; 0.563, 0.591, 0.635
#:   after 800. 5e-4, 400 steps: 0.534, 0.562, 0.594.
#: - 4e-3: 0.557, 0.593, 0.629 after 400 steps; 0.565, 0.596, 0.633 after 800 (two pretrainings).
#:   8e-3, 400 steps: 0.556, 0.583, 0.615. So 400 steps at 4e-3 do for 800 at 2e-3.
#: - Before any step, with the vectors in random layers: 0.560, 0.595, 0.670. The first 100 steps
#:   take 7 points of that at 256 labels, as next-word prediction turns the states toward what
#:   follows. The embeddings keep 0.56, 0.59, 0.67; the mean over embeddings and layers is a point
#:   above the last layer.
#: - A mean weighted by frequency: one to two points more, at every layer and step.
#: - No gain (400 steps at 2e-3): embeddings of length 2 (0.545, 0.575, 0.607), or at a fiftieth of
#:   the rate (0.548, 0.587, 0.623).
#:
#: At the end 2,000 other reviews of rt-polarity were looked at once (2 pretrainings, 6 draws, 5,000
#: words): fine-tuned 0.638 and 0.659, from scratch 0.555 and 0.573, LoRA 0.632 and 0.657, frozen
#: 0.655 and 0.676.
WORD_RECIPE: dict[str, Any] = {
    "vocab_size": 10_000,  # with more, the output matrix is most of the work
    "window": 15,
    "embedding_length": 1.0,
    "embedding_rate": 0.1,
    "learning_rate": 4e-3,
}
# What goes with embeddings that do not start from co-occurrences.
_RANDOM_START = {"embedding_rate": 1.0, "learning_rate": 2e-3}
_STEPS = 3_000  # about two minutes at size "class" on two threads


@dataclass(frozen=True)
class PretrainSettings:
    """The settings of pretraining; `complete` fills in what is not given.

    Attributes
    ----------
    size : {"kata", "class", "large"}
        Sets the six fields below that are not given.
    vocab_size : int
        The most entries the tokenizer may have; 10,000 for "word".
    n_positions, n_embd, n_layer, n_head : int
        Context, width, layers, heads.
    batch : int
        Sequences in a batch.
    dropout : float
        The rate of all three dropouts. 0 by default: a run of a few epochs does not overfit.
    tokenizer : {"bpe", "word"}
    init : {"cooccurrence", "random"}
        What the word embeddings start from.
    window : int
        Tokens on each side when co-occurrences are counted.
    embedding_length : float
        Of each word embedding that starts from co-occurrences.
    embedding_rate : float
        The word embeddings learn at the learning rate times this.
    steps, epochs : int and float, optional
        How long to train; 3,000 steps by default.
    learning_rate : float
        The highest.
    warmup : int, optional
        Steps; by default a twentieth of all, and at most 200.
    weight_decay : float
    patience : int, optional
        Stop after this many evaluations without a better held-out loss, and keep the best model.
    seed : int
    threads : int
        Shards of a batch, one on each thread. The last bits of the result depend on their number.
    documents : {"lines", "paragraphs"}, optional
        What a document of a .txt or .md file is; by default, paragraphs if there are blank lines.
    encoding : str
    text_column : str, optional
    no_header : bool
        Whether the first row of .csv and .tsv files is data.
    save_seconds : float
        Time between two saves. It does not change the result.
    """

    size: str
    vocab_size: int
    n_positions: int
    n_embd: int
    n_layer: int
    n_head: int
    batch: int
    dropout: float = 0.0
    architecture: str = "gpt2"
    tokenizer: str = "bpe"
    init: str = "cooccurrence"
    # Held-out bits per byte of corpora/general.txt after 800 steps at size class: 1.717 at window
    # 1, 1.719 at 2, 1.738 at 5, 1.754 at 10; and 1.836 with random embeddings (an older build).
    window: int = 2
    embedding_length: float = 0.2  # about that of GPT-2's random rows at these widths
    embedding_rate: float = 1.0
    steps: int | None = None
    epochs: float | None = None
    learning_rate: float = 2e-3  # usual for models of a million parameters
    warmup: int | None = None
    weight_decay: float = 0.1  # GPT-3's (Brown et al. 2020, appendix B)
    patience: int | None = None
    seed: int = 0
    threads: int = 2
    documents: str | None = None
    encoding: str = "utf-8"
    text_column: str | None = None
    no_header: bool = False
    save_seconds: float = 60.0


#: An update's highest learning rate, as a share of the one the model was pretrained at. On three
#: domains learned in turn, the mean held-out loss over all of them was 3.498 at a tenth, 3.475 at a
#: fifth, 3.466 at two fifths and 3.510 at the full rate (`minilm compare forgetting`, development
#: parts). A fifth is near the best and forgets less than two fifths. LoRA's factors start at zero
#: and need more: rank 4 came to 3.593 at the full rate and 3.574 at three times it.
RATE_SHARES = {"full": 0.2, "lora": 1.0}


@dataclass(frozen=True)
class Care:
    """What is done against forgetting; by default nothing.

    Attributes
    ----------
    replay : float
        Old windows in a batch for each new one.
    ewc : float
        The strength of elastic weight consolidation.
    average : float
        The weight of the old model in the mean of old and new, taken afterwards; below 1.
    lora : int
        The rank of LoRA's matrices, which are then the only ones trained; 0 for no LoRA.
    alpha : float, optional
        LoRA's product is scaled by alpha / rank; twice the rank by default.
    targets : tuple of str
        The matrices that LoRA adapts.

    Raises
    ------
    OptionError
        When a value cannot work.
    """

    replay: float = 0.0
    ewc: float = 0.0
    average: float = 0.0
    lora: int = 0
    alpha: float | None = None
    targets: tuple[str, ...] = TARGETS

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0 <= self.replay <= 100:
            raise OptionError(
                f"replay is {self.replay}; expected 0 to 100 old windows for each new one"
            )
        if not 0 <= self.ewc < float("inf"):
            raise OptionError(f"ewc is {self.ewc}; expected a strength of 0 or more")
        if not 0 <= self.average < 1:
            raise OptionError(f"average is {self.average}; expected a weight from 0 to below 1")
        if self.lora < 0:
            raise OptionError(f"lora is {self.lora}; expected a rank of 0 or more")
        if self.lora and self.ewc:
            raise OptionError("EWC holds the old matrices and LoRA freezes them; use one of them")

    @property
    def needs_old_text(self) -> bool:
        """Whether a sample of the old text is needed."""
        return self.replay > 0 or self.ewc > 0


@dataclass(frozen=True)
class UpdateSettings(Care):
    """The settings of an update: a model is trained further on new text.

    Attributes
    ----------
    learning_rate : float, optional
        The highest; by default `RATE_SHARES` of the rate that the model was pretrained at.
    epochs, steps : float and int, optional
        How long to train. Two epochs in place of three left the new text at perplexity 43.8 in
        place of 41.4, and the old one at 52.2 in place of 53.6 (a model of size kata after 400
        steps, then corpora/continual/databases.jsonl; at first 57.5 and 45.7).
    batch : int, optional
        Sequences in a batch; by default as in the run before, or 16, fewer where windows are long:
        SmolLM2 (135 million parameters) took 12 GB for 16 windows of 512 tokens.
    n_positions : int, optional
        Tokens in a training window; by default the model's context, but 512 at most, because long
        windows take memory, and never more than the text has.
    dropout : float, optional
        By default the model's own.
    replay, ewc, average, lora, alpha, targets
        What is done against forgetting; see `Care`. Off by default: the low learning rate alone
        costs no time and needs no old text.
    limit : float
        The share by which the perplexity of an old text may rise before the update is held back. A
        tenth lets ordinary updates pass (the README's example costs 6 %).
    weight_decay, warmup, patience, seed, threads, documents, encoding, text_column, no_header,
    save_seconds
        As in `PretrainSettings`.
    """

    learning_rate: float | None = None
    epochs: float | None = 3.0
    steps: int | None = None
    batch: int | None = None
    n_positions: int | None = None
    dropout: float | None = None
    limit: float = 0.1
    weight_decay: float = PretrainSettings.weight_decay
    warmup: int | None = None
    patience: int | None = None
    seed: int = 0
    threads: int = 2
    documents: str | None = None
    encoding: str = "utf-8"
    text_column: str | None = None
    no_header: bool = False
    save_seconds: float = 60.0


@dataclass(frozen=True)
class Rates:
    """The default learning rates of a method of fine-tuning.

    Attributes
    ----------
    learning_rate : float
        The highest one, for the head.
    embeddings : float
        The embeddings' rate as a share of it; the layers in between go down in equal factors.
    """

    learning_rate: float
    embeddings: float


#: The learning rates of fine-tuning, by method: the head needs a high rate, the word embeddings a
#: low one. On the parts above (1,000 items of rt), body as in `WORD_RECIPE` with 5,000 words, 4 to
#: 6 draws, full fine-tuning at 5e-3 with
#: embeddings at 1e-3 of it: rt 0.620 and 0.655, films 0.578, 0.594 and 0.623. At 2e-3: 0.609 and
#: 0.651; 0.556, 0.602 and 0.622. At 1e-3 with embeddings at 1e-2: rt 0.602 and 0.650. Embeddings
#: at 1e-5, weight decay up to 10 and 20 epochs change less than a point; one rate of 5e-4 for all
#: layers lost one or two on the body at the full rate. LoRA: films 0.577 and 0.608;
#: with a weight decay of 3, rt 0.609 and 0.643.
#: On films re-split (400 steps at 4e-3; nine draws of 16, 64 and 256 labels, each with its own
#: pretraining): full 0.549, 0.583, 0.619; LoRA 0.547, 0.579, 0.613; scratch 0.517, 0.547, 0.574.
#: Not built in, but better: a head that starts from the probe's weights, then a rate of 2e-3
#: (Kumar et al. 2022, "Fine-Tuning can Distort Pretrained Features and Underperform
#: Out-of-Distribution"): full 0.562, 0.593, 0.632; LoRA 0.566, 0.592, 0.628.
#:
#: The last layer alone, and gradual unfreezing: the same parts, and tickets re-split (210 texts to
#: draw from, 195 to test on, 40 and 120 labels); nine draws on three pretrainings, the mean over
#: the numbers of labels (+- 0.01), films and tickets. The share is that of the embeddings.
#:
#:     rate      share     last-n          gradual
#:     2e-3      1e-3      0.568, 0.390    0.569, 0.389
#:     2e-3      3e-2      0.569, 0.409    0.579, 0.417
#:     5e-3      1e-3      0.576, 0.433    0.577, 0.433
#:     5e-3      3e-2      0.572, 0.429    0.572, 0.443
#:     5e-3      1e-5      0.580, 0.423    0.579, 0.425
#:     1e-2      1e-3      0.577, 0.446    0.577, 0.449
#:     1e-2      3e-2      0.564, 0.435    0.565, 0.445
#:     1e-2      1e-5      0.585, 0.448    0.583, 0.450    chosen
#:     2e-2      1e-5      0.584, 0.447    0.583, 0.454
#:     1e-2      1e-3      0.574, 0.438    0.574, 0.443    20 epochs
#:     5e-3      1e-3      0.579, 0.439    0.577, 0.443    20 epochs
#:
#: One rate for all layers lost 1 to 3 points. Full fine-tuning came to 0.579 and 0.442 at its own
#: rates, and to 0.585 and 0.448 at those chosen here: no method is clearly better than another.
#: The deep bodies of other people need less: for GPT-2 about 5e-5, with a layer decay of 0.9.
FINETUNE_RATES = {
    "full": Rates(5e-3, 1e-3),
    "probe": Rates(1e-2, 1.0),
    "lora": Rates(5e-3, 8e-3),
    "last-n": Rates(1e-2, 1e-5),
    "gradual": Rates(1e-2, 1e-5),
}


@dataclass(frozen=True)
class FinetuneSettings:
    """The settings of fine-tuning: a body is adapted to a labelled task.

    Attributes
    ----------
    method : {"full", "probe", "lora", "last-n", "gradual"}
    rank : int
        LoRA's.
    alpha : float, optional
        LoRA's product is scaled by alpha / rank; twice the rank by default.
    targets : tuple of str
        The matrices that LoRA adapts, some of `TARGETS`.
    layers : int
        The n of last-n.
    epochs : float
        Times through the texts.
    updates : int, optional
        A number of steps instead, for any number of texts.
    batch : int
        Texts in a batch.
    learning_rate : float, optional
        The highest; by default that of the method in `FINETUNE_RATES`.
    layer_decay : float, optional
        Each layer learns at the rate of the layer above times this (Howard and Ruder 2018,
        section 3.2, where it is 1 / 2.6); by default it follows from `FINETUNE_RATES`.
    lm_weight : float
        Weight of an additional next-word loss.
    pooling : {"mean", "last"}
        What represents a text: the mean over its tokens, or its last token.
    weight_decay, dropout : float
        Few labels overfit soon, so there is dropout, as in GPT-2.
    seed : int
    threads : int
        Shards of a batch. The last bits of the result depend on their number.
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
        optional = {field.name for field in fields(self) if field.default is None}
        given = {k: v for k, v in vars(self).items() if v is not None or k not in optional}
        check(given, FinetuneSettings)
        if not self.dropout < 1:
            raise OptionError(f"dropout is {self.dropout!r}; expected a rate from 0 to below 1")
        if self.lm_weight and self.method == "probe":
            raise OptionError("lm_weight trains the body, which a probe leaves alone; leave it out")

    @property
    def peak(self) -> float:
        """The highest learning rate."""
        if self.learning_rate is not None:
            return self.learning_rate
        return FINETUNE_RATES[self.method].learning_rate

    def decay(self, layers: int) -> float:
        """Return the factor from one layer's learning rate to that of the layer below.

        >>> settings = FinetuneSettings("full")
        >>> round(settings.decay(2), 3), round(settings.decay(12), 3)
        (0.1, 0.588)
        """
        if self.layer_decay is not None:
            return self.layer_decay
        steps = layers + 1  # from the head down to the embeddings
        return float(FINETUNE_RATES[self.method].embeddings ** (1 / steps))

    def share(self, trained: int, base_count: int) -> str:
        """Return how much of the model is trained, in words.

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
        percent = min(100.0, 100 * trained / base_count)  # the head is not part of the base
        digits = 0 if percent >= 10 else 1 if percent >= 0.1 else 3
        return f"{names[self.method]}: {percent:.{digits}f} % of {base_count:,} parameters"


def read_toml(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a TOML file: settings of pretraining, and a table `[update]` of settings of updates.

    One file can serve `minilm pretrain` and `minilm update`, and an update notices when the model
    has another shape than the file asks for.

    Returns
    -------
    pretraining : dict of str to value
    update : dict of str to value

    Raises
    ------
    InputError
        When the file is not TOML, or has an unknown key or a value that cannot work.
    """
    pretraining = load_toml(path)
    update = pretraining.pop(UPDATE, {})
    if not isinstance(update, dict):
        raise InputError(f"{UPDATE} is not a table; write [{UPDATE}]", path)
    where = ""
    try:
        check(pretraining, PretrainSettings)
        where = f"[{UPDATE}]: "
        check(update, UpdateSettings)
    except OptionError as error:
        raise InputError(f"{where}{error}", path) from None
    return pretraining, update


def complete(given: Mapping[str, Any]) -> PretrainSettings:
    """Return the settings of pretraining: what was given, then what the size says.

    Examples
    --------
    >>> settings = complete({"size": "kata", "n_layer": 3})
    >>> settings.n_layer, settings.n_embd, settings.vocab_size, settings.steps
    (3, 64, 512, 3000)
    """
    check(given, PretrainSettings)
    name = given.get("size", "class")
    size = SIZES[name]
    words = given.get("tokenizer", PretrainSettings.tokenizer) == "word"
    settings = PretrainSettings(
        **{
            "size": name,
            "vocab_size": size.config.vocab_size,
            **{key: getattr(size.config, key) for key in SHAPE},
            "batch": size.batch,
            "steps": None if "epochs" in given else _STEPS,
            **(WORD_RECIPE if words else {}),
            **(_RANDOM_START if given.get("init") == "random" else {}),
            **given,
        }
    )
    model_config(settings, settings.vocab_size)  # reports early what does not go together
    return settings


def model_config(settings: PretrainSettings, vocab_size: int) -> Config:
    """Return the shape of the model, given the size of the vocabulary that was found.

    A Llama's three MLP matrices are narrower than GPT-2's two, so that both have about as many
    parameters: 8/3 of the width, rounded up to a multiple of 8.
    """
    shape = {key: getattr(settings, key) for key in SHAPE}
    if settings.architecture == "llama":
        return LlamaConfig(
            vocab_size=vocab_size,
            hidden_size=settings.n_embd,
            intermediate_size=-(-settings.n_embd // 3) * 8,
            num_hidden_layers=settings.n_layer,
            num_attention_heads=settings.n_head,
            max_position_embeddings=settings.n_positions,
            tie_word_embeddings=True,
            attention_dropout=settings.dropout,
        )
    return GPTConfig(vocab_size=vocab_size, **shape).with_dropout(settings.dropout)


#: Training from scratch on labels: one rate for all layers, and twice the epochs. On the same parts
#: and draws rt 0.545 and 0.574, films 0.524, 0.546 and 0.563; 1e-3 and 40 epochs, films 0.509 and
#: 0.540 at 32 and 128.
SCRATCH = FinetuneSettings(learning_rate=3e-3, layer_decay=1.0, epochs=20)
