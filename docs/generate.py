"""Write the reference pages (cli.md, config.md, presets.md) from the code: python docs/generate.py.

It also notes the hash of each preset in presets/frozen.json, with the date of its last change.

tests/test_docs.py fails while a committed page differs from what this makes.
"""

from __future__ import annotations

import ast
import datetime
import inspect
import json
import re
import sys
import textwrap
import types
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from matinee.base.markdown import table
from matinee.cli._app import command_tree
from matinee.config import Config, OneOf
from matinee.data import TableOptions
from matinee.lab.study import Arm, ArmGroup, Check, Claim, Data, Literature, Published, Quick, Study
from matinee.models import Settings, model_kinds, preset, preset_names
from matinee.models.presets import frozen_presets, settings_hash
from matinee.synth import SynthConfig

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))  # for the module beside this one, however this one is loaded

import rooms  # noqa: E402

NOTE = "<!-- Written by docs/generate.py from the code; edit the code and run it again. -->\n"


def pages() -> dict[str, str]:
    """Each reference page by file name."""
    return {
        "architecture.md": architecture_page(),
        "cli.md": cli_page(),
        "config.md": config_page(),
        "presets.md": presets_page(),
        "study-files.md": study_page(),
    }


def architecture_page() -> str:
    """The page as it is, with the rooms drawn anew between its marks."""
    text = (HERE / "architecture.md").read_text("utf-8")
    start, end = "<!-- rooms -->", "<!-- /rooms -->"
    before, after = text.split(start)[0], text.split(end)[1]
    return f"{before}{start}\n\n{rooms.graph()}\n\n{rooms.table()}\n\n{end}{after}"


def commands(command: Any = None, path: str = "matinee") -> Iterator[tuple[str, Any]]:
    """Every command as (full name, click command), parents first."""
    command = command_tree() if command is None else command
    yield path, command
    if hasattr(command, "list_commands"):
        context = command.make_context(path, [], resilient_parsing=True)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if not inner.hidden:
                yield from commands(inner, f"{path} {name}")


def parameters(command: Any) -> list[Any]:
    """The arguments and options of a command that are not hidden."""
    return [param for param in command.params if not getattr(param, "hidden", False)]


def cli_page() -> str:
    parts = [
        "# Commands\n",
        NOTE,
        "Results go to stdout, progress and messages to stderr. Exit codes: 0 done, 1 failed, 2 a "
        "wrong request (unknown command, option, key or name), 130 after Ctrl-C, 141 where the "
        "reader of the output went away. A stdout that is closed from the start (`>&-`) is as "
        "`/dev/null`. Every command has `--help`.\n",
    ]
    for path, command in commands():
        parts.append(f"{'##' if path.count(' ') < 2 else '###'} `{path}`\n")
        parts.append(f"{inspect.cleandoc(command.help or '').split(chr(12))[0].strip()}\n")
        usage = [_usage(param) for param in parameters(command)]
        if hasattr(command, "list_commands"):
            usage.append("COMMAND ...")
        elif len(" ".join(usage)) > 70:
            usage = [*(u for u in usage if not u.startswith("[--")), "[OPTIONS]"]
        parts.append(f"    {' '.join([path, *usage])}\n")
        rows = [(f"`{names(param)}`", _about(param)) for param in parameters(command)]
        if rows:
            parts.append(table(("option", "what"), rows))
    return "\n".join(parts)


def names(param: Any) -> str:
    """How a parameter is written on the command line."""
    if param.param_type_name == "argument":
        return _metavar(param)
    both = [*param.opts, *param.secondary_opts]
    value = "" if getattr(param, "is_flag", False) else f" {_metavar(param)}"
    return ", ".join(sorted(both, key=lambda name: name.startswith("--"))) + value


def _metavar(param: Any) -> str:
    text = param.metavar or param.name.upper()
    return f"{text}..." if param.nargs == -1 and not text.endswith("...") else text


def _usage(param: Any) -> str:
    text = _metavar(param) if param.param_type_name == "argument" else names(param).split(", ")[-1]
    return text if param.required else f"[{text}]"


def _about(param: Any) -> str:
    text = " ".join((param.help or "").split())
    choices = getattr(getattr(param, "type_descriptor", None), "choices", None) or getattr(
        getattr(param, "type", None), "choices", None
    )
    notes = []
    if choices:
        notes.append("one of " + ", ".join(f"`{getattr(c, 'value', c)}`" for c in choices))
    if getattr(param, "multiple", False):
        notes.append("may be repeated")
    default = param.default
    plain = isinstance(default, (str, int, float, Path)) and not isinstance(default, bool)
    if plain and param.show_default and default != "":
        notes.append(f"default `{default}`")
    if param.param_type_name == "option" and param.required:
        notes.append("required")
    return f"{text} ({'; '.join(notes)})" if notes else text


def config_page() -> str:
    parts = [
        "# Settings\n",
        NOTE,
        "A setting is given with `--set key=value`, in a TOML file (`--preset my.toml`), or in "
        "Python. The key may be written in full (`train.epochs`) or by its last part (`epochs`) "
        "where only one section has it. An unknown key is an error that suggests the nearest. "
        "A value is TOML; `hidden=128,64,128` is a list, and a bare word is text.\n",
    ]
    for name, field in Settings.model_fields.items():
        if name == "kind":
            parts.append(f"`kind`: {_meaning(Settings, name)}\n")
            rows = [
                (f"`{kind.name}`", kind.summary, ", ".join(f"`[{each}]`" for each in kind.sections))
                for kind in model_kinds()
                if kind.name != "ensemble" and not kind.requires
            ]
            parts.append(table(("kind", "what", "sections"), rows))
        elif _is_config(field.annotation):
            parts += _section(field.annotation, name)
        elif get_origin(field.annotation) is tuple and _is_config(get_args(field.annotation)[0]):
            each = get_args(field.annotation)[0]
            about = _meaning(Settings, name)
            parts.append(f"## `[[{name}]]`\n\n`{name}`: {about} {_doc(each)}\n")
            parts.append(_fields(each, ""))
        else:
            parts.append(f"`{name}`: {_meaning(Settings, name)}\n")
    for kind in model_kinds():
        if kind.settings is not None:
            parts.append(f"## `[{kind.section}]`\n\n{_doc(kind.settings)}\n")
            parts.append(_fields(kind.settings, f"{kind.section}."))
    parts.append(f"## Synthetic data\n\n{_doc(SynthConfig)}\n")
    parts.append(
        "These are the keyword arguments of `matinee.synth.synthesize` and `write_synthetic`.\n"
    )
    parts.append(_fields(SynthConfig, ""))
    return "\n".join(parts)


def presets_page() -> str:
    parts = [
        "# Presets\n",
        NOTE,
        "A preset is a TOML file that comes with the package; `--preset NAME` starts from it and "
        "`--set` changes it. A file of your own works the same: `--preset my.toml`. Below is what "
        "each sets apart from the defaults of [the settings](config.md). The hash names the "
        "settings; the date is that of their last change. Results carry both, so that a figure can "
        "be distinguished from one of an earlier preset.\n",
    ]
    frozen = frozen_presets()
    for name in preset_names():
        settings = preset(name)
        made = settings_hash(settings)
        same = name in frozen and frozen[name].hash == made
        when = f"`{made}`, {frozen[name].date}" if same else f"`{made}`, not frozen"
        plain = _leaves(Settings.make({"kind": settings.kind})) | {"kind": "autoencoder"}
        changed = {
            key: value
            for key, value in _leaves(settings).items()
            if value != plain[key] and key != "description"
        }
        lines = [f"{key} = {_toml(value)}" for key, value in changed.items()]
        text = "\n".join(lines) or "# the defaults as they are"
        parts.append(f"## `{name}`\n\n{settings.description}\n\n{when}\n\n```toml\n{text}\n```\n")
    return "\n".join(parts)


STUDY_PARTS: tuple[tuple[str, type[Config]], ...] = (
    ("The study", Study),
    ("`[[data]]`", Data),
    ("`read`, of data", TableOptions),
    ("`[[groups]]`", ArmGroup),
    ("`arms`, in a group", Arm),
    ("`published`, of an arm", Published),
    ("`[[claims]]`", Claim),
    ("`checks`, of a claim", Check),
    ("`[[literature]]`", Literature),
    ("`[quick]`", Quick),
)
"""Every class of a study file, under the heading of its keys."""


def study_page() -> str:
    parts = [
        "# Keys of a study file\n",
        NOTE,
        "How to write and run one is in [studies](studies.md); how claims are judged is in "
        "[claims](claims.md). A list of tables is written `[[name]]`, once for each. An "
        "unknown key is an error that suggests the nearest.\n",
    ]
    for heading, cls in STUDY_PARTS:
        parts.append(f"## {heading}\n\n{_doc(cls)}\n")
        parts.append(_fields(cls, ""))
    return "\n".join(parts)


def _leaves(config: Config, prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, Config):
            leaves |= _leaves(value, f"{prefix}{name}.")
        else:
            leaves[prefix + name] = value
    return leaves


def _section(cls: type[Config], name: str) -> list[str]:
    """A section, and those within it."""
    parts = [f"## `[{name}]`\n\n{_doc(cls)}\n", _fields(cls, f"{name}.")]
    for inner, field in cls.model_fields.items():
        if _is_config(field.annotation):
            parts += _section(field.annotation, f"{name}.{inner}")
    return parts


def _fields(cls: type[Config], prefix: str) -> str:
    rows: list[tuple[str, ...]] = []
    for name, field in cls.model_fields.items():
        if _is_config(field.annotation):
            rows += [(f"`{prefix}{name}.*`", "", _doc(field.annotation), "")]
            continue
        default = (
            "required"
            if field.is_required()
            else f"`{_toml(field.get_default(call_default_factory=True))}`"
        )
        values = _type(field.annotation, field.metadata)
        about = _meaning(cls, name).replace("``", "`")
        rows.append((f"`{prefix}{name}`", values, about, default))
    return table(("key", "values", "what", "default"), rows)


def _meaning(cls: type[Config], name: str) -> str:
    """The docstring below a field, in the class that declares it."""
    for base in cls.__mro__:
        if name in inspect.get_annotations(base):
            body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0].body  # type: ignore[attr-defined]
            for field, after in pairwise(body):
                if isinstance(field, ast.AnnAssign) and field.target.id == name:  # type: ignore[union-attr]
                    return " ".join(after.value.value.split())
    raise KeyError(name)


def _type(annotation: Any, metadata: list[Any]) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    for rule in metadata:
        if isinstance(rule, OneOf):
            return ", ".join(_choice(name, rule.names) for name in rule.names)
    if get_origin(annotation) is Annotated:
        inner, *rules = get_args(annotation)
        return _type(inner, [each for rule in rules for each in getattr(rule, "metadata", [rule])])
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(_type(inner, []) for inner in get_args(annotation))
    if get_origin(annotation) is dict or _is_config(annotation):
        return "table"
    if annotation is Any:
        return "value"
    if get_origin(annotation) in (tuple, list):
        each = get_args(annotation)[0]
        if get_origin(each) is Literal:
            return f"list of {_type(each, [])}"
        return "list of " + re.sub(r"(?= [≥>≤<]|$)", "s", _type(each, []), count=1)
    plain = {int: "whole number", float: "number", bool: "`true`, `false`", str: "text"}
    text = plain.get(annotation, getattr(annotation, "__name__", str(annotation)).lower())
    text = "none" if annotation is type(None) else text
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    limits = [
        f"{sign} {value:,}"
        for rule in metadata
        for key, sign in signs.items()
        if (value := getattr(rule, key, None)) is not None
    ]
    return " ".join([text, ", ".join(limits)]).strip()


def _choice(name: str, names: Collection[str]) -> str:
    """A name of a registry, with what it is if the registry says so in words."""
    about = names[name] if isinstance(names, Mapping) else ""
    return f"`{name}` ({about})" if about and isinstance(about, str) else f"`{name}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Config):
        value = value.model_dump(exclude_defaults=True)
    if isinstance(value, dict):
        if not value:
            return "{}"
        return f"{{ {', '.join(f'{key} = {_toml(each)}' for key, each in value.items())} }}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _is_config(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Config)


def _doc(cls: type[Config]) -> str:
    return inspect.cleandoc(cls.__doc__ or "").replace("``", "`")


def freeze() -> None:
    """Note the hash of each preset, with today's date where it has changed."""
    file = ROOT / "src" / "matinee" / "presets" / "frozen.json"
    before = json.loads(file.read_text("utf-8")) if file.exists() else {}
    presets = {}
    for name in preset_names():
        made = settings_hash(preset(name))
        old = before.get(name, {})
        date = old["date"] if old.get("hash") == made else datetime.date.today().isoformat()
        presets[name] = {"hash": made, "date": date}
    file.write_text(json.dumps(presets, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    freeze()
    for file, text in pages().items():
        (HERE / file).write_text(text, encoding="utf-8")
        print(f"wrote docs/{file}")
