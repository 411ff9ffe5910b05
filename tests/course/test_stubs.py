"""The learner's file is made from the library's own source."""

import ast
import builtins
from pathlib import Path

import numpy as np
import pytest

from minilm.classify.centroid import NearestCentroid
from minilm.course import loading, stubs
from minilm.course.catalog import Kata
from minilm.text.words import WordTokenizer

FILE = Path("stub_under_test.py")


def kata(*paths, given=()):
    hints = ("a", "b", "c")
    return Kata(Path("01_1_x"), "1.1", "Title", 1, 20, 2, (), paths, hints, given)


PATHS = [
    ("minilm.text.words.WordTokenizer",),
    ("minilm.text.words.Vocabulary",),
    ("minilm.embeddings.cooccurrence.count",),
    ("minilm.embeddings.similarity.cosine", "minilm.embeddings.similarity.nearest"),
    ("minilm.embeddings.ppmi.ppmi",),
    ("minilm.classify.centroid.NearestCentroid",),
    ("minilm.nn.functional.gelu", "minilm.nn.functional.gelu_backward"),
    ("minilm.nn.functional.attention_backward",),
    ("minilm.nn.optim.adamw",),
    ("minilm.nn.optim.AdamW",),
]


@pytest.mark.parametrize("paths", PATHS, ids=lambda paths: paths[0].rpartition(".")[2])
@pytest.mark.parametrize("make", [stubs.stub, stubs.solution], ids=["stub", "solution"])
def test_stub_and_solution_load_with_the_librarys_signatures(paths, make):
    about = kata(*paths)
    functions = loading.load(about, make(about), FILE)
    assert list(functions) == [path.rpartition(".")[2] for path in paths]
    for target in about.targets:
        mine, theirs = functions[target.name], target.reference
        assert mine.__doc__ == theirs.__doc__
        assert mine is not theirs


@pytest.mark.parametrize("paths", PATHS, ids=lambda paths: paths[0].rpartition(".")[2])
def test_stub_and_solution_use_no_name_that_they_lack(paths):
    for text in (stubs.stub(kata(*paths)), stubs.solution(kata(*paths))):
        tree = ast.parse(text)
        bound = {a.asname or a.name for n in ast.walk(tree) for a in getattr(n, "names", [])}
        bound |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not _reads(n)}
        bound |= {n.name for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)}
        bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
        bound |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and _reads(n)}
        assert read - bound <= set(dir(builtins))


def _reads(name):
    return isinstance(name.ctx, ast.Load)


def test_bodies_are_gone_from_the_stub_and_are_in_the_solution():
    about = kata("minilm.classify.centroid.NearestCentroid")
    assert "np.unique" not in stubs.stub(about)
    assert stubs.stub(about).count('raise NotImplementedError("not written yet")') == 2
    assert "self.classes_ = np.unique(y)" in stubs.solution(about)


def test_a_given_method_keeps_its_body():
    about = kata("minilm.classify.centroid.NearestCentroid", given=("fit",))
    assert "np.unique" in stubs.stub(about)
    assert stubs.stub(about).count("not written yet") == 1


def test_decorators_fields_and_constructors_are_kept():
    text = stubs.stub(kata("minilm.text.words.WordTokenizer"))
    assert "@dataclass(frozen=True)\nclass WordTokenizer:" in text
    assert "    stop_words: frozenset[str] = frozenset()\n" in text
    assert "_letters_only" not in text
    vocabulary = stubs.stub(kata("minilm.text.words.Vocabulary"))
    assert "self.words = tuple(words)" in vocabulary
    assert "    @cached_property\n    def index(self)" in vocabulary


def test_constants_stand_in_the_solution_only():
    about = kata("minilm.nn.functional.gelu")
    assert "_GELU_B = 0.044715" in stubs.solution(about)
    assert "_GELU_B =" not in stubs.stub(about)


def test_other_functions_are_reached_through_their_module():
    solution = stubs.solution(kata("minilm.nn.functional.attention_backward"))
    assert "from minilm.nn import functional as F\n" in solution
    assert "F.softmax_backward(dweights, (weights,))" in solution
    both = stubs.solution(
        kata("minilm.embeddings.similarity.cosine", "minilm.embeddings.similarity.nearest")
    )
    assert "np.round(cosine(query[None, :], vectors)[0], _DECIMALS)" in both
    # `words` is a local variable of the method: the module has another name there.
    assert "words_module._letters_only(run)" in stubs.solution(
        kata("minilm.text.words.WordTokenizer")
    )


def test_solutions_work():
    about = kata("minilm.text.words.WordTokenizer")
    mine = loading.load(about, stubs.solution(about), FILE)["WordTokenizer"]
    text = "x²y and the Émigré's 3 CATS"
    assert mine().tokenize(text) == WordTokenizer().tokenize(text)
    about = kata("minilm.classify.centroid.NearestCentroid")
    mine = loading.load(about, stubs.solution(about), FILE)["NearestCentroid"]
    features, labels = np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 1, 0])
    expected = NearestCentroid().fit(features, labels).predict(features)
    assert mine().fit(features, labels).predict(features).tolist() == expected.tolist()
