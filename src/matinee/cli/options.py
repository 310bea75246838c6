"""Options that several commands have, stated once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from functools import wraps
from inspect import Parameter, Signature, getdoc, signature
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

Model = Annotated[Path, typer.Argument(help="A model folder, as 'train' writes it.")]
Given = Annotated[
    str | None,
    typer.Option(
        metavar="SOURCE",
        help="The history part: known ratings of the test users, if they were not "
        "trained on (user hold-out); by default their training ratings.",
    ),
]
AllowOverlap = Annotated[
    bool,
    typer.Option(
        "--allow-overlap",
        help="Score even though the model has seen some of the test ratings, with a warning.",
    ),
]
Seed = Annotated[int, typer.Option(min=0)]
BootstrapSeed = Annotated[
    int, typer.Option(min=0, help="Seed of the bootstrap behind the intervals.")
]
Cutoffs = Annotated[
    str | None, typer.Option("--k", metavar="K,...", help="Lengths of the lists; by default 10,20.")
]
RelevantFrom = Annotated[
    float | None,
    typer.Option(
        help="The lowest test rating that counts as relevant for lists, by default three quarters "
        "up the scale (4 on a scale of 1 to 5). All interactions are relevant."
    ),
]
Preset = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="Settings to start from: a name of 'presets', or a TOML file."
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting: hidden=128,64,128."),
]


def with_options(
    name: str, options: Mapping[str, Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command several options in the place of one parameter.

    Args:
        name: The parameter, which the command gets as a mapping of their values by name.
        options: Default and annotation of each, by name.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(*args: Any, **given: Any) -> Any:
            values = {option: given.pop(option) for option in options}
            return command(*args, **{name: values}, **given)

        hints = get_type_hints(command, include_extras=True)
        parameters: list[Parameter] = []
        for parameter in signature(command).parameters.values():
            if parameter.name != name:
                parameters.append(parameter.replace(annotation=hints[parameter.name]))
                continue
            for option, (default, kind) in options.items():
                parameters.append(parameter.replace(name=option, default=default, annotation=kind))
        return _with_parameters(run, parameters)

    return decorate


_ARGS = "\n\nArgs:\n"
"""Where the options begin in the docstring of a command."""


def help_text(docstring: str | None) -> str:
    """Return the docstring of a command without its options, a line for each paragraph."""
    paragraphs = re.split(r"\n\s*\n", (docstring or "").partition(_ARGS)[0])
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def from_docstring(command: Callable[..., Any]) -> Callable[..., Any]:
    """Describe the options of a command by the ``Args:`` of its docstring, at its end.

    An entry is ``name: help`` or ``name (METAVAR): help``. A parameter before the ``*`` of the
    signature is an argument, one behind it an option. An annotation ``typer.Option(...)`` is only
    needed for another name or for limits. Without docstrings (``python -OO``) only the help lacks.
    """
    docstring = getdoc(command) or ""
    about = {
        name: (metavar or None, " ".join(help_.split()))
        for name, metavar, help_ in re.findall(
            r"^    (\w+)(?: \((.+?)\))?: (.*(?:\n {5,}.*)*)",
            docstring.partition(_ARGS)[2],
            re.MULTILINE,
        )
    }
    hints = get_type_hints(command, include_extras=True)
    parameters = []
    for parameter in signature(command).parameters.values():
        kind = hints[parameter.name]
        if get_origin(kind) is Annotated:
            kind, stated = get_args(kind)
            option = copy(stated)
        else:
            option = _option(parameter, kind)
        if parameter.name in about:
            option.metavar, option.help = about[parameter.name]
        parameters.append(parameter.replace(annotation=Annotated[kind, option]))
    command.__doc__ = help_text(docstring)
    return _with_parameters(command, parameters)


def _option(parameter: Parameter, kind: Any) -> Any:
    if parameter.kind is not Parameter.KEYWORD_ONLY:
        return typer.Argument()
    if kind is bool and not parameter.default:  # a flag, without the --no-flag of typer
        return typer.Option(f"--{parameter.name.replace('_', '-')}")
    return typer.Option()


def _with_parameters(command: Any, parameters: list[Parameter]) -> Callable[..., Any]:
    command.__signature__ = Signature(parameters)
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command
