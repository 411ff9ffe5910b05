"""Word vectors from counts: count, weight, factorize, compare. Token ids in, (V, D) vectors out.

Read in this order: `cooccurrence` (how often words occur near each other), `ppmi` (how much more
often than by chance), `svd` (from a large sparse matrix to short vectors), `similarity` (cosines
and neighbors) and `documents` (the vector of a text). `sparse` is the matrix that they pass on, and
`spill` counts a corpus that does not fit in memory.
"""

from minilm import lazy

# The function `ppmi` has its module's name: `from minilm.embeddings import ppmi` is the module.
__getattr__, __dir__, __all__ = lazy.exports(
    __name__,
    {
        "cooccurrence": ("count", "count_chunks"),
        "documents": ("frequency_weights", "mean_vectors"),
        "similarity": ("analogy", "cosine", "group_similarity", "nearest", "nearest_words"),
        "sparse": ("SparseMatrix",),
        "svd": ("truncated_svd", "word_vectors"),
    },
)
