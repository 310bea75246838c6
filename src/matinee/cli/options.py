"""Options that several commands have, stated once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

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
BootstrapSeed = Annotated[
    int, typer.Option(min=0, help="Seed of the bootstrap behind the intervals.")
]
Cutoffs = Annotated[
    str | None, typer.Option("--k", metavar="K,...", help="Lengths of the lists; by default 10,20.")
]
RelevantFrom = Annotated[
    float | None,
    typer.Option(
        help="The lowest test rating that counts as relevant for lists. By default three quarters "
        "up the scale (4 of 1 to 5), and all interactions."
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
        run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        return run

    return decorate
