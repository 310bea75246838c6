"""The quick tests on every Python that is found, with the newest and the lowest versions.

    python tests/tools/versions.py [lowest 3.11 3.12 3.13]

Each gets a ``.venv-NAME``; "lowest" is Python 3.11 with the lowest version of every library that
pyproject.toml allows. At the end the rows for docs/versions.md are printed; the exit code is 1 if a
test failed or nothing ran. ``UV_TORCH_BACKEND=cpu`` spares the downloads for CUDA.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

LOWEST = "lowest"
NAMES = (LOWEST, "3.11", "3.12", "3.13")
ROOT = Path(__file__).resolve().parents[2]
# The test client of the lowest Starlette needs httpx; old versions call what newer ones deprecate.
MORE = ["--resolution", "lowest-direct", "httpx>=0.27"]
QUIETER = ["-W", "ignore::DeprecationWarning"]
SHOW = "import sys, torch; print(f'Python {sys.version.split()[0]}, PyTorch {torch.__version__}')"


def interpreter(version: str) -> str | None:
    """A Python of that version: on the path, of pyenv, or of uv."""
    homes = (Path.home() / ".pyenv/versions", Path.home() / ".local/share/uv/python")
    found = [shutil.which(f"python{version}")]
    for home in homes:
        found += map(str, sorted(home.glob(f"*{version}.*/bin/python{version}")))
    for path in filter(None, found):
        # pyenv has a command for every version, which fails for those that are not chosen.
        if subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            return path
    return None


def run(name: str, python: str) -> tuple[str, bool]:
    """A row of the table, and whether all tests passed."""
    folder = ROOT / f".venv-{name}"
    inside = folder / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    lowest = name == LOWEST
    subprocess.run([inside, "-m", "pip", "install", "--quiet", "uv"], check=True)
    install = [inside, "-m", "uv", "pip", "install", "--quiet", "--python", inside, "--upgrade"]
    subprocess.run([*install, "-e", ".[test]", *(MORE if lowest else [])], cwd=ROOT, check=True)
    report = folder / "tests.xml"
    tests = [inside, "-m", "pytest", "-m", "not slow", f"--junitxml={report}"]
    code = subprocess.run([*tests, *(QUIETER if lowest else [])], cwd=ROOT, check=False).returncode
    shown = subprocess.run([inside, "-c", SHOW], capture_output=True, text=True, check=True)
    suite = next(ElementTree.parse(report).iter("testsuite"))
    total, skipped = int(suite.attrib["tests"]), int(suite.attrib["skipped"])
    failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    counts = f"{total - skipped - failed:,} passed, {failed} failed, {skipped} skipped"
    kind = "lowest" if lowest else "newest"
    load = os.getloadavg()[2]
    date = time.strftime("%Y-%m-%d")
    return f"| {kind}, {shown.stdout.strip()} | {counts} | {date}, load {load:.1f} |", code == 0


def main() -> None:
    rows, good = [], True
    for name in sys.argv[1:] or NAMES:
        python = interpreter("3.11" if name == LOWEST else name)
        if python is None:
            print(f"{name}: no Python of that version is found", file=sys.stderr)
            continue
        row, passed = run(name, python)
        rows.append(row)
        good &= passed
    print("| versions | quick tests | when |\n| --- | --- | --- |", *rows, sep="\n")
    sys.exit(0 if good and rows else 1)


if __name__ == "__main__":
    main()
