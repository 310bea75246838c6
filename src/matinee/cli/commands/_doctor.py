"""``matinee doctor``."""

from __future__ import annotations

import os
import platform
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from ...base.threads import affine_cores
from ..output import echo, note, print_json, print_table
from ..source import Json

_NEEDED = (
    "numpy",
    "scipy",
    "torch",
    "numba",
    "duckdb",
    "safetensors",
    "pydantic",
    "typer",
    "rich",
    "jinja2",
)
_OPTIONAL = ("pandas", "polars", "pyarrow")


def doctor(
    *, compile_: Annotated[bool, typer.Option("--compile")] = False, json: Json = False
) -> None:
    """Show versions, threads, CUDA and data on this machine.

    Exits with 1 if something required is missing or broken.

    Args:
        compile_: Compile the kernels of the default model and the package's Python files now, and
            keep them, so that the first training and every start do not wait for it.
    """
    if compile_:
        note("matinee: compiling kernels, which takes up to half a minute")
    report: dict[str, Any] = {
        "versions": _versions(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "cores": affine_cores(),
    }
    problems = [f"{name} is not installed" for name in _NEEDED if not report["versions"][name]]
    for part in (_numba, _torch, _data, *([_compile] if compile_ else [])):
        try:
            report |= part(problems)
        except Exception as error:  # Whatever is broken, the rest is still worth knowing.
            problems.append(f"{part.__name__[1:]}: {error!r}")
    report["problems"] = problems
    if json:
        print_json(report)
    else:
        _show(report)
    if problems:
        raise typer.Exit(1)


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {}
    for name in ("matinee", *_NEEDED, *_OPTIONAL):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def _numba(problems: list[str]) -> dict[str, Any]:
    from ...base.compiled import cache_folder
    from ...base.threads import kernel_thread_count

    cache = cache_folder()
    return {
        "kernel_threads": kernel_thread_count(),
        "kernel_cache": None if cache is None else str(cache),
    }


def _compile(problems: list[str]) -> dict[str, Any]:
    """Compile bytecode, and kernels by running the quickstart's steps on a few ratings."""
    import compileall

    from ...base.compiled import cache_folder
    from ...data import split
    from ...models import Autoencoder
    from ...synth import synthesize

    if cache_folder() is None:
        problems.append("compiled kernels cannot be kept: no folder for them can be written to")
    start = time.perf_counter()
    # Python writes no bytecode of an editable install if PYTHONDONTWRITEBYTECODE is set.
    compileall.compile_dir(str(Path(__file__).parents[2]), quiet=2)
    train, test = split(synthesize(80, 120, 3000, seed=0).ratings, holdout=0.2, seed=0)
    model = Autoencoder("default", epochs=1).fit(train, progress=False)
    model.evaluate(test)
    model.evaluate_lists(test)
    return {"compile_seconds": round(time.perf_counter() - start, 1)}


def _torch(problems: list[str]) -> dict[str, Any]:
    import torch

    cuda = torch.cuda.is_available()
    devices = [torch.cuda.get_device_name(at) for at in range(torch.cuda.device_count())]
    return {"torch_threads": torch.get_num_threads(), "cuda": cuda, "cuda_devices": devices}


def _data(problems: list[str]) -> dict[str, Any]:
    from ...data import CATALOGUE, data_home, locate, registered

    home = data_home()
    existing = next(path for path in (home, *home.resolve().parents) if path.exists())
    present: dict[str, str | None] = {}
    for name in dict.fromkeys([*CATALOGUE, *registered()]):
        try:
            path = locate(name)
            present[name] = None if path is None else str(path)
        except Exception as error:
            problems.append(str(error))
            present[name] = None
    return {
        "data_home": str(home),
        "data_home_writable": os.access(existing, os.W_OK),
        "data": present,
    }


def _show(report: dict[str, Any]) -> None:
    echo(
        f"matinee {report['versions']['matinee']}, Python {report['python']}, {report['platform']}"
    )
    echo(f"{report['executable']}\n")
    versions = {name: v for name, v in report["versions"].items() if name != "matinee"}
    print_table(
        ["library", "version"],
        [
            (name, version or ("not installed" + " (optional)" * (name in _OPTIONAL)))
            for name, version in versions.items()
        ],
    )
    echo(
        f"\ncores: {report['cores']}; threads: {report.get('torch_threads', '?')} of torch, "
        f"{report.get('kernel_threads', '?')} of compiled kernels"
    )
    cache = report.get("kernel_cache", "?")
    echo(f"compiled kernels are kept in {cache}" if cache else "compiled kernels are kept nowhere")
    if "compile_seconds" in report:
        echo(f"the default model's kernels are compiled ({report['compile_seconds']:g} s)")
    echo(
        f"CUDA: {', '.join(report.get('cuda_devices', [])) or 'none seen; training is on the CPU'}"
    )
    echo(
        f"data home: {report.get('data_home', '?')}"
        + ("" if report.get("data_home_writable", True) else " (cannot be written to)")
    )
    present = {name: path for name, path in report.get("data", {}).items() if path}
    for name, path in present.items():
        echo(f"  {name}: {path}")
    absent = [name for name in report.get("data", {}) if name not in present]
    echo(f"  not here: {', '.join(absent)}" if absent else "  nothing is missing")
    echo("\n" + ("\n".join(f"PROBLEM: {p}" for p in report["problems"]) or "all is well"))
