"""Kata 9.3: what to predict before the experiment runs."""

from minilm.course.experiments import Question

QUESTIONS = (
    Question(
        "general_naive",
        "A small model has read general text and then a domain, programming basics. Now it learns "
        "web development and then databases, with no care at all. By how many nats a token does "
        "its loss on the general text change? (Above 0: it forgets.)",
        low=-2.0,
        high=2.0,
    ),
    Question(
        "first_naive",
        "And its loss on programming basics, which it learned two domains ago?",
        low=-2.0,
        high=2.0,
    ),
    Question(
        "general_replay",
        "With replay, an old window for two new ones: how does the loss on the general text "
        "change now?",
        low=-2.0,
        high=2.0,
    ),
    Question(
        "new_lower",
        "With a fifth of the learning rate: how much higher or lower is the loss on databases, the "
        "newest domain, than without any care?",
        low=-2.0,
        high=2.0,
    ),
    Question(
        "why",
        "Is everything that was learned earlier forgotten to the same degree? What decides that?",
        words=True,
        answer="No. The domains are similar: what one teaches helps with the next, so little of "
        "them is lost. General text has other words and other sentences, and nothing in the new "
        "text speaks for it. It is what is lost.",
    ),
    Question(
        "plan",
        "Your model must learn this month's pages and stay good at the rest. You kept a tenth of "
        "the old text. What do you do, what would you do if you had kept none, and what do you "
        "measure before you put the new model in place?",
        words=True,
        answer="Replay what was kept; it costs half a step more. With no old text, a lower rate or "
        "the mean with the old model. Measure the loss on held-out text of everything old as well "
        "as the new, and over several seeds: a way that learns nothing forgets nothing.",
    ),
)
