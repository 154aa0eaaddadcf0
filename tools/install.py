"""Make .venv, or mend it, and install into it what the book needs.

    python tools/install.py site          what the website is built from
    python tools/install.py full          the notebooks and JupyterLab as well
    python tools/install.py instructor    and nbgrader: assignments, and the tests of all

Runs on a bare Python 3.11 or newer. When nothing has changed it is done in a fraction of a second:
a stamp in .venv holds a hash of the requirement files, and is written only when all of them are in.
PYTHON=… in the environment names another interpreter than the one that .venv was made with.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
REQUIREMENTS = {  # each holds those before it
    "site": "requirements-site.txt",
    "full": "requirements.txt",
    "instructor": "requirements-instructor.txt",
}
KINDS = tuple(REQUIREMENTS)
WHAT = dict(zip(KINDS, ("the website's tools", "what the book needs", "everything"), strict=True))
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"

# Run by the Python of .venv: fails when a requirement in a file is missing or of a wrong version.
SATISFIED = """
import sys
from importlib.metadata import version
from pathlib import Path
from pip._vendor.packaging.requirements import Requirement

def check(file):
    for line in file.read_text(encoding="utf-8").splitlines():
        line = line.split(" #")[0].strip()
        if line.startswith("-r "):
            check(file.parent / line[3:].strip())
        elif line.startswith("-e ."):
            version("pointwise")
        elif line and not line.startswith("#"):
            requirement = Requirement(line)
            assert requirement.specifier.contains(version(requirement.name), prereleases=True), line

check(Path(sys.argv[1]))
"""


def works(*arguments):
    """Does the Python of .venv run this without an error?"""
    try:
        return subprocess.run([PYTHON, *arguments], capture_output=True).returncode == 0
    except OSError:
        return False


def up_to(kind):
    """The kinds that are installed with this one, itself last."""
    return KINDS[: KINDS.index(kind) + 1]


def key(kind):
    """A hash of all that decides what belongs into .venv."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project["tool"] = {"setuptools": project["tool"]["setuptools"]}
    files = [REQUIREMENTS[each] for each in up_to(kind)]
    texts = [kind, str(ROOT), *((ROOT / file).read_text(encoding="utf-8") for file in files)]
    if kind != "site":
        texts.append(json.dumps(project))
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def stamp(kind):
    return VENV / f".{kind}"


def is_installed(kind):
    try:
        current = stamp(kind).read_text(encoding="utf-8") == key(kind)
    except OSError:
        return False
    return current and works("-c", SATISFIED, ROOT / REQUIREMENTS[kind])


def venv_is_sound():
    """Its Python and pip work, and it is the version that PYTHON asks for, if it does."""
    version = tuple(sys.version_info[:2])
    wanted = f"== {version}" if os.environ.get("PYTHON") else ">= (3, 11)"
    return works("-c", f"import pip, sys; assert sys.version_info[:2] {wanted}")


def make_venv():
    print(f"Making .venv with Python {platform.python_version()}", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV])
    if made.returncode:
        sys.exit(
            "This Python cannot make a virtual environment. On Debian and Ubuntu: "
            f"apt install python3.{sys.version_info[1]}-venv"
        )


def pip_install(what, *arguments, **environment):
    """Run pip, show on a terminal what it is at; return its status and the end of its log."""
    start = time.monotonic()
    print(f"Installing {what} …", flush=True)
    command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    log = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as pip:
        for line in pip.stdout:
            log.append(line)
            if sys.stdout.isatty() and re.match(r"\s*(Collecting|Downloading|Installing) ", line):
                width = shutil.get_terminal_size().columns - 1
                print("\r" + line.strip()[:width].ljust(width), end="", flush=True)
    if sys.stdout.isatty():
        print("\r" + " " * (shutil.get_terminal_size().columns - 1), end="\r")
    if pip.returncode == 0:
        print(f"  done in {time.monotonic() - start:.0f} s", flush=True)
    return pip.returncode, "".join(log[-40:])


def install_requirements(kind):
    code, log = pip_install(WHAT[kind], "-r", REQUIREMENTS[kind])
    if code:
        sys.exit(f"{log}\npip could not install {REQUIREMENTS[kind]}; its last words stand above.")


def prefer_cpu_torch():
    """Install PyTorch's CPU build from its own index; without it, the plain package comes later.

    The plain package is the CPU build already on macOS and Windows; on Linux it brings several GB
    of CUDA libraries.
    """
    if sys.platform != "linux":
        return
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    torch = next(line.split("#")[0].strip() for line in lines if line.startswith("torch"))
    code, _ = pip_install(
        "the CPU build of torch",
        *["--no-deps", "--index-url", TORCH_CPU_INDEX, "--timeout", "10", "--retries", "0", torch],
        # In place of other indexes that pip is configured for: a newer plain torch would win.
        PIP_EXTRA_INDEX_URL=TORCH_CPU_INDEX,
    )
    if code:
        print("  not to be had here: the plain package it is", flush=True)


def try_out():
    """Say which torch it is; let matplotlib look through the fonts here, not inside a notebook."""
    program = (
        "import matplotlib.font_manager, torch; cuda = torch.version.cuda; "
        "print(f'torch {torch.__version__}:', f'CUDA {cuda} build' if cuda else 'CPU build')"
    )
    if subprocess.run([PYTHON, "-c", program]).returncode:
        sys.exit("What was installed cannot be imported: see above.")


def install(kind):
    if not venv_is_sound():
        make_venv()
    for each in KINDS:
        stamp(each).unlink(missing_ok=True)
    if kind != "site":
        prefer_cpu_torch()
    install_requirements(kind)
    if kind != "site":
        try_out()
    for each in up_to(kind):
        stamp(each).write_text(key(each), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in REQUIREMENTS:
        sys.exit(__doc__)
    if not (venv_is_sound() and is_installed(sys.argv[1])):
        install(sys.argv[1])
