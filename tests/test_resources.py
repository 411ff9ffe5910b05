"""Shipped files are found from any folder, and never hide a file of the user's."""

from pathlib import Path

from minilm import resources


def test_a_shipped_corpus_is_meant_where_there_is_no_such_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = resources.corpora_dir() / "movie_reviews.csv"
    assert resources.find_corpus(Path("movie_reviews.csv")) == shipped
    assert resources.find_corpus(Path("corpora/movie_reviews.csv")) == shipped
    assert resources.find_corpus(Path("other/movie_reviews.csv")) == Path("other/movie_reviews.csv")
    assert resources.find_corpus(Path("mine.csv")) == Path("mine.csv")
    (tmp_path / "movie_reviews.csv").write_text("text,label\n", encoding="utf-8")
    assert resources.find_corpus(Path("movie_reviews.csv")) == Path("movie_reviews.csv")
