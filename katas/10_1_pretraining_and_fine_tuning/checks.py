"""Kata 10.1: what to predict before the experiment runs."""

from minilm.course.experiments import Question

QUESTIONS = (
    Question(
        "random_on_six",
        "Two dozen sentences to pretrain on, eight labelled, six to test. What share of the six "
        "do random word vectors get right (mean of a hundred draws)?",
    ),
    Question(
        "random_on_films",
        "Now 464 film reviews to test, in which most words were never shown with a label. 64 "
        "labels, thirteen draws: how accurate are random vectors?",
    ),
    Question(
        "pretrained_on_films",
        "And vectors counted on 660,000 words of unlabelled text?",
    ),
    Question(
        "tickets",
        "Support tickets of five classes, 160 labels, vectors counted on the shop's own old "
        "conversations: how accurate are they?",
    ),
    Question(
        "why",
        "Random vectors do nearly as well as pretrained ones on the six sentences. Why?",
        words=True,
        answer="Every opinion word of the six is in the eight labelled sentences too. A "
        "random vector is as good a name for a word as any other, so there was nothing that "
        "pretraining could have carried over. Six items could not have shown it anyway.",
    ),
    Question(
        "plan",
        "A shop has 160 labelled tickets and a great pile of old conversations. What would you "
        "pretrain on, what fine-tune on, and what would you compare it with before you believe "
        "in it?",
        words=True,
        answer="Pretrain on the conversations, which need no labels and speak of the same "
        "things; train a classifier of the tickets on top. Compare with counting words "
        "(TF-IDF): it costs nothing, and at 160 labels it may do as well.",
    ),
)
