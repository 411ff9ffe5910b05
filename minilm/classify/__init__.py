"""Classifiers without a neural network, the metrics, and explanations of single decisions.

Read in this order: `base` (what all estimators share; they also work inside scikit-learn),
`centroid`, `tfidf`, `logistic` (softmax regression) with its optimizer `minimize`, `tuned_vectors`
(the same regression, which trains the word vectors too) and `estimators` (from texts to labels in
one object). `metrics` scores predictions, `explain` leaves out one word at a time, and `pictures`
draws both.
"""

from minilm import lazy

__getattr__, __dir__, __all__ = lazy.exports(
    __name__,
    {
        "base": ("Classifier", "Estimator"),
        "centroid": ("NearestCentroid",),
        "estimators": ("CooccurrenceClassifier",),
        "explain": ("leave_one_out",),
        "logistic": ("SoftmaxRegression",),
        "metrics": ("calibration", "class_scores", "confusion_matrix", "macro_f1"),
        "tfidf": ("TfidfVectorizer",),
        "tuned_vectors": ("TunedVectorsClassifier",),
    },
)
