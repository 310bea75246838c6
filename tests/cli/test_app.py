import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
import typer

from matinee import __version__
from matinee.cli import _app, main, output as _output
from matinee.errors import DataError, UsageError


def fail(
    how: Annotated[str, typer.Argument()],
    *,
    epochs: int = 1,
    gently: bool = False,
) -> None:
    """Fail on request.

    Args:
        epochs (N): How many epochs
            to run before.
        gently: Without harm.
    """
    match how:
        case "usage":
            raise UsageError("no such preset 'tunde'; did you mean 'tuned'?")
        case "data":
            raise DataError("a.csv, line 3: rating 'x' is not a number")
        case "interrupt":
            raise KeyboardInterrupt
        case "pipe":
            raise BrokenPipeError
        case "file":
            Path("/nowhere/at/all").read_text()
        case "memory":
            raise MemoryError
        case "bug":
            raise ZeroDivisionError("a bug")
        case "json":
            _output.print_json({"epochs": epochs})


group = typer.Typer(no_args_is_help=True)


@group.command()
def split() -> None:
    """Split."""
    typer.echo("split")


@group.command()
def describe() -> None:
    """Describe."""
    typer.echo("describe")


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = types.ModuleType("matinee.cli.commands._fake")
    fake.fail = fail
    fake.group = group
    monkeypatch.setitem(sys.modules, fake.__name__, fake)
    monkeypatch.setattr(_app, "COMMANDS", {"fail": "_fake", "group": "_fake"})


@pytest.mark.parametrize(
    ("how", "code", "message"),
    [
        ("usage", 2, "matinee: error: no such preset 'tunde'; did you mean 'tuned'?\n"),
        ("data", 1, "matinee: error: a.csv, line 3: rating 'x' is not a number\n"),
        ("interrupt", 130, "\nmatinee: interrupted\n"),
        ("file", 1, "matinee: error: /nowhere/at/all: No such file or directory\n"),
        ("memory", 1, "matinee: error: out of memory\n"),
    ],
)
def test_a_failure_is_one_message_and_an_exit_code(
    how: str, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fail", how]) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", message)


def test_options_are_described_by_the_docstring(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fail", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--epochs N How many epochs to run before. [default: 1]" in text
    assert "--gently Without harm." in text
    assert "Args:" not in text


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        main(["fail", "bug"])


def test_success_is_zero_and_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fail", "json", "--epochs", "3"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"epochs": 3}
    assert err == ""


@pytest.mark.parametrize(
    ("args", "near"),
    [
        (["gruop"], "'group'"),
        (["group", "splt"], "split"),
        (["fail", "json", "--epoch=2"], "--epochs"),
        (["fail", "json", "--epochs", "many"], "--epochs"),
        (["fail"], "how"),
        (["nonsense"], "matinee --help"),
    ],
)
def test_a_wrong_request_exits_2_and_names_the_nearest(
    args: list[str], near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("matinee: error: ")
    assert near.lower() in err.lower()
    assert "Traceback" not in err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "Fail on request." in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"matinee {__version__}\n"
    assert main(["group", "describe"]) == 0
    assert capsys.readouterr().out == "describe\n"
    main(["group"])
    assert "Describe." in "".join(capsys.readouterr())


def _run(code: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=600, **kwargs
    )


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["data", "--help"]])
def test_these_commands_do_not_import_torch(args: list[str]) -> None:
    done = _run(
        "import sys; from matinee.cli import main; "
        f"assert main({args!r}) == 0; sys.exit('torch' in sys.modules)"
    )
    assert done.returncode == 0, done.stderr


def test_the_help_names_every_command_without_importing_it() -> None:
    done = _run(
        "import sys; from matinee.cli import main; main(['--help'])\n"
        "from matinee.cli._app import COMMANDS, Commands\n"
        "commands = {f'matinee.cli.commands.{e}' for e in COMMANDS.values()}\n"
        "assert not commands & set(sys.modules)\n"
        "group = Commands()\n"
        "own = {name: group.get_command(None, name).help for name in COMMANDS}\n"
        "group._listed = True\n"
        "assert own == {name: group.get_command(None, name).help for name in COMMANDS}"
    )
    assert done.returncode == 0, done.stderr


def test_python_dash_m() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "matinee", "--version"], capture_output=True, text=True, timeout=600
    )
    assert (done.returncode, done.stdout) == (0, f"matinee {__version__}\n")


def test_ctrl_c_while_modules_are_imported() -> None:
    code = """
import sys
class Interrupts:
    def find_spec(self, name, *args):
        if name == 'typer':
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupts())
from matinee.cli import main
sys.exit(main(['--help']))
"""
    done = _run(code)
    assert (done.returncode, done.stderr) == (130, "\nmatinee: interrupted\n")


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_closed_pipe_is_quiet(lines: int) -> None:
    code = f"""
import sys, types
from matinee.cli import _app, main, output
fake = types.ModuleType("matinee.cli.commands._fake")
def count() -> None:
    for line in range({lines}):
        output.echo(str(line))
def other() -> None: ...
fake.count, fake.other = count, other
sys.modules[fake.__name__] = fake
_app.COMMANDS.update(count="_fake", other="_fake")
sys.exit(main(["count"]))
"""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=600
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_json_takes_numpy_and_makes_nan_null(capsys: pytest.CaptureFixture[str]) -> None:
    _output.print_json(
        {
            "rmse": np.float32(0.5),
            "n": np.int64(3),
            "counts": np.arange(2),
            "nan": float("nan"),
            "inf": np.array([np.inf]),
            "path": Path("a"),
            "flag": np.bool_(True),
        }
    )
    assert json.loads(capsys.readouterr().out) == {
        "rmse": 0.5,
        "n": 3,
        "counts": [0, 1],
        "nan": None,
        "inf": [None],
        "path": "a",
        "flag": True,
    }


def test_table_is_aligned_and_uncut(capsys: pytest.CaptureFixture[str]) -> None:
    long = "A very long title that a terminal of eighty columns would have cut, and more (1994)"
    _output.print_table(["title", "n"], [[long, 5], ["B", "1,200"], [None, None]], title="Items")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Items"
    assert long in lines[3]
    assert lines[3].endswith("    5")
    assert lines[4].endswith("1,200")


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with _output.progress("rows") as bar:
        task = bar.add_task("reading", total=2)
        bar.advance(task)
    assert "".join(capsys.readouterr()) == ""
