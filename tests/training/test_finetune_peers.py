"""Fine-tuning Hugging Face's own GPT-2 folders, tiny and full size, with each method."""

import numpy as np
import pytest

from minilm.store import folder
from minilm.training import finetune
from minilm.training.given import METHODS
from minilm.training.settings import FinetuneSettings

pytestmark = pytest.mark.peers

TINY = {"vocab_size": 60, "n_positions": 12, "n_embd": 12, "n_layer": 2, "n_head": 3}
TEXTS, LABELS = [[5, 17, 20, 9], [3, 8, 8], [40, 2], [7, 7, 7, 7, 7]], [0, 1, 0, 1]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("shape", [TINY, {}], ids=["tiny", "full size"])
def test_every_method_trains_a_folder_of_transformers(peer, tmp_path, shape):
    torch, transformers = peer("torch"), peer("transformers")
    torch.manual_seed(0)
    theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config(**shape))
    theirs.save_pretrained(tmp_path)
    del theirs
    saved = folder.load(tmp_path)
    norm = float(np.linalg.norm(saved.parameters.flat))
    sample = saved.parameters.flat[::997].copy()
    for method in METHODS:
        settings = FinetuneSettings(method, updates=2, batch=4, dropout=0.0)
        fitted = finetune.fit(
            saved.config, saved.parameters, TEXTS, LABELS, classes=2, settings=settings
        )
        assert np.isfinite([row.loss for row in fitted.rows]).all()
        assert fitted.model.parameters["score.weight"].any()
        assert fitted.base_count == saved.parameters.count()
        del fitted
    np.testing.assert_array_equal(saved.parameters.flat[::997], sample)
    assert float(np.linalg.norm(saved.parameters.flat)) == norm
