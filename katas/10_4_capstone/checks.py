"""Kata 10.4: what to predict before the comparison runs."""

from minilm.course.experiments import Question

QUESTIONS = (
    Question(
        "vectors",
        "Support tickets of five classes, 160 labels. How accurate is a classifier on word vectors "
        "that were counted on the shop's old conversations (cooccurrence)?",
    ),
    Question(
        "lora",
        "And LoRA on a small GPT that was pretrained on the same conversations (transformer-lora)?",
    ),
    Question(
        "decided",
        "The run makes 16 comparisons: 8 pairs, at 40 and at 160 labels. In how many of them is "
        'the verdict "better" or "worse", and not "cannot tell"?',
        high=16,
    ),
    Question(
        "surest",
        "Which pair of conditions are you surest of, and what could make its verdict come out as "
        '"cannot tell" even if you are right?',
        words=True,
        answer="No bet is right for everybody. A true difference stays unseen where it is smaller "
        "than what 505 tests, 3 draws and 3 pretrainings can show, and Holm asks more of each "
        "p-value the more comparisons its family has. Three pretrainings widen the interval of "
        "every transformer.",
    ),
)
