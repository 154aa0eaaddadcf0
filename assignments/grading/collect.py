"""Find what was handed in: a folder in nbgrader's layout, any folder, or a zip from an LMS.

Nothing is unpacked under a name that an archive chose: the bytes are read, and written under
`submitted/<student>/<assignment>/`, where the name of the student has been checked.
"""

import re
import stat
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grading.repair import MAX_BYTES

MAX_MEMBERS = 20_000
MAX_NAME = 500  # characters of a path in an archive
MAX_TOTAL = 2_000_000_000  # bytes of all notebooks in an archive
STUDENT = re.compile(r"\w[\w.@+-]{0,79}")
NOTEBOOK = "exercises.ipynb"


@dataclass
class Handed:
    """One student's file: its bytes, or why there are none."""

    student: str
    data: bytes | None
    why: str = ""
    notes: tuple = ()


def regular(path):
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def from_file(student, path, notes=()):
    if not regular(path):
        return Handed(student, None, f"{path.name} is not a plain file", notes)
    try:
        with path.open("rb") as file:
            return Handed(student, file.read(MAX_BYTES + 1), "", notes)
    except OSError as error:
        return Handed(student, None, f"{path.name} cannot be read: {error.strerror}", notes)


def from_folder(folder, slug):
    """What lies in `<folder>/<student>/<slug>/`, one `Handed` for each student."""
    found = []
    for student in sorted(p for p in Path(folder).iterdir() if p.is_dir() and not p.is_symlink()):
        if student.name.startswith("."):
            continue
        place = student / slug
        if not place.is_dir() or place.is_symlink():
            continue
        found.append(choose(student.name, place))
    return found


def choose(student, place):
    """The notebook in a student's folder, whatever its name."""
    if not STUDENT.fullmatch(student):
        why = "the folder's name is no student: letters, digits and _ . @ + - only"
        return Handed(student, None, why)
    if (place / NOTEBOOK).exists():
        return from_file(student, place / NOTEBOOK)
    others = sorted(p for p in place.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    if len(others) == 1:
        name = others[0].name
        return from_file(student, others[0], (f"the file was named {name!r}, not {NOTEBOOK!r}",))
    if others:
        names = ", ".join(p.name for p in others[:4])
        return Handed(student, None, f"several notebooks, and none is {NOTEBOOK}: {names}")
    files = sorted(p for p in place.iterdir() if regular(p))
    if len(files) == 1:
        name = files[0].name
        return from_file(student, files[0], (f"the file was named {name!r}, not {NOTEBOOK!r}",))
    return Handed(student, None, "no notebook was handed in")


def student_of(path, roster, slug):
    """Whose file this is, from its path in an archive; "" where that cannot be told.

    With a roster: the one name of it that stands in the path by itself. Without: what Moodle and
    Canvas put in front, or the folder, or the name of the file without "exercises".
    """
    parts = [part for part in PurePosixPath(path).parts if part not in (slug, "submitted")]
    words = [w for part in parts for w in re.split(r"[^A-Za-z0-9.@+-]+", part)] + list(parts)
    words += [part.removesuffix(".ipynb") for part in parts]
    hits = {name for name in roster if name in words}
    hits |= {name for name in roster if "_" in name and any(name in part for part in parts)}
    if len(hits) == 1:
        return hits.pop()
    if roster:
        return ""
    for part in parts:
        if "_assignsubmission_" in part:  # Moodle: "Ada Lovelace_12345_assignsubmission_file_"
            return plain(part.split("_assignsubmission_")[0])
    stem = PurePosixPath(path).stem
    if found := re.match(r"([a-z0-9-]+)(_LATE)?_(\d+)_\d+_", stem):  # Canvas: name_id_file_title
        return plain(f"{found[1]}_{found[3]}")
    stem = re.sub(r"[_ -]*exercises?([ _-]*\(?\d{1,2}\)?)?$", "", stem, flags=re.IGNORECASE)
    return plain(stem or (parts[-2] if len(parts) > 1 else ""))


def plain(name):
    name = re.sub(r"[^\w.@+-]+", "-", unicodedata.normalize("NFC", name.strip())).strip("-_.")[:80]
    return name if STUDENT.fullmatch(name) else ""


def from_zip(path, slug, roster=()):
    """Read an archive from an LMS: (list of Handed, list of sentences on what was left out)."""
    found, instead, said, total = {}, {}, [], 0
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"{path} is no zip archive that can be read: {error}") from error
    with archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise ValueError(f"{path} holds {len(members):,} files; {MAX_MEMBERS:,} are the most")
        for member in members:
            name = member.filename.replace("\\", "/")
            parts = PurePosixPath(name).parts
            if member.is_dir() or "__MACOSX" in parts or ".ipynb_checkpoints" in parts:
                continue
            if len(name) > MAX_NAME:
                said.append(f"left out, its name is too long: {name[:80]!r}")
                continue
            if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
                said.append(f"left out, its path leads elsewhere: {name[:80]!r}")
                continue
            # Somebody who is not on the roster gets a line as well: nothing vanishes.
            student = student_of(name, roster, slug) or student_of(name, (), slug)
            if not name.lower().endswith(".ipynb"):
                said.append(f"left out, no notebook: {name[:80]!r}")
                if student and (len(parts) > 1 or student in roster):
                    instead.setdefault(student, name)
                continue
            if not student:
                nameless = Handed(f"nobody-{len(said) + 1}", None, f"whose is {name[:80]!r}?")
                said.append(f"it is not clear whose it is: {name[:80]!r}")
                found[nameless.student] = (name, nameless)
                continue
            if student in found:
                why = f"two files were handed in: {found[student][0]!r} and {name!r}; keep one"
                found[student] = (found[student][0], Handed(student, None, why))
                continue
            handed = from_member(archive, member, student)
            total += len(handed.data or b"")
            if total > MAX_TOTAL:
                raise ValueError(f"the notebooks of {path} take more than {MAX_TOTAL:,} bytes")
            found[student] = (name, handed)
    for student, name in instead.items():
        why = f"no notebook was handed in, but {PurePosixPath(name).name[:80]!r}"
        found.setdefault(student, (name, Handed(student, None, why)))
    return [handed for _, handed in (found[student] for student in sorted(found))], said


def from_member(archive, member, student):
    if stat.S_ISLNK(member.external_attr >> 16):
        return Handed(student, None, "the file is a link")
    try:
        with archive.open(member) as file:
            # Read rather than believe the size that the archive states.
            data = file.read(MAX_BYTES + 1)
    except Exception as error:  # zipfile, zlib, lzma and bz2 each raise their own
        return Handed(student, None, f"it cannot be unpacked: {error}"[:200])
    if len(data) > MAX_BYTES:
        return Handed(student, None, f"it has more than {MAX_BYTES:,} bytes")
    return Handed(student, data)


def store(handed, submitted, slug):
    """Write collected files under `submitted`; what is already there in other words stays.

    Returns
    -------
    list of str
        Sentences on files that were not written.
    """
    said = []
    for one in handed:
        if one.data is None:
            said.append(f"{one.student}: {one.why}")
            continue
        folder = Path(submitted) / one.student / slug
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / NOTEBOOK
        if place.exists() and place.read_bytes() != one.data:
            older = folder / "older"
            older.mkdir(exist_ok=True)
            place.replace(older / f"{len(list(older.iterdir())) + 1}.ipynb.bak")
            said.append(f"{one.student}: a new version; the one before is in {older.name}/")
        place.write_bytes(one.data)
    return said
