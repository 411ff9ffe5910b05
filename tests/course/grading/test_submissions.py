"""Who handed in what: students, tries, states, zips, and everything that is refused."""

import io
import json
import os
import stat
import zipfile

import pytest

from minilm.course import catalog, stubs
from minilm.course.grading import outputs, sources, submissions
from minilm.errors import InputError

KATA = catalog.find("4.6")
NAME = f"{KATA.name}.py"


def found(folder, **options):
    return [(s.student, s.kata, s.problem) for s in submissions.find(folder, **options).submissions]


def zipped(entries):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return content.getvalue()


def test_students_are_folders_zips_or_in_the_names_of_files(submit, tmp_path):
    submit(f"ada/mykatas/{NAME}", "")
    submit(f"ada/mykatas/.backups/{NAME}", "")
    submit(f"bob_{NAME}", "")
    submit(NAME, "")
    submit(f"cem_{KATA.name} (1).py", "")
    submit("dora/04_2_linear_final.py", "")
    submit("eli.zip", zipped([(f"mykatas/{NAME}", ""), ("__MACOSX/._x.py", "")]))
    submit("notes.py", "")
    assert found(tmp_path / "class") == [
        (KATA.name, "4.6", ""),
        ("ada", "4.6", ""),
        ("bob", "4.6", ""),
        ("cem", "4.6", ""),
        ("dora", "4.2", ""),
        ("eli", "4.6", ""),
    ]
    assert submissions.find(tmp_path / "class").unrecognized == ["notes.py"]


def test_a_folder_without_submissions_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no file of a kata"):
        submissions.find(tmp_path)
    with pytest.raises(InputError, match="no such folder or zip"):
        submissions.find(tmp_path / "nowhere")
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="neither a folder nor a zip"):
        submissions.find(tmp_path / "a.txt")


def test_two_students_of_one_name_are_two(submit, tmp_path):
    for number in (11, 12):
        submit(f"Ada Lovelace_{number}_assignsubmission_file_/{NAME}", "")
    submit(f"Bob_13_assignsubmission_file_/{NAME}", "")
    assert submissions.find(tmp_path / "class").students == [
        "Ada Lovelace (11)",
        "Ada Lovelace (12)",
        "Bob",
    ]


def test_a_folder_or_zip_around_the_class_is_looked_through(tmp_path):
    entries = [(f"Homework/{name}/mykatas/{NAME}", "x") for name in ("ada", "bob")]
    (tmp_path / "all.zip").write_bytes(zipped([*entries, ("Homework/empty/", "")]))
    handed_in = submissions.find(tmp_path / "all.zip")
    assert handed_in.students == ["ada", "bob", "empty"]
    (tmp_path / "one.zip").write_bytes(zipped([(f"ada/mykatas/{NAME}", "x")]))
    assert submissions.find(tmp_path / "one.zip").students == ["ada"]


def test_tries_are_sorted_by_platform_number_and_time(submit, tmp_path):
    names = [f"{KATA.name}.py", f"{KATA.name} (1).py", f"{KATA.name} (2).py", "4.6 (10).py"]
    for i, name in enumerate(names):
        os.utime(submit(f"ada/{name}", ""), (1000 - i, 1000 - i))
    os.utime(submit("ada/kata 4.6.py", ""), (2000, 2000))
    order = [s.file for s in submissions.find(tmp_path / "class").submissions]
    assert order == [f"ada/{n}" for n in (names[0], "kata 4.6.py", *names[1:])]


def test_the_kata_is_found_by_its_functions_where_the_name_is_silent(submit, tmp_path):
    submit("ada/homework.py", stubs.solution(KATA))
    submit("ada/helpers.py", "def f(): ...")
    cells = [{"cell_type": "code", "source": stubs.stub(catalog.find("4.5")).splitlines(True)}]
    submit("bob/Untitled.ipynb", json.dumps({"cells": cells}))
    handed_in = submissions.find(tmp_path / "class")
    assert [(s.student, s.kata) for s in handed_in.submissions] == [("ada", "4.6"), ("bob", "4.5")]
    assert handed_in.unrecognized == ["ada/helpers.py"]


def test_modules_beside_a_file_come_along_if_it_imports_them(submit, tmp_path):
    submit(f"ada/{NAME}", "import helpers\nfrom os import path")
    submit("ada/helpers.py", "x = 1")
    submit("ada/other.py", "x = 2")
    submit("bob/helpers.py", "x = 3")
    handed_in = submissions.find(tmp_path / "class")
    assert handed_in.submissions[0].beside == (("helpers.py", b"x = 1"),)
    assert handed_in.unrecognized == ["ada/other.py", "bob/helpers.py"]


def test_the_state_is_read_and_a_damaged_one_is_refused(submit, tmp_path):
    records = {"10.1": {"run": {"predictions": {}}}, "4.6": {"solution": "given up"}}
    state = json.dumps({"version": 1, "katas": records})
    submit("ada/mykatas/.state.json", state)
    submit("ada/mykatas/10_1_pretraining_and_fine_tuning.py", "")
    submit("bob/.state.json", '{"katas": 3}')
    submit("bob/10_1.py", "")
    handed_in = submissions.find(tmp_path / "class")
    assert handed_in.states == {"ada": records, "bob": {}}
    ada, bob, damaged = handed_in.submissions
    assert json.loads(ada.run) == {"predictions": {}}
    assert (bob.run, bob.problem) == ("", "")
    assert damaged.problem == "not the state of a course; it was left out"


def test_a_page_of_evidence_and_its_run_come_along(submit, tmp_path):
    submit("ada/mykatas/10_1_pretraining_and_fine_tuning.py", "")
    submit("ada/mykatas/10_1_report.md", "page")
    submit("ada/mykatas/10_1_comparison/summary.json", "{}")
    submit("ada/mykatas/comparison/summary.json", "{}")
    submit("bob_1234_5678_10_1_pretraining_and_fine_tuning.py", "")
    submit("bob_1234_5679_10_1_report.md", "his")
    ada, bob = submissions.find(tmp_path / "class").submissions
    assert dict(ada.beside) == {
        "10_1_report.md": b"page",
        "10_1_comparison/summary.json": b"{}",
    }
    assert bob.beside == (("10_1_report.md", b"his"),)


def test_what_is_no_code_has_its_reason(submit, tmp_path):
    (tmp_path / "class" / "empty").mkdir(parents=True)
    submit("ada/kata 4.6.docx", b"PK")
    submit(f"ada/predictions/{KATA.name}.txt", "")
    submit("ada/pictures/04_2_x.png", "")
    submit("bob/04_6.txt", "")
    submit(f"bob/{NAME}", "")
    submit("cem/essay.pdf", "")
    submit("cem/settings.json", "{}")
    submit("dora/04_6.py.txt", "")
    assert found(tmp_path / "class") == [
        ("ada", "4.6", f"a .docx, not Python; hand in {NAME}"),
        ("bob", "4.6", ""),
        ("cem", "", "no file of a kata: essay.pdf, settings.json"),
        ("dora", "4.6", ""),
        ("empty", "", "the folder is empty"),
    ]


def test_links_and_special_files_are_refused(submit, tmp_path):
    secret = tmp_path / NAME
    secret.write_text("secret", encoding="utf-8")
    submit(f"ada/{NAME}", "")
    try:
        (tmp_path / "class" / "ada" / "04_2.py").symlink_to(secret)
        (tmp_path / "class" / "bob").symlink_to(tmp_path)
    except OSError:
        pytest.skip("this system lets nobody make links")
    problems = dict((s, p) for s, _, p in found(tmp_path / "class") if p)
    assert problems == {
        "ada": "a symbolic link; hand in the file itself",
        "bob": "a symbolic link; hand in the folder itself",
    }
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "class" / "ada" / "04_3.py")
        assert ("ada", "4.3", "not a file") in found(tmp_path / "class")


def link(name, target):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


def test_a_hostile_zip_is_a_row_for_each_of_its_tricks(submit, tmp_path):
    entries = [
        (f"../../{NAME}", "x"),
        (f"/etc/{NAME}", "x"),
        (f"C:\\Users\\{NAME}", "x"),
        ("..\\04_2.py", "x"),
        link("mykatas/04_3.py", "/etc/passwd"),
        ("mykatas/04_4.py", "x = 1\n" * (1 << 20)),
        (f"mykatas/{NAME}", "fine"),
    ]
    submit("eve.zip", zipped(entries))
    handed_in = submissions.find(tmp_path / "class")
    assert handed_in.students == ["eve"]
    problems = [s.problem for s in handed_in.submissions]
    assert sorted(p.partition(":")[0] for p in problems) == [
        "",
        "6,291,456 bytes; at most 1,048,576 are read of a .py file",
        "a symbolic link; hand in the file itself",
        *["its path leads outside the zip"] * 4,
    ]
    [fine] = [s for s in handed_in.submissions if not s.problem]
    assert (fine.kata, fine.data) == ("4.6", b"fine")


def test_a_zip_that_says_less_than_it_holds_is_cut_off(submit, tmp_path):
    size = 3 << 20
    data = bytearray(zipped([(f"mykatas/{NAME}", "#" * size)]))
    for start in (data.find(b"PK\x03\x04") + 22, data.find(b"PK\x01\x02") + 24):
        assert int.from_bytes(data[start : start + 4], "little") == size
        data[start : start + 4] = (100).to_bytes(4, "little")
    submit("eve.zip", bytes(data))
    [(student, kata, problem)] = found(tmp_path / "class")
    assert (student, kata) == ("eve", "4.6")
    assert problem.startswith("damaged in the zip")


def test_a_zip_of_a_gigabyte_is_refused_before_it_is_unpacked(submit, tmp_path):
    content = io.BytesIO()
    with (
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(f"mykatas/{NAME}", "w") as file,
    ):
        for _ in range(1024):
            file.write(bytes(1 << 20))
    submit("eve.zip", content.getvalue())
    [(_, _, problem)] = found(tmp_path / "class")
    assert problem.startswith("1,073,741,824 bytes")


def test_what_is_read_together_is_limited(submit, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_MOST_OF_ZIP", 1500)
    submit("ada.zip", zipped([(f"a{i}/{NAME}", "#" * 300) for i in range(9)]))
    problems = [p for _, _, p in found(tmp_path / "class", student="ada")]
    assert problems.count("") == 5
    assert set(problems) == {"", "beyond the 1,500 bytes that are read together"}
    monkeypatch.setattr(sources, "_MOST_TOGETHER", 2600)  # of which the zip itself takes some
    problems = {p for _, _, p in found(tmp_path / "class", student="ada")}
    assert problems >= {"", "beyond the 2,600 bytes that are read together"}
    monkeypatch.setattr(sources, "_MOST_ENTRIES", 3)
    [(_, _, problem)] = found(tmp_path / "class", student="ada")
    assert problem == "more than 3 files"


def test_zips_in_zips_go_one_level_deep(tmp_path):
    inner = zipped([(NAME, "x")])
    nested = zipped([("bob/deep.zip", zipped([("deeper.zip", inner)])), ("ada.zip", inner)])
    (tmp_path / "class.zip").write_bytes(nested)
    assert found(tmp_path / "class.zip") == [
        ("ada", "4.6", ""),
        ("bob", "", "a zip in a zip in a zip; hand in one zip"),
    ]


def test_damaged_locked_and_empty_zips_have_their_reason(submit, tmp_path):
    whole = zipped([(NAME, "x" * 1000)])
    submit("ada.zip", whole[:50])
    submit("bob.zip", zipped([]))
    locked = bytearray(whole)
    locked[6] |= 1
    locked[locked.find(b"PK\x01\x02") + 8] |= 1
    submit("cem.zip", bytes(locked))
    submit(f"dora/{NAME}", "")
    reasons = {s: p for s, _, p in found(tmp_path / "class")}
    assert reasons["ada"].startswith("a damaged zip")
    assert reasons["bob"] == "the zip is empty"
    assert reasons["cem"] == "locked with a password; hand it in without"
    (tmp_path / "class.zip").write_bytes(whole[:50])
    with pytest.raises(InputError, match=r"class\.zip: neither"):
        submissions.find(tmp_path / "class.zip")


def test_names_in_utf8_are_read_though_the_zip_does_not_say_so(tmp_path):
    data = zipped([(f"Zoë/{NAME}", "x")])
    for at in (data.find(b"PK\x03\x04") + 7, data.find(b"PK\x01\x02") + 9):
        data = data[:at] + bytes([data[at] & ~8]) + data[at + 1 :]
    (tmp_path / "class.zip").write_bytes(data)
    assert submissions.find(tmp_path / "class.zip").students == ["Zoë"]


def test_all_of_it_may_be_one_students(submit, tmp_path):
    submit(f"mykatas/{NAME}", "")
    submit("04_2_linear.py", "")
    assert [s for s, _, _ in found(tmp_path / "class", student="me")] == ["me", "me"]
    (tmp_path / "nothing").mkdir()
    assert found(tmp_path / "nothing", student="me") == [("me", "", "no file of a kata")]


def test_the_folder_of_the_grades_is_left_out(submit, tmp_path):
    submit(f"ada/{NAME}", "")
    submit("grades/feedback/ada.txt", "")
    out = tmp_path / "class" / "grades"
    assert submissions.find(tmp_path / "class", without=out).students == ["ada"]


def test_grades_among_the_submissions_are_nobodys(tmp_path):
    for student in ("ada", "bob"):
        (tmp_path / student).mkdir()
        (tmp_path / student / "4.6.py").write_text("", encoding="utf-8")
    (tmp_path / "old" / "feedback").mkdir(parents=True)
    for name in (outputs.GRADES, outputs.RESULTS, outputs.MARKS, outputs.PAGE, "feedback/ada.txt"):
        (tmp_path / "old" / name).write_text("", encoding="utf-8")
    assert submissions.find(tmp_path).students == ["ada", "bob"]


def test_a_folder_that_cannot_be_read_is_not_left_out(tmp_path, monkeypatch):
    def walk(place, onerror):
        yield str(place), ["ada", "bob"], []
        yield str(place / "ada"), [], ["4.6.py"]
        onerror(PermissionError(13, "Permission denied", str(place / "bob")))

    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "4.6.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(sources.os, "walk", walk)  # for the superuser can read everything
    found = submissions.find(tmp_path)
    assert found.students == ["ada", "bob"]
    (refused,) = [one for one in found.submissions if one.problem]
    assert (refused.student, refused.problem) == ("bob", "cannot be read: Permission denied")
