"""What a comparison says about the user's files before it runs."""

from minilm import resources
from minilm.compare import taken
from minilm.compare.data import CompareSettings


def test_columns_and_labels_of_the_users_files_are_reported(tmp_path):
    task, more, texts = tmp_path / "task.csv", tmp_path / "more.tsv", tmp_path / "texts"
    task.write_text("Review,Stars,Split\na,1,train\nb,1.0,test\nc,2,test\n", encoding="utf-8")
    more.write_text("a film\t1\nanother\t2\n", encoding="utf-8")
    (texts / ".git").mkdir(parents=True)
    (texts / ".git" / "a.txt").write_text("private\n", encoding="utf-8")
    (texts / "a.txt").write_text("one<|endoftext|>two\n", encoding="utf-8")
    shipped = resources.corpora_dir() / "general.txt"
    settings = CompareSettings(task, ((texts,), (shipped,)), transfers=(more,))
    assert taken.lines([settings, settings]) == [
        "task.csv: 3 rows, text from column 'Review', label from column 'Stars', split from "
        "column 'Split'",
        "task.csv: labels that differ only in how they are written: '1' (1), '1.0' (1)",
        "task.csv: no text of the train part has the label '1.0', '2'",
        "task.csv: no text of the test part has the label '1'",
        "more.tsv: 2 rows, no header (the first row is data), text from column 1, label from "
        "column 2, no split",
        f"{texts}: left out .git/ (hidden); a file given by name is always read",
        "a.txt: cut only where <|endoftext|> is (1 time)",
    ]
