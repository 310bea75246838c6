"""The reference pages say what the code does, and every command line shown anywhere is valid."""

from __future__ import annotations

import importlib.util
import pkgutil
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest
from rich.text import Text

from matinee.config import Config, fields
from matinee.lab.study import Study
from matinee.models import Settings, preset_names
from matinee.synth import SynthConfig

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
NAMING = ("config", "lists", "netflix", "other-tools", "python", "serving", "studies", "sweep")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(generator: ModuleType) -> dict[str, str]:
    pages: dict[str, str] = generator.pages()
    return pages


@pytest.fixture(scope="module")
def tree(generator: ModuleType) -> dict[str, Any]:
    return dict(generator.commands())


@pytest.mark.parametrize(
    "page", ["architecture.md", "cli.md", "config.md", "presets.md", "study-files.md"]
)
def test_the_committed_page_is_what_the_code_makes(made: dict[str, str], page: str) -> None:
    committed = (DOCS / page).read_text("utf-8") if (DOCS / page).exists() else ""
    assert committed == made[page], f"docs/{page} is out of date; run: python docs/generate.py"


def test_no_help_is_swallowed_as_markup(tree: dict[str, Any]) -> None:
    for path, command in tree.items():
        texts = [command.help, *(getattr(param, "help", None) for param in command.params)]
        for text in filter(None, texts):
            shown = text.replace(r"\[", "[")
            assert Text.from_markup(text).plain == shown, rf"{path} --help: write [ as \["


# The page equals what the generator makes; these make sure that the generator leaves nothing out.
def test_every_command_and_option_is_there(tree: dict[str, Any]) -> None:
    text = (DOCS / "cli.md").read_text("utf-8")
    assert len(tree) > 5
    for path, command in tree.items():
        _, heading, section = text.partition(f"# `{path}`\n")
        assert heading, path
        section = re.split(r"^##", section, maxsplit=1, flags=re.MULTILINE)[0]
        for param in command.params:
            for name in param.opts if param.param_type_name == "option" else [param.name]:
                if not param.hidden:
                    assert name.lower() in section.lower(), f"{path}: {name}"


@pytest.mark.parametrize(("cls", "least"), [(Settings, 20), (SynthConfig, 15)])
def test_every_setting_is_there(generator: ModuleType, cls: type[Config], least: int) -> None:
    text = (DOCS / "config.md").read_text("utf-8")
    result = dict(fields(cls))
    assert len(result) >= least
    for name in result:
        assert f"`{name}`" in text, name
    waiting = [cls]
    while waiting:
        config = waiting.pop()
        for name, field in config.model_fields.items():
            if generator._is_config(field.annotation):
                waiting.append(field.annotation)  # type: ignore[arg-type]
            else:
                assert generator._meaning(config, name), f"{name} has no docstring"


def test_every_key_of_a_study_file_is_there(generator: ModuleType) -> None:
    text = (DOCS / "study-files.md").read_text("utf-8")
    waiting: list[type[Config]] = [Study]
    seen: set[type[Config]] = set()
    while waiting:  # every class that a study file can hold, however deep
        cls = waiting.pop()
        seen.add(cls)
        for name, field in cls.model_fields.items():
            assert f"`{name}`" in text or f"`{name}.*`" in text, f"{cls.__name__}.{name}"
            assert generator._meaning(cls, name), f"{cls.__name__}.{name} has no docstring"
            configs = {inner for inner in _parts(field.annotation) if issubclass(inner, Config)}
            waiting += configs - seen
    assert seen == {cls for _, cls in generator.STUDY_PARTS}


def _parts(annotation: Any) -> list[type]:
    inner = get_args(annotation)
    if not inner:
        return [annotation] if isinstance(annotation, type) else []
    return [part for each in inner for part in _parts(each)]


def test_every_preset_is_there() -> None:
    text = (DOCS / "presets.md").read_text("utf-8")
    assert {"base", "default", "tuned"} <= set(preset_names())
    for name in preset_names():
        assert f"## `{name}`\n" in text


def test_every_command_and_option_has_help(tree: dict[str, Any]) -> None:
    missing = [path for path, command in tree.items() if not command.help]
    missing += [
        f"{path} {param.name}"
        for path, command in tree.items()
        for param in command.params
        if not param.hidden and not param.help
    ]
    assert missing == []


def test_every_name_of_python_is_there() -> None:
    pages = [ROOT / "README.md", *(DOCS / f"{name}.md" for name in NAMING)]
    names = {
        name
        for page in pages
        for name in re.findall(r"`(matinee\.[\w.]+)", page.read_text("utf-8"))
    }
    assert len(names) > 10
    for name in names - {"matinee.kinds"}:  # a group of entry points
        pkgutil.resolve_name(name)


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    nav = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    listed = set(re.findall(r": (\S+\.md)$", nav, re.MULTILINE))
    generated = {"index.md", "contributing.md", "changelog.md"}
    assert listed - generated == {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md")}
    assert generated <= listed


def _shown() -> list[tuple[str, str]]:
    """Each line in a code block of the README or docs that calls matinee, with where it stands."""
    results = []
    for page in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]:
        text = page.read_text("utf-8").replace("\\\n", " ")
        # Written usage lines of the reference hold placeholders, not arguments.
        blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        blocks += re.findall(r"^(?: {4}\S.*\n)+", text, re.MULTILINE) * (page.name != "cli.md")
        for line in "\n".join(blocks).splitlines():
            call = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?matinee (.*)", line)
            if call:
                results.append((page.name, call[1]))
    return results


def _fault(line: str, tree: dict[str, Any]) -> str | None:
    """What is wrong with the arguments of a matinee call as text, if anything."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    path = "matinee"
    for word in lexer:
        if word[0] in "|;&>":
            break
        if word in ("--help", "--version"):
            continue
        if f"{path} {word}" in tree:
            path += f" {word}"
        elif hasattr(tree[path], "list_commands"):
            return f"no command {path} {word}"
        elif word.startswith("-") and not re.fullmatch(r"-[\d.]+", word):
            name = word.partition("=")[0]
            if not any(name in (*p.opts, *p.secondary_opts) for p in tree[path].params):
                return f"{path} has no option {name}"
    return None


def test_every_command_line_shown_is_valid(tree: dict[str, Any]) -> None:
    faults = [f"{page}: {line}: {why}" for page, line in _shown() if (why := _fault(line, tree))]
    assert faults == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("data synth --itmes 5", "no option --itmes"),
        ("data snyth", "no command matinee data snyth"),
        ("nonsense", "no command matinee nonsense"),
        ("data --help | less --quit", None),
        ("data list  # --comment", None),
    ],
)
def test_a_wrong_command_line_would_be_noticed(
    line: str, why: str | None, tree: dict[str, Any]
) -> None:
    fault = _fault(line, tree)
    assert fault is None if why is None else why in str(fault)
