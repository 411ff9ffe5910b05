"""Names of files, as platforms and students write them."""

import pytest

from minilm.course import catalog
from minilm.course.grading import names


@pytest.mark.parametrize(
    ("stem", "number", "student"),
    [
        ("04_6_layer_norm_backward", "4.6", ""),
        ("04_6_layer_norm_backward (1)", "4.6", ""),
        ("04_6_Layer-Norm-Backward final", "4.6", ""),
        ("bob_04_6_layer_norm_backward-2", "4.6", "bob"),
        ("04_6_layer_norm_backward_ada", "4.6", "ada"),
        ("kata 5.3 final (1)", "5.3", ""),
        ("Kata-5-3", "5.3", ""),
        ("Ada Lovelace kata_5_3_v2", "5.3", "Ada Lovelace"),
        ("5.3-1", "5.3", ""),
        ("5.3 2", "5.3", ""),
        ("kata 10.1", "10.1", ""),
        ("copy of 10_1", "10.1", ""),
        ("attention_backward", "5.3", ""),
        ("ada-attention backward-3", "5.3", "ada"),
        ("Zoë 4.2", "4.2", "Zoë"),
        ("homework 3", None, ""),
        ("2026-10-04 notes", None, ""),
        ("notes", None, ""),
        ("99.1", None, ""),
    ],
)
def test_the_kata_and_the_student_of_a_name(stem, number, student):
    kata, found = names.kata(stem)
    assert (kata and kata.number, found) == (number, student)


@pytest.mark.parametrize("kata", catalog.all_katas(), ids=lambda kata: kata.number)
def test_every_kata_is_found_by_its_name_number_and_words(kata):
    words = kata.name.split("_", 2)[2]
    for stem in (
        kata.name,
        kata.name.upper(),
        f"ada_{kata.name}-4",
        f"kata {kata.number} (2)",
        words,
    ):
        assert names.kata(stem)[0] == kata


@pytest.mark.parametrize(
    ("name", "student", "number", "rest"),
    [
        ("Ada Lovelace_12345_assignsubmission_file_", "Ada Lovelace", "12345", ""),
        ("Ada_12_assignsubmission_file_kata 4.6", "Ada", "12", "kata 4.6"),
        ("lovelaceada_1234_5678_05_3_attention-1", "lovelaceada", "1234", "05_3_attention-1"),
        ("lovelaceada_LATE_1234_5678_4.6", "lovelaceada", "1234", "4.6"),
        ("Homework 5_ada_attempt_2026-01-30-20-30-10_4.6", "ada", "", "4.6"),
        ("bob_04_6_layer_norm_backward", "", "", "bob_04_6_layer_norm_backward"),
    ],
)
def test_platforms(name, student, number, rest):
    found = names.owner(name)
    assert (found.student, found.number, found.rest) == (student, number, rest)


def test_later_submissions_sort_later():
    assert names.owner("a_1234_999_x").attempt < names.owner("a_1234_1000_x").attempt
