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
        "Now 1,024 film reviews to test, in which many words were never shown with a label. 64 "
        "labels, thirteen draws: how accurate are random vectors?",
    ),
    Question(
        "pretrained_on_films",
        "And vectors counted on 660,000 words of unlabelled text?",
    ),
    Question(
        "ana_mended",
        "Ana and Ben count vectors on the same 820 training reviews, without labels, as one stream "
        "of words, 30 words to each side. Ana gets 0.66 on the tests, Ben 0.53, TF-IDF 0.58. How "
        "accurate are Ana's vectors when nothing is counted across the end of a review?",
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
        "contradiction",
        "The code is the same, the draws and the tests are the same, and the two files have the "
        "same lines. What made Ana's vectors better than TF-IDF and Ben's worse?",
        words=True,
        answer="The order of the lines. Ana's file is sorted by label, and a window that spans "
        "several reviews counts words of one opinion together: the order tells the labels. Ben's "
        "is shuffled, so his window counts across unrelated reviews, which is noise. With a "
        "separator after each review the two results are the same.",
    ),
    Question(
        "plan",
        "A shop has 160 labelled tickets and a large pile of old conversations. What would you "
        "pretrain on, what would you fine-tune on, and what would you compare the result with "
        "before you believe in it?",
        words=True,
        answer="Pretrain on the conversations, which need no labels and speak of the same "
        "things; train a classifier of the tickets on top. Compare with counting words "
        "(TF-IDF): it costs nothing, and it gives most of the gain.",
    ),
)
