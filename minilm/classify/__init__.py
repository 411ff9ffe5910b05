"""The classical baselines: TF-IDF, nearest centroid, softmax regression."""
