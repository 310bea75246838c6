"""The ``matinee`` command: its subcommands, and how every failure ends.

A subcommand is a module in the folder ``commands``, imported only when that command is
used; the list in the help is read from their sources. Modules are light: a plain function, or a
``typer.Typer`` for a group, with heavy imports (torch) inside the function that needs them.
"""

from __future__ import annotations

import ast
import gc
import os
import pkgutil
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from .._version import __version__
from ..errors import MatineeError, UsageError, nearest
from .options import from_docstring, help_text
from .output import note
from .processes import first_process_prints

_FIRST = (
    *("quickstart", "data", "presets", "train", "sweep", "evaluate", "compare", "recommend"),
    *("report", "study", "leaderboard", "serve", "feedback", "refresh", "export", "doctor"),
)
"""The order of the help; other commands follow by name."""


def _modules() -> dict[str, str]:
    """Return the module of each subcommand in the folder ``commands``, in the order of the help."""
    folder = Path(__file__).parent / "commands"
    modules = {
        module.name.strip("_").replace("_", "-"): module.name
        for module in pkgutil.iter_modules([str(folder)])
    }
    later = sorted(modules.keys() - set(_FIRST))
    return {name: modules[name] for name in (*_FIRST, *later)}


COMMANDS = _modules()
"""The module of each subcommand, which has a function of the same name, or a ``Typer`` ``app``."""

# The class is typer's own copy in new versions and click's in old ones; both have it here.
_ClickException: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


class _InterruptedError(MatineeError):
    exit_code = 130


class _PipeClosedError(MatineeError):
    exit_code = 141


_OUTPUTS = {"out", "table", "onnx", "trec"}
"""Parameters that name a command's output files."""
_FILES = (".parquet", ".csv", ".tsv", ".html", ".onnx", ".md", ".toml")


class Commands(TyperGroup):
    """The top-level group: finds subcommands in ``COMMANDS`` and imports them on demand."""

    _listed = False

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The full help, for which no subcommand's module is imported."""
        self._listed = True
        super().format_help(ctx, formatter)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return names of the subcommands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the subcommand of that name.

        Raises:
            UsageError: No such command; the message suggests the nearest.
        """
        if cmd_name not in COMMANDS:
            suggestion = nearest(cmd_name, COMMANDS) or "; matinee --help lists them"
            raise UsageError(f"no such command {cmd_name!r}{suggestion}")
        if self._listed and (summary := _summary(cmd_name)):
            listed = TyperCommand(cmd_name, help=summary)
            _plain_help(listed)
            return listed
        module = import_module(f".commands.{COMMANDS[cmd_name]}", __package__)
        name = cmd_name.replace("-", "_")
        command = module.app if hasattr(module, "app") else getattr(module, name)
        # As part of another app, so that a group does not grow completion options of its own.
        outer = typer.Typer(add_completion=False)
        outer.callback()(lambda: None)
        if isinstance(command, typer.Typer):
            for each in command.registered_commands:
                each.callback = each.callback and from_docstring(each.callback)
            outer.add_typer(command, name=cmd_name)
        else:
            outer.command(cmd_name)(from_docstring(command))
        group: Any = typer.main.get_command(outer)
        _check_outputs(group.commands[cmd_name])
        _plain_help(group.commands[cmd_name])
        return group.commands[cmd_name]

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand; an interrupt and a closed pipe become errors of their own."""
        # Typer and click, by version, handle both differently; caught here, they never see
        # them.
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise _InterruptedError from None
        except BrokenPipeError:
            raise _PipeClosedError from None


def _check_outputs(command: Any) -> None:
    """Check the output files of a command, and of those below it, before any work is done."""
    for each in getattr(command, "commands", {}).values():
        _check_outputs(each)
    outputs = _OUTPUTS | ({"items"} if command.name == "export" else set())

    def invoked(ctx: Any, invoke: Any = command.invoke) -> Any:
        for name in outputs & ctx.params.keys():
            if ctx.params[name] is not None:
                others = (value for other, value in ctx.params.items() if other != name)
                _check_output(Path(ctx.params[name]), others)
        return invoke(ctx)

    command.invoke = invoked


def _check_output(path: Path, others: Iterable[Any]) -> None:
    """Refuse a place that cannot be written to, and a file that the same command reads."""
    from ..base.atomic import check_writable

    for value in others if path.is_file() else ():
        with suppress(OSError, ValueError):
            if isinstance(value, str | Path) and path.samefile(value):
                raise UsageError(f"{path}: is read by the same command; write another file")
    if path.suffix.lower() in _FILES and path.is_dir():
        raise MatineeError(f"{path}: cannot write: is a folder")
    check_writable(path)


def _plain_help(command: Any) -> None:
    """Help of a command, and of those below it, without ``<bool>`` beside flags."""
    for each in getattr(command, "commands", {}).values():
        _plain_help(each)
    of_help = command.get_help_option

    def help_option(ctx: Any) -> Any:
        return _without_type(of_help(ctx))

    command.get_help_option = help_option
    for parameter in command.params:
        _without_type(parameter)


def _without_type(parameter: Any) -> Any:
    if getattr(parameter, "is_flag", False) and hasattr(parameter, "display_type_rich"):
        parameter.display_type_rich = lambda ctx: None
    return parameter


def _summary(name: str) -> str | None:
    """The summary of a subcommand from its source: its docstring, or the help of its ``Typer``."""
    file = Path(__file__).parent / "commands" / f"{COMMANDS[name]}.py"
    if not file.is_file():
        return None
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == name.replace("-", "_"):
            return help_text(ast.get_docstring(node))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            help_ = [each.value for each in node.value.keywords if each.arg == "help"]
            if getattr(node.targets[0], "id", None) == "app" and help_:
                return str(ast.literal_eval(help_[0]))
    return None


def _version(requested: bool) -> None:
    if requested:
        typer.echo(f"matinee {__version__}")
        raise typer.Exit


_app = typer.Typer(cls=Commands, pretty_exceptions_enable=False)


@_app.callback(no_args_is_help=True)
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Matinee learns from a table of ratings, predicts ratings and recommends."""


def command_tree() -> Any:
    """Return the click command of ``matinee``, from which the reference pages are generated."""
    tree: Any = typer.main.get_command(_app)
    _plain_help(tree)
    return tree


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``matinee``.

    Args:
        argv: Arguments after the command's name; those of the process by default.

    Returns:
        The exit code: 0, 1 for a failure, 2 for a wrong request, 130 after Ctrl-C, 141 if
        the output was closed by its reader.
    """
    _prepare_process()
    args = [_at_home(arg) for arg in (sys.argv[1:] if argv is None else argv)]
    try:
        # obj: a command that can be continued prints its own arguments again.
        with first_process_prints(args):
            code = command_tree().main(
                args=args, prog_name="matinee", standalone_mode=False, obj=args
            )
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (_InterruptedError, KeyboardInterrupt, typer.Abort):
        note("\nmatinee: interrupted")
        return _InterruptedError.exit_code
    except (_PipeClosedError, BrokenPipeError):
        _drop_output()
        return _PipeClosedError.exit_code
    except MatineeError as error:
        note(f"matinee: error: {error}")
        return error.exit_code
    except _ClickException as error:
        return _usage(error)
    except OSError as error:
        file = f"{error.filename}: " if error.filename else ""
        note(f"matinee: error: {file}{error.strerror or error}")
        return 1
    except MemoryError as error:
        note(f"matinee: error: out of memory{f': {error}' if str(error) else ''}")
        return 1


def _prepare_process() -> None:
    """Handle a closed stdout or stderr, a terminal without Unicode, and an empty ``HOME``.

    Importing creates a hundred thousand permanent objects: it takes a twentieth longer if the
    garbage collector runs after every 700, or pydantic looks for plugins in all packages.
    """
    gc.set_threshold(50_000, *gc.get_threshold()[1:])
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif stream.errors in ("strict", "surrogateescape") and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if os.environ.get("HOME") == "":
        del os.environ["HOME"]  # Home is then taken from the system's user record.


def _at_home(arg: str) -> str:
    """Expand ``~`` in an argument, which shells do not do in ``--out=~/x``."""
    option, equals, value = arg.partition("=") if arg.startswith("--") else ("", "", arg)
    if not re.match(r"~[\w.-]*/", value):
        return arg
    return f"{option}{equals}{os.path.expanduser(value)}"  # noqa: PTH111 (keeps what it cannot)


def _usage(error: Any) -> int:
    """Show a fault in the arguments that typer found."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
    else:
        message = error.format_message()
        extra = re.search(r"unexpected extra argument\S* \((\S+?)[ )]", message)
        if extra and Path(extra[1]).is_file():  # A shell has expanded a glob, perhaps.
            message = f"{message}; name several files by a glob in quotes: 'parts/*.csv'"
        note(f"matinee: error: {message[:1].lower()}{message[1:]}")
        context = getattr(error, "ctx", None)
        if context is not None:
            note(f"{context.get_usage()}\nTry: {context.command_path} --help")
    return int(error.exit_code)


def _drop_output() -> None:
    """Redirect stdout to null, so that the interpreter's last flush cannot fail."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
