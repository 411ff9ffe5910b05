"""Kata 7.5: what to predict before the model is trained."""

from minilm.course.experiments import Question

QUESTIONS = (
    Question(
        "fresh",
        "A GPT with 512 byte-pair tokens, not trained at all. How many bits per byte of film "
        "reviews does it need? (A plain text file needs 8; a token is about two bytes here.)",
        high=12,
    ),
    Question(
        "trained",
        "After 1,500 steps on one megabyte of reviews: how many bits per byte of reviews that it "
        "has not seen?",
        high=12,
    ),
    Question(
        "tenth",
        "As many steps, but on a tenth of the text, which it then reads fifteen times: how many "
        "bits per byte of the same unseen reviews?",
        high=12,
    ),
    Question(
        "words_at_low",
        "The trained model writes at temperature 0.5. What share of its words of four letters or "
        "more occur in the reviews it learned from?",
    ),
    Question(
        "words_at_high",
        "And at temperature 1.5?",
    ),
    Question(
        "why",
        "On the text that it learns from, which of the two models has the lower loss, and what "
        "does that say about it?",
        words=True,
        answer="They are about the same, and so the training loss says nothing: the model with a "
        "tenth of the text has met each sentence fifteen times and begins to know this text rather "
        "than the language. On unseen reviews it is clearly worse. Only a held-out part shows it.",
    ),
)
