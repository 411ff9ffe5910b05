"""Which parameters are trained when. The methods of fine-tuning differ in nothing else:

    full       all of them
    probe      the head alone, on features of the frozen body
    lora       the head and thin matrices beside the frozen ones (Hu et al. 2021)
    last-n     the head and the last n layers
    gradual    the head, then one more layer each epoch from the top, lower ones more slowly
               (Howard and Ruder 2018, "Universal Language Model Fine-tuning", section 3.3)

`stages` and `rate_factors` are the decisions; `Staged` carries them out during a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minilm.arrays import Ids
from minilm.errors import OptionError
from minilm.models import texts
from minilm.nn.gpt import GPT
from minilm.nn.heads import SequenceClassifier
from minilm.nn.optim import AdamW
from minilm.nn.parameters import Config, depth
from minilm.store.huggingface import SCORE
from minilm.training.settings import FinetuneSettings


def groups(config: Config, names: Iterable[str], settings: FinetuneSettings) -> list[list[str]]:
    """Return which names are trained: one list, or one per stage for gradual unfreezing.

    Raises
    ------
    OptionError
        When there are fewer layers than the last n.
    """
    # A separate next-word head has a gradient from the auxiliary loss alone.
    unused = set() if settings.lm_weight else {config.head} - {config.table}
    used = [name for name in names if name not in unused]
    return stages(below_the_head(used, config), settings.method, settings.layers)


def below_the_head(names: Iterable[str], config: Config) -> dict[str, int]:
    """Return how many layers down from the head each parameter is.

    0 for the head and the final norm, 1 for the last layer, `n_layer + 1` for the embeddings.

    >>> from minilm.nn.config import GPTConfig
    >>> below_the_head(["wpe.weight", "h.0.ln_1.bias", SCORE], GPTConfig(512, 32, 64, 2, 2))
    {'wpe.weight': 3, 'h.0.ln_1.bias': 2, 'score.weight': 0}
    """
    return {name: max(0, config.n_layer - depth(name, config)) for name in names}


def stages(levels: Mapping[str, int], method: str, layers: int = 1) -> list[list[str]]:
    """Return which parameters are trained in each stage; all others are frozen.

    Parameters
    ----------
    levels : mapping of str to int
        How many layers down from the head each parameter is, as `below_the_head` returns it. The
        embeddings are at the largest level.
    method : {"full", "probe", "lora", "last-n", "gradual"}
        See the top of this file. Only "gradual" has more than one stage: the first trains level
        0, and each further stage adds a level.
    layers : int
        The n of last-n.

    Returns
    -------
    list of list of str
        Names, in the order of `levels`.

    Raises
    ------
    OptionError
        When there are fewer layers than the last n.

    Examples
    --------
    >>> stages({"a": 2, "b": 1, "score.weight": 0}, "gradual")
    [['score.weight'], ['b', 'score.weight'], ['a', 'b', 'score.weight']]
    """
    deepest = max(levels.values())
    if method == "probe":
        return [[SCORE]]
    if method == "lora":
        return [[name for name in levels if name == SCORE or ".lora_" in name]]
    if method == "last-n" and layers >= deepest:
        raise OptionError(
            f"the last {layers} layers are to be trained, but there are {deepest - 1}; use fewer, "
            "or the method full"
        )
    reached = {"last-n": [layers], "gradual": range(deepest + 1)}.get(method, [deepest])
    return [[name for name, level in levels.items() if level <= most] for most in reached]


def rate_factors(levels: Mapping[str, int], decay: float) -> dict[str, float]:
    """Return the factor on each parameter's learning rate: `decay` for each level down.

    >>> rate_factors({"h.0.ln_1.bias": 1, "score.weight": 0}, 0.1)
    {'h.0.ln_1.bias': 0.1, 'score.weight': 1.0}

    References
    ----------
    J. Howard and S. Ruder (2018), "Universal Language Model Fine-tuning for Text Classification",
    section 3.2.
    """
    return {name: decay**level for name, level in levels.items()}


class Staged:
    """The stages of a run: what is trained now, its optimizer, and which texts are read next.

    Parameters
    ----------
    model : SequenceClassifier or GPT
    groups : list of list of str
        The names that each stage trains, as `stages` returns them.
    lengths : sequence of int
        Of the texts.
    settings : FinetuneSettings
    decay : float
        The factor from one layer's learning rate to that of the layer below.
    """

    def __init__(
        self,
        model: SequenceClassifier | GPT,
        groups: list[list[str]],
        lengths: Sequence[int],
        settings: FinetuneSettings,
        decay: float,
    ) -> None:
        self.model: Any = model
        self.groups, self.settings, self.decay = groups, settings, decay
        self.order = texts.ShuffledTexts(lengths, settings.batch, settings.seed)
        self.steps = settings.updates or max(1, round(settings.epochs * self.order.count))
        # One epoch for each stage; if there are fewer epochs than stages, equal parts of the run.
        self.stage_steps = max(1, min(self.order.count, self.steps // len(groups)))
        self.stage = -1
        self._enter(0)

    def chosen(self, step: int) -> Ids:
        """Return which texts a batch has; when a stage starts, unfreeze what it adds."""
        self._enter(min(step // self.stage_steps, len(self.groups) - 1))
        return self.order[step]

    def _enter(self, stage: int) -> None:
        if stage == self.stage:
            return
        self.stage = stage
        parameters, config = self.model.parameters, self.model.config
        parameters.freeze("*")
        parameters.unfreeze(*self.groups[stage])
        # The added parameters have no moments yet, so a new optimizer starts for all of them.
        self.optimizer = AdamW(
            parameters,
            weight_decay=self.settings.weight_decay,
            factors=rate_factors(below_the_head(parameters, config), self.decay),
        )
