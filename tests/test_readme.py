"""Every command and every line of Python in the README and docs/python.md runs as written.

A block is preceded by an HTML comment where it is not simply run: ``long`` (minutes of training;
tests/test_docs.py checks its options), ``not run`` (it installs), ``fails`` (to show an error).
The blocks of a section share a folder, and names.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from matinee.cli import main
from matinee.data import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "docs/python.md")
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>long|not run|fails) -->\n)?^```(?P<kind>\w+)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    mark: str
    kind: str
    code: str


def _sections(page: str) -> Iterator[tuple[str, list[Block]]]:
    text = (ROOT / page).read_text("utf-8")
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        blocks = [
            Block(match["mark"] or "", match["kind"], match["code"])
            for match in BLOCK.finditer(part)
        ]
        if blocks:
            yield part.partition("\n")[0], blocks


# The sections of docs/python.md are one story; each of the README's is its own.
SECTIONS = [
    *(pytest.param(blocks, id=name) for name, blocks in _sections("README.md")),
    pytest.param([b for _, blocks in _sections("docs/python.md") for b in blocks], id="python.md"),
]


@pytest.mark.parametrize("blocks", SECTIONS)
def test_it_runs(
    blocks: list[Block],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    real_data: Callable[[str], Path],
) -> None:
    run = [block for block in blocks if block.mark not in ("long", "not run")]
    code = "\n".join(block.code for block in run)
    for name in CATALOGUE:
        if re.search(rf"(?<![\w-]){name}(?![\w-])", code):
            monkeypatch.setenv("MATINEE_DATA", str(real_data(name).parent))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    names: dict[str, Any] = {}
    for block in run:
        if block.kind == "python":
            exec(compile(block.code, "<README>", "exec"), names)
        elif block.kind == "toml":
            tomllib.loads(block.code)
        else:
            assert block.kind == "sh"
            for line in block.code.splitlines():
                _shell(line, block.mark == "fails", capsys)


def _shell(line: str, fails: bool, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(line, comments=True)
    target = None
    if len(words) > 2 and words[-2] == ">":
        target, words = Path(words[-1]), words[:-2]
    capsys.readouterr()
    match words[0]:
        case "matinee":
            code = main(words[1:])
            out, err = capsys.readouterr()
            assert (code != 0) == fails, f"{line}\n{err}"
            assert "Traceback" not in err
        case "printf":
            out = words[1].replace("\\n", "\n")
        case _:
            raise AssertionError(f"this test cannot run {line!r}")
    if target is not None:
        target.write_text(out, encoding="utf-8")


def test_blocks_that_are_not_run_install_serve_or_take_long() -> None:
    """Lines of curl are tried by tests/serve/test_curl.py, against a server of its own."""
    lines = [
        line.partition("#")[0].strip()
        for page in PAGES
        for _, blocks in _sections(page)
        for block in blocks
        if block.mark == "not run"
        for line in block.code.splitlines()
    ]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for line in lines:
        if line.startswith("make "):
            assert f"\n{line.removeprefix('make ')}:" in makefile
        else:
            known = (
                r"python3 -m venv|\. \.venv/bin/activate|pip install|matinee |torchrun |"
                r"curl |-d '"
            )
            script = re.match(r"(?:python|pytest) ((?:benchmarks|tests)/\S+\.py)", line)
            assert re.match(known, line) or (script and (ROOT / script[1]).is_file()), line


def test_every_block_is_seen() -> None:
    for page in PAGES:
        fences = len(re.findall(r"^```", (ROOT / page).read_text("utf-8"), re.MULTILINE))
        assert fences == 2 * sum(len(blocks) for _, blocks in _sections(page)) > 0


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        path = ROOT / page
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8")):
            assert (path.parent / target).exists(), f"{page}: {target}"
