"""Run folders: killed, interrupted or stopped, a run goes on to the same weights, bit for bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from matinee.data import Ratings
from matinee.errors import MatineeError, ModelFileError, UsageError
from matinee.models import Autoencoder, Settings
from matinee.train import Epoch, checkpoint as _checkpoint, run
from matinee.train._backend import KernelBackend, TorchBackend

EPOCHS = 6
OPTIONS: dict[str, Any] = {
    "hidden": [8, 6, 8],
    "epochs": EPOCHS,
    "batch_size": 16,
    "objective": "conditional",
    "input": "presence",
    "center": "bias",
    "code_dropout": 0.2,
    "validation": 0.2,
    "learning_rate": 0.02,
    "weight_decay": 0.01,
    "schedule": "cosine",
}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"batch_norm": True, "validation": 0.0},
    {"optimizer": "sgd", "input": "ratings", "tied": True},
    {"rows": "items", "input": "presence"},
    {"optimizer": "sgd", "output_bias": False, "objective": "reconstruct"},
    {"l2": 0.01, "input_dropout": 0.3, "objective": "reconstruct", "patience": 2},
]


class Stop(Exception):  # noqa: N818
    """What an impatient caller raises."""


def data(seed: int = 0) -> Ratings:
    rng = np.random.default_rng(seed)
    pairs = rng.choice(80 * 50, 1200, replace=False)
    taste = rng.normal(0, 1, (80, 2)), rng.normal(0, 1, (50, 2))
    users, items = pairs // 50, pairs % 50
    raw = 3 + (taste[0][users] * taste[1][items]).sum(1)
    return Ratings.from_arrays(users, items, np.clip(np.rint(raw), 1, 5))


def model(**options: Any) -> Autoencoder:
    return Autoencoder(device="cpu", settings=Settings().replace({**OPTIONS, **options}))


def weights(one: Autoencoder) -> dict[str, np.ndarray]:
    return one.network.arrays()


def same(one: Autoencoder, two: Autoencoder) -> bool:
    left, right = weights(one), weights(two)
    return left.keys() == right.keys() and all(np.array_equal(left[n], right[n]) for n in left)


def stop_at(epoch: int, error: BaseException) -> Callable[[Epoch], None]:
    def on_epoch(done: Epoch) -> None:
        if done.epoch == epoch:
            raise error

    return on_epoch


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "metrics.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def check_resumed(folder: Path, options: dict[str, Any], *, stopped: bool = True) -> None:
    """Resume in the folder and compare with a run that was never stopped."""
    whole = model(**options).fit(data(), seed=7)
    before = lines(folder)
    resumed = model(**options)
    new: list[int] = []
    resumed.fit(
        data(), seed=7, folder=folder, resume=True, on_epoch=lambda epoch: new.append(epoch.epoch)
    )
    assert same(whole, resumed)
    assert resumed.best_epoch == whole.best_epoch
    reported = lines(folder)
    assert [line["epoch"] for line in reported] == list(range(1, len(whole.epochs) + 1))
    for line, epoch, resumed_epoch in zip(reported, whole.epochs, resumed.epochs, strict=True):
        assert line["loss"] == epoch.loss == resumed_epoch.loss
        assert line["valid_rmse"] == epoch.valid_rmse
        assert line == resumed_epoch.as_dict()
    assert bool(new) == stopped
    # The epochs that were done are not done again: their lines stay, seconds and all.
    kept = len(reported) - len(new)
    assert reported[:kept] == before[:kept]


@pytest.mark.parametrize("options", VARIANTS, ids=str)
@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt])
def test_interrupted_and_resumed(
    options: dict[str, Any], error: type[BaseException], tmp_path: Path
) -> None:
    with pytest.raises(error):
        model(**options).fit(data(), seed=7, folder=tmp_path, on_epoch=stop_at(2, error()))
    assert len(lines(tmp_path)) == 2
    check_resumed(tmp_path, options)


def test_interrupted_again_and_again(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        model().fit(data(), seed=7, folder=tmp_path, on_epoch=stop_at(1, Stop()))
    for epoch in range(2, EPOCHS + 1):
        with pytest.raises(Stop):
            model().fit(
                data(), seed=7, folder=tmp_path, resume=True, on_epoch=stop_at(epoch, Stop())
            )
        assert len(lines(tmp_path)) == epoch
    check_resumed(tmp_path, {}, stopped=False)


def test_interrupted_within_an_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the epoch had done is dropped: it begins again from the end of the one before."""
    step = KernelBackend.step

    def impatient(self: KernelBackend, batch: Any, number: int) -> float:
        if number == 3 * 5 + 2:
            raise KeyboardInterrupt
        return step(self, batch, number)

    monkeypatch.setattr(KernelBackend, "step", impatient)
    with pytest.raises(KeyboardInterrupt):
        model().fit(data(), seed=7, folder=tmp_path)
    monkeypatch.undo()
    assert len(lines(tmp_path)) == 3
    check_resumed(tmp_path, {})


@pytest.mark.parametrize("options", [{}, {"batch_norm": True, "optimizer": "sgd"}], ids=str)
def test_on_torch_operations_too(
    options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backend for CUDA, here on the CPU."""
    monkeypatch.setattr(run, "KernelBackend", TorchBackend)
    with pytest.raises(Stop):
        model(**options).fit(data(), seed=7, folder=tmp_path, on_epoch=stop_at(3, Stop()))
    check_resumed(tmp_path, options)


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_checkpoint as t
from matinee.train import checkpoint
from matinee.train._backend import KernelBackend

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

checkpoint.SECONDS = 0
on_epoch = None
if {where!r} == "after an epoch":
    on_epoch = lambda epoch: die() if epoch.epoch == 3 else None
elif {where!r} == "within an epoch":
    step = KernelBackend.step
    KernelBackend.step = lambda s, b, n: die() if n == 3 * 5 + 2 else step(s, b, n)
else:
    save, calls = checkpoint.save_file, []
    def half(arrays, file, metadata):
        save(arrays, file, metadata=metadata)
        calls.append(file)
        if len(calls) == 4:
            os.truncate(file, file.stat().st_size // 2)
            die()
    checkpoint.save_file = half
t.torch.set_num_threads(1)
t.model().fit(t.data(), seed=7, folder=Path({folder!r}), on_epoch=on_epoch)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("where", ["after an epoch", "within an epoch", "within a checkpoint"])
def test_killed_and_resumed(where: str, tmp_path: Path) -> None:
    code = KILLED.format(tests=str(Path(__file__).parent), where=where, folder=str(tmp_path))
    environment = {**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(lines(tmp_path)) == (4 if where == "within a checkpoint" else 3)
    check_resumed(tmp_path, {})


def stopped(folder: Path) -> None:
    with pytest.raises(Stop):
        model().fit(data(), seed=7, folder=folder, on_epoch=stop_at(2, Stop()))


@pytest.mark.parametrize(
    ("options", "seed", "other", "message"),
    [
        ({"learning_rate": 0.03}, 7, 0, r"the settings changed since it was made \(train"),
        ({"hidden": [8], "epochs": 9}, 7, 0, r"\(network\.hidden, train\.epochs\)"),
        ({}, 8, 0, r"the seed changed since it was made \(7, now 8\)"),
        ({}, 7, 1, r"the data changed"),
    ],
    ids=["rate", "shape", "seed", "data"],
)
def test_another_run_is_not_resumed(
    options: dict[str, Any], seed: int, other: int, message: str, tmp_path: Path
) -> None:
    stopped(tmp_path)
    before = lines(tmp_path)
    with pytest.raises(UsageError, match=message) as caught:
        model(**options).fit(data(other), seed=seed, folder=tmp_path, resume=True)
    assert "leave out --resume" in str(caught.value)
    assert lines(tmp_path) == before
    check_resumed(tmp_path, {})  # and the run that was stopped can still go on


def test_data_in_another_order_is_the_same_data(tmp_path: Path) -> None:
    stopped(tmp_path)
    order = np.random.default_rng(0).permutation(1200)
    whole = data()
    shuffled = Ratings.from_arrays(
        whole.user_ids.decode(whole.users[order]),
        whole.item_ids.decode(whole.items[order]),
        whole.values[order],
    )
    resumed = model().fit(shuffled, seed=7, folder=tmp_path, resume=True)
    assert same(resumed, model().fit(whole, seed=7))


def test_a_run_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """Its settings had sections of other kinds, and lacked what is new since."""
    stopped(tmp_path)
    file = tmp_path / "checkpoint.safetensors"
    with safe_open(file, framework="numpy") as content:
        notes = content.metadata()
    identity = json.loads(notes["identity"])
    del identity["settings"]["train"]["keep"]
    identity["settings"]["sparsefc"] = {"units": 500, "layers": 2}
    notes["identity"] = json.dumps(identity)
    save_file(load_file(file), file, metadata=notes)
    check_resumed(tmp_path, {})


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no checkpoint to resume; leave out --resume"):
        model().fit(data(), folder=tmp_path / "new", resume=True)
    with pytest.raises(UsageError, match="resume needs the folder"):
        model().fit(data(), resume=True)


def test_a_new_run_in_an_old_folder_starts_anew(tmp_path: Path) -> None:
    stopped(tmp_path)
    fresh = model().fit(data(), seed=8, folder=tmp_path)
    assert same(fresh, model().fit(data(), seed=8))
    assert [line["loss"] for line in lines(tmp_path)] == [epoch.loss for epoch in fresh.epochs]
    # Its own checkpoint is there until the model is saved, and then gone.
    assert same(model().fit(data(), seed=8, folder=tmp_path, resume=True), fresh)
    fresh.save(tmp_path / "model")
    assert not (tmp_path / "checkpoint.safetensors").exists()
    assert len(lines(tmp_path)) == EPOCHS


@pytest.mark.parametrize("harm", ["truncated", "text", "empty", "no notes", "notes", "other"])
def test_a_damaged_checkpoint_is_named(harm: str, tmp_path: Path) -> None:
    stopped(tmp_path)
    file = tmp_path / "checkpoint.safetensors"
    content = file.read_bytes()
    if harm == "truncated":
        file.write_bytes(content[: len(content) // 2])
    elif harm == "text":
        file.write_text("not a checkpoint at all")
    elif harm == "empty":
        file.write_bytes(b"")
    elif harm == "no notes":
        save_file(load_file(file), file)
    elif harm == "notes":
        file.write_bytes(content.replace(b"best_epoch", b"best_ep_ch"))
    else:
        with safe_open(file, framework="numpy") as old:
            notes = old.metadata()
        save_file({"weights": np.zeros(3)}, file, metadata=notes)
    with pytest.raises(ModelFileError, match=r"checkpoint\.safetensors: damaged") as caught:
        model().fit(data(), seed=7, folder=tmp_path, resume=True)
    assert "start anew without --resume" in str(caught.value)
    assert len(lines(tmp_path)) == 2


def test_checkpoints_are_not_written_at_every_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    save = _checkpoint.save_file
    monkeypatch.setattr(
        _checkpoint, "save_file", lambda *a, **k: written.append(1) or save(*a, **k)
    )
    model().fit(data(), seed=7, folder=tmp_path)
    assert len(written) == 1  # at the end
    monkeypatch.setattr(_checkpoint, "SECONDS", 0.0)
    model().fit(data(), seed=7, folder=tmp_path)
    assert len(written) == 1 + EPOCHS


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MatineeError, match="run: cannot write there"):
        model().fit(data(), folder=tmp_path / "file" / "run")


def test_a_folder_changes_no_number(tmp_path: Path) -> None:
    assert same(model().fit(data(), folder=tmp_path), model().fit(data()))
    assert torch.get_num_threads() == 1
