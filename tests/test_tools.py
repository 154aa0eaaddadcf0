"""Set-up, from the choice of the interpreter to the stamps, without installing anything."""

import os
import re
import subprocess
import sys
import tomllib
from collections import Counter

import install
import pytest
import run_tests
from run_notebooks import ROOT

# ---------------------------------------------------------------- the choice of the interpreter


def find_python(path="/usr/bin:/bin", **environment):
    return subprocess.run(
        ["/bin/sh", ROOT / "tools/find-python"],
        env={"PATH": str(path), **environment},
        capture_output=True,
        text=True,
    )


def fake_python(folder, name, minor):
    """A program that answers as Python 3.`minor` would."""
    (folder / name).write_text(
        f'#!/bin/sh\ncase "$2" in\n*print*) echo 3{minor:03};;\n*) [ {minor} -ge 11 ];;\nesac\n'
    )
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        ({"python3": 11}, "python3"),
        ({"python3": 9, "python3.11": 11, "python3.12": 12}, "python3.12"),
        ({"python3": 14, "python3.13": 13}, "python3"),
        ({"python3": 10, "python3.13": 13}, "python3.13"),
    ],
)
def test_the_newest_python_is_taken(tmp_path, there, chosen):
    for name, minor in there.items():
        fake_python(tmp_path, name, minor)
    assert find_python(tmp_path).stdout == chosen + "\n"


def test_no_python_is_a_clear_error(tmp_path):
    fake_python(tmp_path, "python3", 10)
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert "No Python 3.11 or newer" in done.stderr


def test_a_named_python_is_taken_or_refused(tmp_path):
    folder = tmp_path / "a b"
    folder.mkdir()
    fake_python(folder, "old", 10)
    fake_python(folder, "new", 12)
    assert find_python(PYTHON=f"{folder}/new").stdout == f"{folder}/new\n"
    for wrong in [f"{folder}/old", "no-such-python"]:
        done = find_python(PYTHON=wrong)
        assert done.returncode == 1
        assert wrong in done.stderr


# ---------------------------------------------------------------- what is installed, and when


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with this test's own Python as .venv, and a pip that installs nothing."""
    for name in [*install.REQUIREMENTS.values(), "pyproject.toml"]:
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(install, "PYTHON", sys.executable)
    monkeypatch.setattr(install, "try_out", lambda: None)
    monkeypatch.delenv("PYTHON", raising=False)
    return tmp_path


@pytest.fixture
def asked(monkeypatch):
    """The arguments of each call of pip, which does nothing."""
    calls = []

    def pip_install(what, *arguments, **environment):
        calls.append(arguments)
        return 0, ""

    monkeypatch.setattr(install, "pip_install", pip_install)
    return calls


def change(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_installed_once_and_again_when_a_requirement_changes(checkout, asked):
    assert not install.is_installed("full")
    install.install("full")
    assert install.is_installed("full")
    assert install.is_installed("site")
    change(checkout / "requirements.txt", "nbval>=0.11", "nbval>=0.11.0")
    assert not install.is_installed("full")
    assert install.is_installed("site")


def test_what_an_instructor_needs_holds_all_the_rest(checkout, asked):
    install.install("instructor")
    assert all(install.is_installed(kind) for kind in install.KINDS)
    change(checkout / "requirements-instructor.txt", "nbgrader>=0.9.6", "nbgrader>=0.9.5")
    assert not install.is_installed("instructor")
    assert install.is_installed("full")
    install.install("full")
    assert not install.is_installed("instructor")


def test_the_extra_asks_for_the_nbgrader_of_the_requirements():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "requirements-instructor.txt").read_text(encoding="utf-8")
    (extra,) = project["optional-dependencies"]["instructor"]
    assert re.search(rf"^{re.escape(extra)}\s", text, re.MULTILINE)


def test_lint_settings_are_no_reason_to_install(checkout, asked):
    install.install("full")
    change(checkout / "pyproject.toml", "line-length = 100", "line-length = 90")
    assert install.is_installed("full")
    change(checkout / "pyproject.toml", 'version = "', 'version = "9')
    assert not install.is_installed("full")


def test_the_site_alone_asks_for_no_torch(checkout, asked):
    install.install("site")
    assert asked == [("-r", "requirements-site.txt")]
    assert not install.is_installed("full")


@pytest.mark.parametrize("failure", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_install_leaves_no_stamp(checkout, asked, monkeypatch, failure):
    install.install("full")

    def interrupted(*arguments, **environment):
        raise failure

    monkeypatch.setattr(install, "pip_install", interrupted)
    with pytest.raises(failure):
        install.install("full")
    assert not install.is_installed("full")
    assert not install.is_installed("site")


def test_a_moved_checkout_is_installed_again(checkout, asked, monkeypatch):
    install.install("site")
    (checkout / "moved").mkdir()
    for path in [*checkout.glob("*.t*"), checkout / ".venv"]:
        path.rename(checkout / "moved" / path.name)
    monkeypatch.setattr(install, "ROOT", checkout / "moved")
    monkeypatch.setattr(install, "VENV", checkout / "moved/.venv")
    assert install.stamp("site").exists()
    assert not install.is_installed("site")


def test_a_package_that_was_removed_is_missed(checkout, asked):
    install.install("site")
    change(checkout / "requirements-site.txt", "sphinx-book-theme", "no-such-theme")
    install.stamp("site").write_text(install.key("site"))
    assert not install.is_installed("site")


def test_torch_comes_from_the_cpu_index_first_then_plain(checkout, asked, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    install.install("full")
    first, second = asked
    torch = re.search(r"^(torch\S+)", (checkout / "requirements.txt").read_text(), re.M)[1]
    assert first[-1] == torch
    assert {"--no-deps", "--index-url", install.TORCH_CPU_INDEX} <= set(first)
    assert second == ("-r", "requirements.txt")


def test_elsewhere_the_plain_torch_is_the_cpu_build(checkout, asked, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    install.install("full")
    assert asked == [("-r", "requirements.txt")]


# ---------------------------------------------------------------- make


def test_make_help_names_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)", makefile, re.MULTILINE)[1]
    targets = targets.replace("\\\n", " ").split()
    told = subprocess.run(["make", "-s", "-C", ROOT], capture_output=True, text=True).stdout
    for target in set(targets) - {"help", "site-tools", "all-tools", "instructor-tools", "always"}:
        assert f"make {target} " in told


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("12 passed in 0.71s", {"passed": 12}),
        ("= 1 failed, 12 passed, 2 warnings in 61.20s (0:01:01) =", {"failed": 1, "passed": 12}),
        ("3 passed, 1 error in 2.00s", {"passed": 3, "error": 1}),
        ("12 passed the door", {}),
    ],
)
def test_counts_are_read_from_the_closing_line(line, counts):
    status, found = run_tests.run([sys.executable, "-c", f"print({line!r}); raise SystemExit(3)"])
    assert status == 3
    assert found == Counter(counts)


def test_the_command_of_continuous_integration():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert script.read_text().endswith("make test\n")
