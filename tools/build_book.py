"""Build the website with every warning an error.

    python tools/build_book.py [--fresh]

--fresh forgets earlier builds. The pages go to _build/html. With SOLUTIONS=no in the environment,
the solutions of the exercises are left out.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def site_files_changed(book):
    """True when a file that serves all pages is newer than the last whole build."""
    complete = book / "_build" / "html" / ".complete"
    if not complete.exists():
        return False
    files = [f for part in ("_static", "_extra", "_ext") for f in (book / part).rglob("*")]
    return any(f.stat().st_mtime > complete.stat().st_mtime for f in files if f.is_file())


def without_solutions(toc):
    """The table of contents without pages of solutions, and without a part that held only those."""
    if isinstance(toc, list):
        kept = [without_solutions(each) for each in toc]
        return [each for each in kept if each]
    if not isinstance(toc, dict):
        return toc
    if str(toc.get("file", "")).endswith("/solutions"):
        return None
    kept = {key: without_solutions(value) for key, value in toc.items()}
    return None if kept.get("chapters") == [] else kept


def build(book, fresh=False, solutions=True):
    """Build the book in this folder; True when nothing was wrong."""
    built = book / "_build"
    options = ["-W", "-n", "--keep-going", "-q"]
    short_toc = built / "toc-without-solutions.yml"
    # Pages of another choice would stay behind, and in the search as well.
    if fresh or solutions == short_toc.exists():
        shutil.rmtree(built, ignore_errors=True)
    if not solutions:
        toc = yaml.safe_load((book / "_toc.yml").read_text(encoding="utf-8"))
        built.mkdir(exist_ok=True)
        short_toc.write_text(yaml.safe_dump(without_solutions(toc), sort_keys=False), "utf-8")
        options += ["--toc", str(short_toc)]
    if site_files_changed(book):
        # Sphinx copies style sheets and scripts only when it writes a page: have it write them all.
        shutil.rmtree(built / ".doctrees", ignore_errors=True)
    program = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", program, "build", str(book), *options]
    done = subprocess.run(command, stdout=subprocess.PIPE)
    complete = built / "html" / ".complete"  # make compares its age with that of the sources
    complete.unlink(missing_ok=True)
    if done.returncode == 0:
        # With the buttons of another repository, or in part, it is not what `make book` stands for.
        if solutions and not os.environ.get("REPOSITORY"):
            complete.touch()
    else:
        # Sphinx warns about a page only when it reads it: a second build must read them all again.
        shutil.rmtree(built / ".doctrees", ignore_errors=True)
    return done.returncode == 0


if __name__ == "__main__":
    start = time.monotonic()
    choice = os.environ.get("SOLUTIONS") or "yes"
    if choice not in ("yes", "no"):
        sys.exit(f"SOLUTIONS={choice}: yes or no")
    if not build(ROOT, fresh="--fresh" in sys.argv[1:], solutions=choice == "yes"):
        sys.exit("The site has faults: see the warnings above.")
    seconds = time.monotonic() - start
    print(f"Built with no warning in {seconds:.0f} s.")
