"""Check Matinee on a CUDA card against the CPU, in about ten minutes; says what each check shows.

    make cuda-check        or        python benchmarks/cuda_check.py [--device cuda]

No data is needed: the ratings are generated. Everything that trains on CUDA is trained on the CPU
as well, from the same seed, and the two have to agree: the CPU's compiled kernels are tested
against dense float64 arithmetic, so they are the reference. Each line is PASS or FAIL with its
figures; the exit code is the number of failures. Send the whole output with a report.

``--device cpu`` compares the CPU with itself, which shows no more than that the script runs.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import matinee
from matinee.synth import synthesize

SETTINGS = {
    "default without its teachers": {"preset": "default", "teacher": "none"},
    "ordinal outputs": {"preset": "default", "teacher": "none", "output": "ordinal"},
    "deep SELU network with re-feeding": {
        "preset": "deeprec-full",
        "hidden": [64, 64, 128, 64, 64],
    },
    "SGD, sigmoid, L2, tied tables": {
        "preset": "default",
        "teacher": "none",
        "hidden": [48],
        "activation": "sigmoid",
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "l2": 1e-4,
    },
}
"""Networks that use every part of a training step."""
CLOSE = 0.01
"""How far RMSEs after a few epochs may be apart. Sums in float32 are made in another order on a
card, and training magnifies their last bits; an error in a kernel shows in the first digits."""


class StoppedError(Exception):
    """Ends a training run, as a kill would."""


def check(name: str, run: Callable[[], tuple[bool, str]]) -> bool:
    """Run a check and print its line."""
    start = time.perf_counter()
    try:
        passed, figures = run()
    except Exception as error:  # a crash is a result, and the other checks still run
        passed, figures = False, f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - start
    print(f"{'PASS' if passed else 'FAIL'}  {name} ({seconds:.0f} s): {figures}", flush=True)
    return passed


def make(options: dict[str, object], device: str, epochs: int) -> matinee.Autoencoder:
    """An untrained network with some options."""
    rest = {name: value for name, value in options.items() if name != "preset"}
    # Unshrunk: a network of a few epochs would answer as the bias model does, wherever it trained.
    return matinee.Autoencoder(
        str(options["preset"]), device=device, epochs=epochs, shrink=False, **rest
    )


def agreement(
    options: dict[str, object], device: str, parts: tuple[matinee.Ratings, matinee.Ratings]
) -> tuple[bool, str]:
    """Whether training on the device and on the CPU reaches the same test RMSE and losses."""
    train, test = parts
    losses, scores = [], []
    for where in ("cpu", device):
        model = make(options, where, 4).fit(train, seed=1, progress=False)
        losses.append([epoch.train_rmse for epoch in model.epochs])
        scores.append(model.evaluate(test).rmse)
    apart = float(np.abs(np.subtract(*losses)).max())
    passed = apart < CLOSE and abs(scores[0] - scores[1]) < CLOSE
    return passed, (
        f"test RMSE {scores[0]:.4f} on the CPU, {scores[1]:.4f} on {device}; "
        f"training RMSE of the epochs at most {apart:.5f} apart"
    )


def resume(device: str, train: matinee.Ratings) -> tuple[bool, str]:
    """Whether a run stopped after two epochs of four ends with the weights of one that was not."""
    options = SETTINGS["default without its teachers"]

    def stop(epoch: matinee.train.Epoch) -> None:
        if epoch.epoch == 2:
            raise StoppedError

    with tempfile.TemporaryDirectory() as folder:
        try:
            run = {"seed": 2, "progress": False, "folder": Path(folder) / "run"}
            make(options, device, 4).fit(train, on_epoch=stop, **run)
        except StoppedError:
            pass
        resumed = make(options, device, 4).fit(train, resume=True, **run)
    whole = make(options, device, 4).fit(train, seed=2, progress=False)
    pairs = zip(resumed.network.arrays().items(), whole.network.arrays().values(), strict=True)
    apart = {name: float(np.abs(one - other).max()) for (name, one), other in pairs}
    worst = max(apart, key=lambda name: apart[name])
    return apart[worst] < 1e-4, f"weights at most {apart[worst]:.2g} apart ({worst})"


def saved(device: str, parts: tuple[matinee.Ratings, matinee.Ratings]) -> tuple[bool, str]:
    """Whether a model trained on the device answers the same after saving, on the CPU."""
    train, test = parts
    model = make(SETTINGS["default without its teachers"], device, 3)
    model.fit(train, seed=3, progress=False)
    users, items = test.user_ids.decode(test.users), test.item_ids.decode(test.items)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model")
        loaded = matinee.load_model(Path(folder) / "model")
        apart = float(np.abs(model.predict(users, items) - loaded.predict(users, items)).max())
    return apart < 1e-4, f"predictions at most {apart:.2g} stars apart"


def speed(device: str, users: int) -> tuple[bool, str]:
    """Seconds of an epoch on the device and on the CPU, for a large network and large batches."""
    ratings = synthesize(users, users // 5 + 200, users * 80, seed=5).ratings
    options = {
        "preset": "default",
        "teacher": "none",
        "hidden": [512, 512, 1024, 512, 512],
        "batch_size": 1024,
    }
    seconds = []
    for where in ("cpu", device):
        model = make(options, where, 3).fit(ratings, progress=False)
        seconds.append(min(epoch.seconds for epoch in model.epochs))
    return True, (
        f"{len(ratings.values):,} ratings: {seconds[0]:.2f} s an epoch on the CPU, "
        f"{seconds[1]:.2f} s on {device}: {seconds[0] / seconds[1]:.1f} times as fast"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--users", type=int, default=20_000, help="size of the speed check's data")
    args = parser.parse_args()
    cuda = args.device.startswith("cuda")
    if cuda and not torch.cuda.is_available():
        sys.exit(
            f"torch {torch.__version__} sees no CUDA card here: install a build of torch with CUDA "
            "on a machine with a card; --device cpu only shows that the script runs"
        )
    card = torch.cuda.get_device_name(args.device) if cuda else platform.processor()
    print(
        f"matinee {matinee.__version__}, torch {torch.__version__}, CUDA {torch.version.cuda}, "
        f"{card or platform.machine()}, Python {platform.python_version()}"
    )
    world = synthesize(1500, 400, 60_000, seed=4).ratings
    parts = matinee.split(world, seed=4)
    passed = [
        check(f"agrees with the CPU: {name}", lambda o=options: agreement(o, args.device, parts))
        for name, options in SETTINGS.items()
    ]
    passed += [
        check(
            "a run that was stopped goes on to the same weights",
            lambda: resume(args.device, parts[0]),
        ),
        check("a saved model answers the same on the CPU", lambda: saved(args.device, parts)),
        check("speed", lambda: speed(args.device, args.users)),
    ]
    failures = len(passed) - sum(passed)
    print("everything passed" if not failures else f"{failures} of {len(passed)} checks failed")
    sys.exit(failures)


if __name__ == "__main__":
    main()
