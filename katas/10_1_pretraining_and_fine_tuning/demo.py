"""Live code of kata 10.1: an experiment that shows nothing, and one that can."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from minilm import drawing, resources
from minilm.classify import centroid, tfidf
from minilm.compare import conditions, pretraining, statistics
from minilm.compare.data import CompareSettings, prepare
from minilm.course.demos import Course
from minilm.data import labelled
from minilm.data.labelled import read_labelled
from minilm.embeddings import cooccurrence, documents, ppmi, similarity
from minilm.text import words

# About as large as the lesson is in many courses: two dozen sentences, eight labels, six tests.
GENERAL = """
The bakery by the canal sells superb bread every morning.
A dismal fog lay over the harbor for nine days.
The engineers presented a brilliant design for the bridge.
Her splendid roses won a prize at the village fair.
The committee wrote a tedious report about parking.
A clumsy waiter dropped the soup at the wedding.
The choir gave a splendid concert in the old church.
Dreadful roads delayed the bus on its way north.
The museum shows superb paintings from the coast.
A charming cottage stands at the edge of the forest.
The dreadful storm broke windows all over the town.
Students found the lecture on taxes tedious.
The brilliant chemist explained the color of leaves.
Dismal sales worried the owner of the shop.
A charming letter came from the family in the valley.
The clumsy translation confused every reader.
Fresh snow made the hills splendid in the sun.
The dog was clumsy on the ice of the canal.
Superb weather brought visitors to the lake.
A brilliant goal decided the match on Sunday.
The soup was dreadful and the bread was old.
They spent a dismal winter in the cottage.
The charming old bridge leads to the church.
Parking near the museum is a tedious matter.
""".strip().splitlines()
LABELLED = [
    ("a superb film with a splendid cast", 1),
    ("brilliant acting and a charming story", 1),
    ("splendid music, a charming couple, superb jokes", 1),
    ("the director is brilliant and the camera superb", 1),
    ("a dreadful film with a clumsy script", 0),
    ("tedious scenes and dismal acting", 0),
    ("clumsy jokes, a dreadful couple, dismal music", 0),
    ("the story is tedious and the ending dreadful", 0),
]
TESTS = [
    ("a charming and brilliant film", 1),
    ("superb scenes, splendid ending", 1),
    ("the script is brilliant", 1),
    ("a dismal and clumsy story", 0),
    ("tedious camera, dreadful cast", 0),
    ("the couple is dismal", 0),
]
DRAWS = 13
WIDE = 30  # words to each side: about three reviews
RANDOM = "random"
PRETRAINED = "cooccurrence"
FURTHER = "cooccurrence-finetuned"


def run(course: Course) -> dict[str, float | tuple[float, float, float]]:
    six = small_experiment()
    films = experiment("movie_reviews", "general", 64, (RANDOM, PRETRAINED, FURTHER))
    mended = two_reports()
    tickets = experiment(
        "support_tickets", "support_conversations", 160, (RANDOM, "tfidf", PRETRAINED)
    )
    course.picture(
        picture({"films, 64 labels": films, "tickets, 160 labels": tickets}), "two_tasks"
    )
    return {
        "random_on_six": six,
        "random_on_films": films[RANDOM],
        "pretrained_on_films": films[PRETRAINED],
        "ana_mended": mended,
        "tickets": tickets[PRETRAINED],
    }


# ---------------------------------------------------------------- the one that shows nothing


def small_experiment() -> float:
    """Run it; return the share of test sentences that random vectors get right."""
    tokenizer = words.WordTokenizer(words.STOP_WORDS)
    texts = [*GENERAL, *(text for text, _ in LABELLED + TESTS)]
    vocabulary = words.Vocabulary.from_documents(map(tokenizer.tokenize, texts))

    def ids_of(sentences: list[str]) -> list[list[int]]:
        return [vocabulary.encode(tokenizer.tokenize(sentence)) for sentence in sentences]

    stream = [number for ids in ids_of(GENERAL) for number in (*ids, -1)]
    counts = cooccurrence.count(np.array(stream), window=3, size=len(vocabulary))
    pretrained = similarity.unit_rows(counts.dense(float))
    labels = np.array([label for _, label in LABELLED])
    truth = np.array([label for _, label in TESTS])

    def right(vectors: np.ndarray) -> np.ndarray:
        train, test = (
            documents.mean_vectors(ids_of([text for text, _ in part]), vectors)
            for part in (LABELLED, TESTS)
        )
        return centroid.NearestCentroid().fit(train, labels).predict(test) == truth

    rng = np.random.default_rng(0)
    drawn = [
        right(similarity.unit_rows(rng.standard_normal((len(vocabulary), 100)))) for _ in range(100)
    ]
    score = right(pretrained).sum()
    low, high = statistics.wilson_interval(int(score), len(TESTS))
    print(f"{len(GENERAL)} sentences to pretrain on, {len(LABELLED)} labels, {len(TESTS)} tests")
    print(f"  pretrained vectors   {score} of {len(TESTS)} right")
    print(f"  random vectors       {np.sum(drawn, axis=1).mean():.1f} of {len(TESTS)} right")
    print(f"  what 6 of 6 leaves possible: {low:.0%} to {high:.0%}")
    shown = set(tokenizer.tokenize(" ".join(text for text, _ in LABELLED)))
    tested = set(tokenizer.tokenize(" ".join(text for text, _ in TESTS)))
    print(f"  words of the tests: {len(tested)}; never shown with a label: {len(tested - shown)}")
    near = similarity.nearest_words("superb", vocabulary, pretrained, top=4)
    print(f"  nearest to superb: {', '.join(word for word, _ in near)}")
    print("  test sentences to tell a difference of 0.05:", statistics.items_needed(0.05))
    return float(np.mean(drawn))


# ---------------------------------------------------------------- the ones that can


def experiment(
    task: str, corpus: str, labels: int, names: tuple[str, ...]
) -> dict[str, tuple[float, float, float]]:
    """Compare conditions on draws of the labels; print, and return means with intervals."""
    folder = resources.corpora_dir()
    settings = CompareSettings(task=folder / f"{task}.csv", corpora=((folder / f"{corpus}.txt",),))
    [data] = prepare(settings, [labels])
    data.text.made["vectors"] = pretraining.make(data.text, settings, "vectors")
    test = data.domains[task]
    right: dict[str, np.ndarray] = {}
    for name in names:
        train = conditions.CONDITIONS[name].train
        draws = [(seed, labelled.draw(data.train.labels, labels, seed)) for seed in range(DRAWS)]
        right[name] = np.array(
            [train(data, seed, chosen).predict(test) == test.labels for seed, chosen in draws]
        )

    print()
    print(f"{task}: {labels} labels, {DRAWS} draws, {len(test.labels)} tests")
    shown = [{word for i in chosen for word in data.train.tokens[i]} for _, chosen in draws]
    unseen = np.mean([word not in known for known in shown for t in test.tokens for word in t])
    print(f"  words of the tests never shown with a label: {unseen:.0%}")
    found = {}
    for name, correct in right.items():
        estimate = statistics.mean_and_interval(correct, rng=np.random.default_rng(0))
        found[name] = (estimate.mean, estimate.low, estimate.high)
        print(f"  {name:<23} {estimate.mean:.2f}")
    pairs = list(zip(names[1:], names[:-1], strict=True))
    differences = [
        statistics.paired_difference(right[a], right[b], rng=np.random.default_rng(0))
        for a, b in pairs
    ]
    adjusted = statistics.holm([difference.p for difference in differences])
    for (a, b), difference, p in zip(pairs, differences, adjusted, strict=True):
        print(f"  {a} against {b}: {statistics.verdict(difference, p)}")
    for name, (_, low, high) in found.items():
        print(f"  95 % interval of {name}: {low:.3f} to {high:.3f}")
    return found


# ---------------------------------------------------------------- two that contradict each other


def two_reports() -> float:
    """Run one comparison on two files with the same lines; then mend it and run it again.

    Returns
    -------
    float
        How accurate the vectors of the first file are, mended.
    """
    reviews = read_labelled(resources.corpora_dir() / "movie_reviews.csv")
    train, test = reviews.part("train"), reviews.part("test")
    tokenize = words.WordTokenizer(words.STOP_WORDS).tokenize
    lines, unread = ([tokenize(text) for text in part.texts] for part in (train, test))
    labels, truth = (
        np.array([reviews.classes.index(label) for label in part.labels]) for part in (train, test)
    )
    vocabulary = words.Vocabulary.from_documents(lines, min_count=2)
    mixed = np.random.default_rng(0).permutation(len(lines))
    orders = {"Ana": mixed[np.argsort(labels[mixed], kind="stable")], "Ben": mixed}
    draws = [labelled.draw(labels, 64, seed) for seed in range(DRAWS)]

    def right(rows: np.ndarray, tests: np.ndarray) -> np.ndarray:
        found = [centroid.NearestCentroid().fit(rows[i], labels[i]).predict(tests) for i in draws]
        return np.array(found) == truth

    def by_vectors(order: np.ndarray, end: list[int]) -> np.ndarray:
        stream = [number for i in order for number in (*vocabulary.encode(lines[i]), *end)]
        counts = cooccurrence.count(np.array(stream), window=WIDE, size=len(vocabulary))
        vectors = similarity.unit_rows(ppmi.ppmi(counts).dense())
        rows, tests = (
            documents.mean_vectors([vocabulary.encode(line) for line in part], vectors)
            for part in (lines, unread)
        )
        return right(rows, tests)

    weights = tfidf.TfidfVectorizer().fit(lines)
    counted = right(weights.transform(lines), weights.transform(unread))
    print()
    print(f"two reports: 64 labels, {DRAWS} draws, {len(truth)} tests")
    print("         vectors   tfidf   vectors against tfidf")
    for name, order in orders.items():
        print(f"  {name}       {_against(by_vectors(order, []), counted)}")
    same = sorted(orders["Ana"]) == sorted(orders["Ben"])
    print(f"  the two files have the same lines: {'yes' if same else 'no'}")
    for name, order in orders.items():
        changes = np.count_nonzero(np.diff(labels[order] == labels[0]))
        print(f"  changes of label in the file of {name}: {changes}")
    print("nothing counted across the end of a line")
    mended = {name: by_vectors(order, [-1]) for name, order in orders.items()}
    for name, correct in mended.items():
        print(f"  {name}       {_against(correct, counted)}")
    return float(mended["Ana"].mean())


def _against(vectors: np.ndarray, counted: np.ndarray) -> str:
    """Return the accuracies of two conditions, and the verdict."""
    found = statistics.paired_difference(vectors, counted, rng=np.random.default_rng(0))
    word = statistics.verdict(found, found.p)
    return f"{vectors.mean():7.2f} {counted.mean():7.2f}   {word}"


def picture(tasks: dict[str, dict[str, tuple[float, float, float]]]) -> Figure:
    """Draw each condition's accuracy with its interval, a panel for a task."""
    colors = dict(zip((RANDOM, PRETRAINED, FURTHER, "tfidf"), drawing.COLORS, strict=False))
    with matplotlib.rc_context(drawing.STYLE):
        figure = Figure(figsize=(11, 4), layout="constrained")
        for axes, (title, found) in zip(figure.subplots(1, len(tasks)), tasks.items(), strict=True):
            for row, (name, (mean, low, high)) in enumerate(reversed(found.items())):
                axes.plot([low, high], [row, row], color=colors[name], linewidth=5)
                axes.plot(mean, row, "o", color=colors[name], markersize=13)
                label = f"{mean:.2f}"
                axes.annotate(label, (mean, row), (0, 12), textcoords="offset points", ha="center")
            axes.set(title=title, xlabel="accuracy", xlim=(0, 1))
            axes.set_yticks(range(len(found)), list(reversed(found)))
            axes.margins(y=0.3)
    return figure
