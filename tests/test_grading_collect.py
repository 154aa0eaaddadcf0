"""Submissions come in from folders and archives whose makers are not to be believed."""

import json
import zipfile

import pytest
from grading import collect, grade, report
from grading.collect import from_folder, from_zip, store, student_of


def archive(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("student_12345_exercises.ipynb", "student_12345"),
        ("ann_exercises.ipynb", "ann"),
        ("ann-exercises (2).ipynb", "ann"),
        ("class/ann/exercises.ipynb", "ann"),
        ("ann/channels/exercises.ipynb", "ann"),
        ("Ada Lovelace_12345_assignsubmission_file_/exercises.ipynb", "Ada-Lovelace_12345"),
        ("Zoë Å_9_assignsubmission_file_/x.ipynb", "Zoë-Å_9"),
        ("lovelaceada_4711_88123_exercises-1.ipynb", "lovelaceada_4711"),
        ("lovelaceada_LATE_4711_88123_exercises.ipynb", "lovelaceada_4711"),
        ("submitted/ann/channels/exercises.ipynb", "ann"),
        ("channels/exercises.ipynb", ""),
        ("exercises.ipynb", ""),
        ("....ipynb", ""),
    ],
)
def test_a_student_is_read_from_what_a_system_writes(path, student):
    assert student_of(path, [], "channels") == student


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("ann/channels/exercises.ipynb", "ann"),
        ("Ann Other_s123_assignsubmission_file_/exercises.ipynb", "s123"),
        ("xs123_exercises.ipynb", ""),
        ("ann_s123_exercises.ipynb", ""),  # two of the class: whose is it?
        ("de_witt_exercises.ipynb", "de_witt"),
        ("jan@x.org-exercises.ipynb", ""),
        ("jan@x.org_exercises.ipynb", "jan@x.org"),
    ],
)
def test_with_a_roster_a_name_must_stand_by_itself(path, student):
    assert student_of(path, ["ann", "s123", "de_witt", "jan@x.org"], "channels") == student


def test_an_archive_is_read_and_never_unpacked_where_it_says(tmp_path):
    path = archive(
        tmp_path / "class.zip",
        {
            "ann_exercises.ipynb": b"{}",
            "../../evil_exercises.ipynb": b"{}",
            "/etc/evil2_exercises.ipynb": b"{}",
            "C:\\evil3_exercises.ipynb": b"{}",
            "..\\evil4_exercises.ipynb": b"{}",
            "_" * 60_000 + ".ipynb": b"{}",
            "notes.txt": b"hello",
            "__MACOSX/._ann_exercises.ipynb": b"junk",
            "bob_exercises.ipynb": b"{}",
            "bob_exercises-1.ipynb": b"[]",
        },
    )
    handed, said = from_zip(path, "channels")
    found = {one.student: one for one in handed}
    assert found.keys() == {"ann", "bob"}
    assert found["ann"].data == b"{}"
    assert found["bob"].data is None
    assert "two files" in found["bob"].why
    assert sum("leads elsewhere" in line for line in said) == 4
    assert sum("no notebook" in line for line in said) == 1
    store(handed, tmp_path / "course" / "submitted", "channels")
    files = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert files == {"class.zip", "course/submitted/ann/channels/exercises.ipynb"}


def test_nobody_vanishes_from_an_archive(tmp_path):
    path = archive(
        tmp_path / "class.zip",
        {
            "Ann Lee_s1_assignsubmission_file_/exercises.ipynb": b"{}",
            "Eve New_s9_assignsubmission_file_/exercises.ipynb": b"{}",
            "Bob Ray_s2_assignsubmission_file_/homework.docx": b"hello",
            "s1 and s2 exercises.ipynb": b"{}",
            "exercises.ipynb": b"{}",
        },
    )
    found = {one.student: one for one in from_zip(path, "channels", ["s1", "s2"])[0]}
    assert found.keys() == {"s1", "s2", "Eve-New_s9", "s1-and-s2", "nobody-2"}
    assert "homework.docx" in found["s2"].why
    assert "whose is 'exercises.ipynb'?" in found["nobody-2"].why


def test_a_zip_bomb_a_link_and_a_damaged_member_are_refused_one_by_one(tmp_path):
    path = tmp_path / "class.zip"
    link = zipfile.ZipInfo("link_exercises.ipynb")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb_exercises.ipynb", bytes(collect.MAX_BYTES + 1000))
        file.writestr(link, "/etc/passwd")
        file.writestr("torn_exercises.ipynb", b"0123456789" * 100)
        file.writestr("ann_exercises.ipynb", b"{}")
    data = bytearray(path.read_bytes())
    place = data.index(b"torn_exercises.ipynb") + len("torn_exercises.ipynb")
    data[place : place + 8] = b"\xff" * 8
    path.write_bytes(data)
    assert path.stat().st_size < 100_000
    found = {one.student: one for one in from_zip(path, "channels")[0]}
    assert found["ann"].data == b"{}"
    assert "bytes" in found["bomb"].why
    assert "link" in found["link"].why
    assert "cannot be unpacked" in found["torn"].why
    assert not any(found[name].data for name in ("bomb", "link", "torn"))


def test_archives_that_are_too_much_are_refused_as_a_whole(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.zip", {f"s{n}_exercises.ipynb": b"{}" for n in range(20)})
    monkeypatch.setattr(collect, "MAX_MEMBERS", 10)
    with pytest.raises(ValueError, match="20 files"):
        from_zip(path, "channels")
    monkeypatch.setattr(collect, "MAX_MEMBERS", 100)
    monkeypatch.setattr(collect, "MAX_TOTAL", 30)
    with pytest.raises(ValueError, match="more than 30 bytes"):
        from_zip(path, "channels")
    path.write_bytes(b"PK no zip")
    with pytest.raises(ValueError, match="no zip archive"):
        from_zip(path, "channels")


def test_a_new_version_replaces_the_old_one_and_keeps_it(tmp_path):
    for data in (b"{}", b"{}", b"[]"):
        said = store([collect.Handed("ann", data)], tmp_path, "channels")
    assert said == ["ann: a new version; the one before is in older/"]
    place = tmp_path / "ann" / "channels"
    assert (place / "exercises.ipynb").read_bytes() == b"[]"
    assert [p.read_bytes() for p in (place / "older").iterdir()] == [b"{}"]
    assert from_folder(tmp_path, "channels")[0].data == b"[]"


def test_folders_with_strange_names_and_files_are_told(tmp_path):
    for student in ("=cmd()", "ann", "two", "none", ".hidden"):
        (tmp_path / student / "channels").mkdir(parents=True)
    for name in ("a.ipynb", "b.ipynb"):
        (tmp_path / "two" / "channels" / name).write_text("{}")
    (tmp_path / "ann" / "channels" / "Untitled.ipynb").write_text("{}")
    found = {one.student: one for one in from_folder(tmp_path, "channels")}
    assert found.keys() == {"=cmd()", "ann", "two", "none"}
    assert "no student" in found["=cmd()"].why
    assert "several notebooks" in found["two"].why
    assert "no notebook" in found["none"].why
    assert found["ann"].data == b"{}"
    assert "was named 'Untitled.ipynb'" in found["ann"].notes[0]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "|x", "\r=1"])
def test_no_text_becomes_a_formula(tmp_path, text):
    report.write_table(tmp_path / "t.csv", ["a"], [[text], [-1], [2.50]])
    lines = (tmp_path / "t.csv").read_text("utf-8-sig")
    assert lines.startswith(("a\n'", "a\n\"'"))
    assert lines.endswith("-1\n2.5\n")


def test_what_is_missing_is_said_without_a_traceback(capsys):
    secret = {"ASSIGNMENT_SECRET": "0123456789abcdef0123"}
    for environ, words in [
        ({}, "CHAPTER=… is missing"),
        ({"CHAPTER": "channels"}, "COHORT=… is missing"),
        ({"CHAPTER": "channels", "COHORT": "x"}, "secret"),
        ({"CHAPTER": "nonsense", "COHORT": "x", **secret}, "nonsense"),
        ({"CHAPTER": "channels", "COHORT": "no-such", **secret}, "make assignment"),
        ({"CHAPTER": "channels", "COHORT": "../..", **secret}, "'../..'"),
    ]:
        with pytest.raises(SystemExit, match="Nothing was graded") as stopped:
            grade.main([], environ)
        assert words in str(stopped.value)


def test_a_result_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "ann.json"
    report.write_whole(path, json.dumps({"key": "old"}))
    monkeypatch.setattr("pathlib.Path.replace", lambda *a: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report.write_whole(path, json.dumps({"key": "new"}))
    assert grade.known_result(path, "old") == {"key": "old"}
    path.write_text('{"key": "ol')
    assert grade.known_result(path, "old") is None
