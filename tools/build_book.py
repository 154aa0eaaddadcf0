"""Build the website with every warning an error.

    python tools/build_book.py [--fresh]

--fresh forgets earlier builds. The pages go to _build/html.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def site_files_changed(book):
    """True when a file that serves all pages is newer than the last whole build."""
    complete = book / "_build" / "html" / ".complete"
    if not complete.exists():
        return False
    folders = ("_static", "_extra", "_ext", "_templates")
    files = [f for part in folders for f in (book / part).rglob("*")]
    files += [book / name for name in ("_toc.yml", "_terms.yml", "CITATION.cff")]
    return any(f.stat().st_mtime > complete.stat().st_mtime for f in files if f.is_file())


def build(book, fresh=False):
    """Build the book in this folder; True when nothing was wrong."""
    built = book / "_build"
    if fresh:
        shutil.rmtree(built, ignore_errors=True)
    if site_files_changed(book):
        # Sphinx copies style sheets and scripts only when it writes a page: have it write them all.
        shutil.rmtree(built / ".doctrees", ignore_errors=True)
    program = "from jupyter_book.cli.main import main; main()"
    options = ["build", str(book), "-W", "-n", "--keep-going", "-q"]
    done = subprocess.run([sys.executable, "-c", program, *options], stdout=subprocess.PIPE)
    complete = built / "html" / ".complete"  # make compares its age with that of the sources
    complete.unlink(missing_ok=True)
    if done.returncode == 0:
        # With the buttons of another repository it is not what `make book` stands for.
        if not os.environ.get("REPOSITORY"):
            complete.touch()
    else:
        # Sphinx warns about a page only when it reads it: a second build must read them all again.
        shutil.rmtree(built / ".doctrees", ignore_errors=True)
    return done.returncode == 0


if __name__ == "__main__":
    start = time.monotonic()
    if not build(ROOT, fresh="--fresh" in sys.argv[1:]):
        sys.exit("The site has faults: see the warnings above.")
    seconds = time.monotonic() - start
    print(f"Built with no warning in {seconds:.0f} s.")
