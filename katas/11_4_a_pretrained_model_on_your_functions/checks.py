"""Kata 11.4: what to predict before the pretrained model runs."""

from minilm.course.experiments import Question

QUESTIONS = (
    Question(
        "norms",
        "SmolLM2 has 30 blocks. How often is rms_norm called for each token that it writes?",
        high=1000,
    ),
    Question(
        "right",
        "The model that you pretrained in kata 7.5 needed 2.27 bits per byte of film reviews that "
        "it had not seen. How many does SmolLM2 need of such reviews?",
        high=8,
    ),
    Question(
        "gelu",
        "The same weights, but GELU in place of silu in every MLP. How many bits per byte?",
        high=40,
    ),
    Question(
        "layer_norm",
        "Layer norm (without a bias) in place of RMS norm?",
        high=40,
    ),
    Question(
        "neighbors",
        "Rotary positions that pair neighboring channels in place of halves?",
        high=40,
    ),
    Question(
        "tiled",
        "Keys that are shared as 0 1 2 0 1 2 0 1 2, not as 0 0 0 1 1 1 2 2 2?",
        high=40,
    ),
    Question(
        "why",
        "A model that is trained with keys shared as 0 1 2 0 1 2 from the start is as good as one "
        "with 0 0 0 1 1 1. Why is the exchange ruinous here, and layer norm hardly felt?",
        words=True,
        answer="The weights and the arithmetic belong together. Training found queries for the "
        "keys that they met; from random weights it would have found others that are as good. With "
        "tiled heads two of three queries meet keys that were never meant for them. Layer norm "
        "gives nearly the same numbers, as the mean of a row is near zero anyway. What counts is "
        "how far the numbers are from those of training, not how different the formula looks.",
    ),
)
