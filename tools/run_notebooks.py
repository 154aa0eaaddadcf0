"""Execute notebooks in place: top to bottom, each on a fresh kernel, written in one normal form.

    python tools/run_notebooks.py                            every notebook under chapters/
    python tools/run_notebooks.py chapters/channels/lesson.ipynb …

A notebook that raises is left as it was. What is written depends on the cells and their outputs
alone, not on the machine, the editor or the hour, so that a diff shows what changed.
"""

import base64
import copy
import hashlib
import io
import os
import sys
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
CELL_TIMEOUT = 120  # seconds; `make test` gives a cell as long

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}
KEPT_CELL_METADATA = {"mystnb", "nbgrader", "tags"}

# Runs after the last cell, for the line on the terminal; it is not stored.
PEAK_MEMORY = """
import resource, sys
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak if sys.platform == "darwin" else 1024 * peak)
"""


def find_notebooks(root=ROOT):
    """Every notebook under chapters/, editors' checkpoints left out."""
    found = (root / "chapters").rglob("*.ipynb")
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def normalise(notebook):
    """The notebook in its normal form; outputs keep their content."""
    notebook = nbformat.from_dict(copy.deepcopy(notebook))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(METADATA)
    seen = set()
    for position, cell in enumerate(notebook.cells):
        if cell.get("id") in seen | {None}:
            text = f"{position} {cell.cell_type} {cell.source}"
            cell.id = hashlib.sha1(text.encode()).hexdigest()[:8]
        seen.add(cell.id)
        cell.source = cell.source.strip("\n")
        kept = {k: v for k, v in cell.metadata.items() if k in KEPT_CELL_METADATA and v}
        cell.metadata = nbformat.from_dict(kept)
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = nbformat.from_dict({})
    return notebook


def to_text(notebook):
    return nbformat.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False).rstrip() + "\n"


def read(path):
    return nbformat.read(path, as_version=4)


def smaller_png(encoded):
    """The same pixels in fewer bytes, and with nothing in the file but pixels."""
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(encoded)))
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] == 255:
        image = image.convert("RGB")
    if image.mode == "RGB" and image.getcolors(256):
        image = image.quantize(256, dither=Image.Dither.NONE)
    small = io.BytesIO()
    image.save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def shrink_pictures(notebook):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = smaller_png(output.data["image/png"])


def execute(notebook, folder):
    """Run all cells of the notebook in the folder; return the kernel's peak memory in bytes."""
    from nbclient import NotebookClient

    notebook.cells.append(nbformat.v4.new_code_cell(PEAK_MEMORY))
    NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name=METADATA["kernelspec"]["name"],
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # ipykernel warns of unencrypted TCP on every start
    ).execute()
    return int(notebook.cells.pop().outputs[0].text)


def write_whole(path, text):
    """Replace the file in one step, and only when its text changes."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8", newline="\n")
    os.replace(new, path)


def run(path):
    """Execute one notebook and store it; raises, and stores nothing, when a cell raises."""
    notebook = normalise(read(path))
    memory = execute(notebook, path.parent)
    notebook = normalise(notebook)
    shrink_pictures(notebook)
    write_whole(path, to_text(notebook))
    return memory


def main(names):
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ.pop("MPLBACKEND", None)  # figures belong into the notebook
    paths = [Path(name).resolve() for name in names] or find_notebooks()
    if not paths:
        sys.exit("There is no notebook under chapters/.")
    failed = 0
    for path in paths:
        print(f"{os.path.relpath(path)} … ", end="", flush=True)
        start = time.monotonic()
        try:
            memory = run(path)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failed += 1
            print(f"failed; the file is left as it was\n{error}", flush=True)
        else:
            seconds, megabytes = time.monotonic() - start, memory / 1e6
            print(f"{seconds:.1f} s, peak {megabytes:.0f} MB", flush=True)
    if failed:
        sys.exit(f"{failed} of {len(paths)} notebooks failed.")


if __name__ == "__main__":
    main(sys.argv[1:])
