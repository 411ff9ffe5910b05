"""Kata 8.5: what to bet on before the experiment runs."""

from minilm.course.experiments import Question

QUESTIONS = (
    Question(
        "probe",
        "Support tickets of five classes, 160 labels. A small GPT was pretrained on the shop's old "
        "conversations. How accurate is a probe, the head alone on frozen states?",
    ),
    Question("lora", "And LoRA of rank 4?"),
    Question("full", "And full fine-tuning?"),
    Question(
        "scratch",
        "And the same GPT, all of it trained on the 160 labels, without any pretraining?",
    ),
    Question("tfidf", "And counting words (TF-IDF), with no GPT at all?"),
    Question(
        "share",
        "LoRA trains this many numbers, as a share of the body (0.01 is one percent):",
    ),
    Question(
        "ship",
        "Twenty shops want a model each. Which method would you ship, and what would have to come "
        "out of the experiment for you to change your mind?",
        words=True,
        answer="There is no answer that is right for everybody; a good one names accuracy with its "
        "interval, what is stored for each shop, and TF-IDF as the opponent. If no difference "
        "between the accuracies can be seen, the cheapest to keep and to run is the one to ship.",
    ),
)
