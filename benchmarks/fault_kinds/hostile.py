"""Files of others: damaged at random, or made to run code, to take all memory, to write escapes."""

import io
import json
import pickle
import random
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_prune.utils.files import sha256

from .found import Found, unclean
from .killing import ALONE
from .process import Fault, call, run

MEMORY_MB = 2500
"""The most that any file may take: twice what a whole one takes."""

CANARY = "canary"
"""A file that code of another file's would write."""

_DATA = ("--dataset", "digits")


@dataclass(frozen=True)
class Case:
    """A file, or a folder of several, and what is done with it.

    Args:
        name: of the file.
        arguments: of the command.
    """

    name: str
    arguments: Sequence[str]


def carry_out(folder: Path, count: int, jobs: int) -> Found:
    """Lets the command meet `count` files: all that are made on purpose, and damaged ones."""
    place = folder / "files"
    place.mkdir(parents=True)
    call(make_whole, place)
    made = list(_made(place))
    damaged = list(_damaged(place, max(0, count - len(made))))
    found, cases = Found("hostile files"), (made + damaged)[:count]
    with ThreadPoolExecutor(jobs) as pool:
        ends = pool.map(lambda each: _met(*each, place), enumerate(cases))
        for case, (code_ran, raw) in zip(cases, ends, strict=True):
            found.count(f"{case.arguments[0]} {case.name}", run=code_ran, raw=raw)
    return found


def _met(number: int, case: Case, place: Path) -> tuple[str, str]:
    """Whether code of the file's was run, and what was raw."""
    alone = place.parent / f"met {number}"
    alone.mkdir()
    source = place / case.name
    (shutil.copytree if source.is_dir() else shutil.copy)(source, alone / case.name)
    environment = {**ALONE, "KERAS_PRUNE_CACHE": str(alone / "cache")}
    ended = run(case.arguments, alone, Fault(), environment)
    written = [path for path in (alone, place.parent, Path("/tmp")) if (path / CANARY).exists()]
    for path in written:
        (path / CANARY).unlink(missing_ok=True)
    code_ran = "it wrote a file" if written else ""
    raw = unclean(ended, (0, 2))
    if not raw and ended.peak_mb > MEMORY_MB:
        raw = f"{ended.peak_mb:.0f} MB of memory"
    shutil.rmtree(alone)
    return code_ran, raw


def make_whole(place: Path) -> None:
    """Writes a small classifier in every form, and SavedModels that act."""
    import keras
    import numpy as np

    import keras_prune as kp

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(6, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    for name in ("m.keras", "m.tflite", "m.onnx", "m.kpz", "saved"):
        kp.export(model, place / name)
    keras.utils.save_img(place / "image.png", np.zeros((8, 8, 1)))
    _make_acting(place)
    lambdas = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Lambda(_payload)])
    lambdas.save(place / "lambda.keras")


def _payload(x: Any) -> Any:
    open(CANARY, "w").close()
    return x


def _make_acting(place: Path) -> None:
    import tensorflow as tf

    canary = str(place.parent / CANARY)
    acts = {
        "writes": lambda: tf.io.write_file(canary, "x"),
        "prints": lambda: tf.print("\x1b[31mred", output_stream=f"file://{canary}"),
        "branches": lambda: tf.cond(
            tf.constant(1) > 0, lambda: tf.io.write_file(canary, "x"), tf.no_op
        ),
    }
    for name, act in acts.items():
        module = tf.Module()

        @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32)])
        def serve(x: Any, act: Any = act) -> dict[str, Any]:
            act()
            return {"y": tf.reduce_mean(x, (1, 2)) * tf.ones((1, 10))}

        tf.saved_model.save(module, str(place / name), signatures=serve)


def _made(place: Path) -> Iterator[Case]:
    """Files that are made on purpose."""
    for name in ("writes", "prints", "branches"):
        yield Case(name, ("evaluate", name, *_DATA))
        yield Case(name, ("benchmark", name))
    yield Case("lambda.keras", ("profile", "lambda.keras"))
    yield from _keras_files(place)
    yield from _tables(place)
    yield from _runs(place)


def _keras_files(place: Path) -> Iterator[Case]:
    config = json.loads(zipfile.ZipFile(place / "m.keras").read("config.json"))
    dense = config["config"]["layers"][-1]
    dense["config"]["units"] = 10**9
    yield _keras(place, "units.keras", {"config.json": json.dumps(config)})
    dense["config"]["units"] = int("9" * 400)
    yield _keras(place, "digits.keras", {"config.json": json.dumps(config)})
    dense["config"] |= {"units": 10, "name": "\x1b[31mred [bold]x \u202e"}
    yield _keras(place, "escapes.keras", {"config.json": json.dumps(config)})
    dense["config"]["name"] = "\ud800"
    yield _keras(place, "surrogate.keras", {"config.json": json.dumps(config)})
    foreign = {"module": "os", "class_name": "system", "config": {"command": f"touch {CANARY}"}}
    yield _keras(place, "foreign.keras", {"config.json": json.dumps(foreign)})
    yield _keras(place, "deep.keras", {"config.json": "[" * 100_000})
    yield _keras(place, "path.keras", {"../../canary": "x", f"/tmp/{CANARY}": "x"})
    yield _keras(place, "zeros.keras", {"zeros": bytes(10**9)})
    for name in ("m.kpz", "m.keras"):
        with zipfile.ZipFile(place / f"bomb-{name}", "w", zipfile.ZIP_LZMA) as archive:
            archive.writestr("model.json" if name == "m.kpz" else "config.json", bytes(5 * 10**8))
        yield Case(f"bomb-{name}", ("profile", f"bomb-{name}"))


def _keras(place: Path, name: str, members: dict[str, str | bytes]) -> Case:
    """The whole file with other members."""
    with (
        zipfile.ZipFile(place / "m.keras") as whole,
        zipfile.ZipFile(place / name, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for member in set(whole.namelist()) - set(members):
            archive.writestr(member, whole.read(member))
        for member, content in members.items():
            archive.writestr(member, content)
    return Case(name, ("inspect", name))


def _tables(place: Path) -> Iterator[Case]:
    """Configurations and scores."""
    texts = {
        "code.toml": _training(f"{CANARY}_module:f"),
        "deep.toml": "a = " + "[" * 100_000,
        "digits.toml": 'method = "train"\n[train]\nepochs = ' + "9" * 6000,
        "escapes.toml": 'method = "\\u001b[31mred [bold]"',
    }
    (place / f"{CANARY}_module.py").write_text(f"open({CANARY!r}, 'w')", encoding="utf-8")
    for name, text in texts.items():
        (place / name).write_text(text, encoding="utf-8")
        yield Case(name, ("run", name))
    scores = {"digits.json": "9" * 6000, "deep.json": "[" * 100_000, "list.json": "[1, 2]"}
    for name, text in scores.items():
        folder = place / f"scores {name}"
        folder.mkdir()
        (folder / name).write_text(text, encoding="utf-8")
        shutil.copy(place / "m.keras", folder)
        given = ("--scores", f"{folder.name}/{name}", "--macs", "0.5", "--out", "run")
        yield Case(folder.name, ("prune", f"{folder.name}/m.keras", *_DATA, *given))


def _runs(place: Path) -> Iterator[Case]:
    """Run directories of others."""
    names = {
        "many digits": "9" * 6000,
        "deep": "[" * 100_000,
        "escapes": json.dumps(
            {"class_names": ["\x1b[31mred", "[bold]b[/bold]", *map(str, range(8))]}
        ),
        "surrogates": json.dumps({"class_names": ["\ud800", *map(str, range(9))]}),
        "no names": json.dumps({"class_names": {"a": 1}}),
    }
    for name, text in names.items():
        folder = place / f"report {name}"
        folder.mkdir()
        (folder / "report.json").write_text(text, encoding="utf-8")
        shutil.copy(place / "m.keras", folder)
        shutil.copy(place / "image.png", folder)
        image = f"{folder.name}/image.png"
        yield Case(folder.name, ("predict", f"{folder.name}/m.keras", image, "--top", "10"))
    folder = place / "pickled"
    (folder / "state" / "000001").mkdir(parents=True)
    (folder / "config.toml").write_text(_training("digits"), encoding="utf-8")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("arr_0.npy", _npy_of(_Acts()))
    (folder / "state" / "000001" / "variables.npz").write_bytes(content.getvalue())
    position = {"identity": "", "epoch": 0, "step": 0, "rows": []}
    (folder / "state" / "000001" / "position.json").write_text(json.dumps(position))
    sums = {file.name: sha256(file) for file in (folder / "state" / "000001").iterdir()}
    (folder / "state" / "000001" / "manifest.json").write_text(json.dumps(sums))
    yield Case("pickled", ("run", "pickled"))


def _training(dataset: str) -> str:
    return (
        f'method = "train"\n[common]\nmodel = "conv248"\ndataset = "{dataset}"\n'
        "[train]\nepochs = 1\nlearning_rate = 0.1\n"
    )


def _named(*classes: str) -> str:
    return json.dumps({"class_names": classes})


class _Acts:
    """Writes a file when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (CANARY, "w")


def _npy_of(value: Any) -> bytes:
    """An array file that holds a pickled object."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + pickle.dumps(value)


def _damaged(place: Path, count: int) -> Iterator[Case]:
    """Whole files with some bytes changed."""
    kinds = ("m.tflite", "m.onnx", "saved", "m.keras", "m.kpz")
    for number in range(count):
        chance, kind = random.Random(number), kinds[number % len(kinds)]
        name = f"damaged{number}-{kind}"
        source = place / kind
        (shutil.copytree if source.is_dir() else shutil.copy)(source, place / name)
        file = place / name if source.is_file() else place / name / "saved_model.pb"
        content = bytearray(file.read_bytes())
        for _ in range(chance.choice((1, 2, 8, 32))):
            at = chance.randrange(len(content))
            content[at] = chance.choice((0, 255, content[at] ^ 1, chance.randrange(256)))
        file.write_bytes(content)
        yield Case(name, ("evaluate", name, *_DATA))
