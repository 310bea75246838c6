"""Processes that each have some columns of the tables get what one process with all would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import column_blocks
import numpy as np
import pytest
import torch
from column_blocks import NAMES, RESUMED
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from test_distributed import epochs, torchrun
from test_shards import tables

import matinee
import sharded
from matinee.cli import main
from matinee.errors import ModelFileError, UsageError
from matinee.nn import ColumnBlocks, Network, NetworkConfig
from matinee.synth import synthesize
from matinee.train import ProcessGroup, RunContext, RunFolder, TrainConfig, choose_blocks, share
from matinee.train.shards.choice import SHARE

SIZES = (2, 4)


@pytest.fixture(scope="module", params=SIZES)
def got(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The folder in which several processes trained, and what each of them got."""
    folder = tmp_path_factory.mktemp("blocks")
    tables(folder)
    done = torchrun(Path(column_blocks.__file__), folder, processes=request.param)
    assert done.returncode == 0, done.stderr
    found = [dict(np.load(folder / f"{rank}.npz")) for rank in range(request.param)]
    return {"folder": folder, "found": found}


def assert_equal_to_one(got: dict[str, Any], key: str, wanted: dict[str, np.ndarray]) -> None:
    """Whole tables are in the first process alone, all else is in every one."""
    for rank, found in enumerate(got["found"]):
        for name, array in wanted.items():
            each = found[f"{key}/{name}"]
            if name.startswith("table") and rank:
                assert each.shape[1] < array.shape[1]
            else:
                assert each.shape == array.shape
                assert np.abs(each - array).max() < 1e-9, (rank, name)


@pytest.mark.parametrize("assembled", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_weights_of_one_process(name: str, assembled: bool, got: dict[str, Any]) -> None:
    wanted = column_blocks.finished(column_blocks.started(name, ProcessGroup()))
    assert len(wanted["history"]) > 1
    assert_equal_to_one(got, f"{name}{' assembled' * assembled}", wanted)


@pytest.mark.parametrize("name", RESUMED)
def test_a_run_stopped_and_resumed(name: str, got: dict[str, Any], tmp_path: Path) -> None:
    alone = ProcessGroup()
    wanted = column_blocks.finished(column_blocks.started(name, alone))
    assert_equal_to_one(got, f"{name} resumed", wanted)
    column_blocks.stopped(name, alone, tmp_path)
    own, theirs = (
        load_file(f / "checkpoint.safetensors") for f in (tmp_path, got["folder"] / name)
    )
    assert own.keys() == theirs.keys()
    for key, array in own.items():
        assert theirs[key].dtype == array.dtype
        assert theirs[key].shape == array.shape
        assert np.abs(theirs[key] - array).max(initial=0) < 1e-9, key
    further = column_blocks.resumed(name, alone, got["folder"] / name)
    for key, array in wanted.items():
        assert np.abs(further[key] - array).max() < 1e-9, key


def test_a_checkpoint_without_a_table_is_damaged(tmp_path: Path) -> None:
    alone = ProcessGroup()
    column_blocks.stopped("adam", alone, tmp_path)
    file = tmp_path / "checkpoint.safetensors"
    with safe_open(file, framework="numpy") as content:
        notes = content.metadata()
    arrays = load_file(file)
    del arrays["network.table_out"]
    save_file(arrays, file, metadata=notes)
    state = column_blocks.started("adam", alone)
    state.network.blocks = ColumnBlocks(alone)
    folder = RunFolder(tmp_path, {"seed": 1})
    folder.start(state, resume=True)
    with pytest.raises(ModelFileError, match=r"checkpoint\.safetensors: damaged"):
        share(state, folder)


def test_a_model_of_blocks(got: dict[str, Any]) -> None:
    whole = matinee.load(got["folder"] / "parquet")
    model = matinee.Autoencoder("base", **sharded.OPTIONS).fit(whole, seed=5)
    predicted = model.predict(model.user_ids.ids[:40], model.item_ids.ids[:40])
    assert np.abs(got["found"][0]["predicted"] - predicted).max() < 1e-5
    saved = matinee.load_model(got["folder"] / "model")
    assert saved.n_parameters == model.n_parameters
    assert not list((got["folder"] / "run").glob("checkpoint*"))


def test_what_is_refused(got: dict[str, Any]) -> None:
    for found in got["found"]:
        width, refeed, norm = found["refused"].tolist()
        assert "hidden = [8, 4, 1]; start fewer processes" in width
        assert 'set train.refeed = "off"' in refeed
        assert "set batch_norm = false" in norm


def test_the_command(tmp_path: Path) -> None:
    tables(tmp_path)
    options = ["--preset", "base", "--set", "hidden=9,4,9", "--set", "batch_size=25", "--epochs", 3]
    options += ["--set", "validation=0.1"]
    one, four = tmp_path / "one", tmp_path / "four"
    command = ["train", tmp_path / "parquet", *options, "--out"]
    assert main([*map(str, command), str(one)]) == 0
    done = torchrun("-m", "matinee", *command, four, "--shard", "--shard-tables", processes=4)
    assert done.returncode == 0, done.stderr
    for epoch, wanted in zip(epochs(four), epochs(one), strict=True):
        for key in ("loss", "train_rmse", "valid_rmse"):
            assert epoch[key] == pytest.approx(wanted[key], rel=1e-5)
    left, right = (load_file(folder / "weights.safetensors") for folder in (one, four))
    for key, array in left.items():
        assert np.allclose(array, right[key], rtol=0, atol=1e-4), key


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shard-tables"], "add --shard"),
        (
            ["--shard", "--shard-tables", "--preset", "base", "--set", "refeed=sampled"],
            'columns of the tables cannot train this: set train.refeed = "off"',
        ),
    ],
)
def test_options_that_the_command_refuses(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "none.parquet", *options]) == 2
    assert message in capsys.readouterr().err


def test_ratings_that_every_process_has() -> None:
    data = synthesize(30, 20, 200, seed=1).ratings
    with pytest.raises(UsageError, match="read these by load_shard"):
        matinee.Autoencoder("base", **sharded.OPTIONS).fit(data, shard_tables=True)


@pytest.mark.parametrize(
    ("train", "hidden", "tied", "floats"),
    [
        ({"validation": 0.1}, (10, 4, 20), False, 4 * 5000),  # two moments and the best weights
        ({"optimizer": "sgd"}, (10, 4, 20), False, 2 * 5000),
        ({}, (10, 10), True, 3 * 1000),
    ],
)
def test_tables_are_divided_if_they_take_much_of_the_memory(
    train: dict[str, Any],
    hidden: tuple[int, ...],
    tied: bool,
    floats: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shape, config = NetworkConfig(hidden=hidden, tied=tied), TrainConfig(**train)

    def divided(wanted: bool | None, **options: Any) -> bool:
        context = RunContext(shard_tables=wanted, device=options.pop("device", "cpu"))
        return choose_blocks(shape, config.replace(options), context, (100, 200)) is not None

    for limit, automatic in ((SHARE * 4 * floats, False), (SHARE * 4 * floats - 1, True)):
        monkeypatch.setattr("matinee.train.shards.choice.memory_limit", lambda limit=limit: limit)
        assert [divided(wanted) for wanted in (None, True, False)] == [automatic, True, False]
        assert not divided(None, refeed="dense")
        assert not divided(None, device="cuda")
    with pytest.raises(UsageError, match="refeed = 'dense'; set"):
        divided(True, refeed="dense")
    with pytest.raises(UsageError, match="device = 'cuda'; train on the CPU"):
        divided(True, device="cuda")


@pytest.mark.parametrize("init", ["normal", "xavier"])
@pytest.mark.parametrize("rows", [5, 40, 113])
def test_initial_weights_are_drawn_in_chunks(
    init: Any, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matinee.nn.blocks._CHUNK", 100)
    config = NetworkConfig(hidden=(3, 2, 7), init=init)

    def network(blocks: ColumnBlocks | None) -> Network:
        generator = torch.Generator().manual_seed(4)
        return Network(config, rows, rows, generator, blocks=blocks)

    whole = network(None).arrays()
    for rank in range(3):
        blocks = ColumnBlocks(ProcessGroup(rank, 3))
        for name, array in network(blocks).arrays().items():
            own = blocks.own(whole[name].shape[-1])
            wanted = whole[name][:, own] if name.startswith("table") else whole[name]
            assert np.array_equal(array, wanted), name
