"""Arguments that make no sense, for every command and for the functions of the package."""

import json
import shlex
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .found import Found, unclean
from .killing import ALONE
from .process import call, run

COMMANDS = """
nothing
--nothing
train
train nothing --dataset digits
train lenet5
train lenet5 --dataset nothing
train lenet5 --dataset no.module:f
train lenet5 --dataset digits --epochs 0
train lenet5 --dataset digits --epochs -1
train lenet5 --dataset digits --epochs 1e3
train lenet5 --dataset digits --epochs 100000000000000000000
train lenet5 --dataset digits --learning-rate nan
train lenet5 --dataset digits --learning-rate 0
train lenet5 --dataset digits --seed -1
train lenet5 --dataset digits --seed 4294967296
train lenet5 --dataset digits --batch-size 0
train lenet5 --dataset digits --precision float8
train lenet5 --dataset digits --config nothing.toml
train lenet5 --dataset digits --config /dev/zero
train lenet5 --dataset digits --out m.keras
train lenet5 --dataset digits --rescale 0
train lenet5 --dataset digits --rescale 1/0
train lenet5 --dataset digits --data-dir nothing --dataset cifar10
train lenet5 --resume nothing
train m.keras --dataset text.txt
prune
prune m.keras
prune nothing.keras --dataset digits --macs 0.5
prune text.txt --dataset digits --macs 0.5
prune m.keras --dataset digits
prune m.keras --dataset digits --macs 0.5 --params 0.5
prune m.keras --dataset digits --macs 0
prune m.keras --dataset digits --macs 2
prune m.keras --dataset digits --macs 0.0000001
prune m.keras --dataset digits --macs nan
prune m.keras --dataset digits --macs 0.5 --criterion nothing
prune m.keras --dataset digits --macs 0.5 --method nothing
prune m.keras --dataset digits --macs 0.5 --scores nothing.json
prune m.keras --dataset digits --macs 0.5 --scores text.txt
prune m.keras --dataset digits --macs 0.5 --steps 0
prune m.keras --dataset digits --macs 0.5 --workers 0
prune m.keras --dataset digits --macs 0.5 --import nothing
prune m.keras --dataset digits --macs 0.5 --mlflow nothing://here
vgg16 --b -1
vgg16 --b nan
vgg16 --weights text.txt
vgg16 --weights m.keras --dataset digits
lenet5 --sparsity 1
lenet300-100 --dataset nothing
taylor --steps -1
rl-pruner --model nothing
rnp --sets 0
evaluate
evaluate m.keras
evaluate nothing --dataset digits
evaluate text.txt --dataset digits
evaluate m.keras --dataset digits --split train
evaluate m.keras --dataset digits --batch-size -3
predict m.keras
predict m.keras text.txt
predict m.keras nothing.png
predict m.keras --dataset digits --top 0
inspect nothing
inspect m.keras --plot nowhere/a.svg
inspect m.keras --plot a.txt
profile text.txt
profile m.keras --convention nothing
profile m.keras --csv nowhere/a.csv
compare m.keras
compare m.keras nothing.keras
export m.keras
export m.keras --out m.keras
export m.keras --out a.nothing
export m.keras --out a.tflite --quantize int4
export m.keras --out a.tflite --quantize int8
export m.keras --out nowhere/a.tflite
benchmark
benchmark m.keras --batch-size 0
benchmark m.keras --threads 0
benchmark m.keras --per-layer
sensitivity m.keras
sensitivity m.keras --dataset digits --ratio 2
run nothing
run text.txt
run m.keras --stage nothing
cache nothing
""".strip().splitlines()


_WHOLE = 100
"""What is asked for then is all."""


def carry_out(folder: Path, count: int, jobs: int) -> Found:
    """Gives `count` senseless arguments, or all there are: to commands and to functions."""
    place = folder / "place"
    place.mkdir()
    call(_make, place)
    found = Found("bad inputs")
    every = 1 if count >= _WHOLE else -(-_WHOLE // count)
    words = COMMANDS[::every]
    with ThreadPoolExecutor(jobs) as pool:
        ends = pool.map(lambda each: _given(*each, place), enumerate(words))
        for line, raw in zip(words, ends, strict=True):
            found.count(line, raw=raw)
    call(_call_all, place / "functions.json")
    told = json.loads((place / "functions.json").read_text(encoding="utf-8"))
    for name, raw in list(told.items())[::every]:
        found.count(name, raw=raw)
    return found


def _given(number: int, line: str, place: Path) -> str:
    """What was raw; that includes what a refusal has left behind."""
    alone = place.parent / f"given {number}"
    shutil.copytree(place, alone)
    ended = run(shlex.split(line), alone, environment={**ALONE, "KERAS_PRUNE_CACHE": "/dev/null"})
    changed = {path.name for path in alone.iterdir()} ^ {path.name for path in place.iterdir()}
    shutil.rmtree(alone)
    return unclean(ended, (2,)) or (f"left {changed}" if changed else "")


def _make(place: Path) -> None:
    import keras

    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, name="conv"), keras.layers.Flatten()]
    )
    model.add(keras.layers.Dense(10))
    model.save(place / "m.keras")
    (place / "text.txt").write_text("a text", encoding="utf-8")


def _call_all(path: Path) -> None:
    """Calls each function, and writes what was raw: name -> text, empty where there is nothing."""
    path.write_text(json.dumps({n: _raw(act) for n, act in _functions().items()}), encoding="utf-8")


def _raw(act: Callable[[], Any]) -> str:
    from keras_prune.errors import KerasPruneError

    try:
        result = act()
    except KerasPruneError as error:
        return f"several lines: {error}" if "\n" in str(error) else ""
    except Exception as error:  # which is what is looked for
        return f"{type(error).__name__}: {error}"
    return f"no error, but {result!r}"


def _functions() -> dict[str, Callable[[], Any]]:
    """Name -> a call that makes no sense."""
    import keras
    import numpy as np

    import keras_prune as kp

    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, name="conv"), keras.layers.Flatten()]
    )
    model.add(keras.layers.Dense(10))
    graph = kp.ChannelGraph(model)
    plan = kp.PruningPlan.for_graph(graph, {})
    data = np.ones((4, 8, 8, 1), "float32"), np.zeros(4, "int32")
    scores = kp.criteria.get("l1")(graph)
    return {
        "ChannelGraph of a text": lambda: kp.ChannelGraph("model"),
        "prune by a dict": lambda: kp.prune(model, {"conv": 2}),
        "prune of a text": lambda: kp.prune("m.keras", plan),
        "plan of an unknown group": lambda: kp.PruningPlan.for_graph(graph, {"nothing": [0]}),
        "plan that keeps none": lambda: kp.PruningPlan.for_graph(graph, {"conv": []}),
        "plan of channels that are not there": lambda: kp.PruningPlan.for_graph(
            graph, {"conv": [99]}
        ),
        "plan of halves": lambda: kp.PruningPlan.for_graph(graph, {"conv": [0.5]}),
        "plan from a list": lambda: kp.PruningPlan.from_dict([]),
        "plan from nothing": lambda: kp.PruningPlan.load("nothing.json"),
        "silence by a text": lambda: kp.silence(model, "plan"),
        "criterion of no name": lambda: kp.criteria.get("nothing"),
        "criterion of a number": lambda: kp.criteria.get(3),
        "taylor without data": lambda: kp.criteria.get("taylor")(graph),
        "taylor with other images": lambda: kp.criteria.get("taylor")(
            graph, (np.ones((4, 3, 3, 1), "float32"), np.zeros(4))
        ),
        "budget of two": lambda: kp.Budget(macs=0.5, params=0.5),
        "budget of nothing": lambda: kp.Budget(),
        "budget above one": lambda: kp.Budget(macs=1.5),
        "budget of a text": lambda: kp.Budget(macs="half"),
        "budget of NaN": lambda: kp.Budget(macs=float("nan")),
        "budget for scores of a text": lambda: kp.Budget(macs=0.5).allocate(graph, "l1"),
        "objective without direction": lambda: kp.Task(data, objective="speed"),
        "task of a number": lambda: kp.Task(3),
        "task of no examples": lambda: kp.Task((data[0][:0], data[1][:0])),
        "task of unlike lengths": lambda: kp.Task((data[0], data[1][:2])),
        "recalibrate by no data": lambda: kp.recalibrate(model, None),
        "profile of a number": lambda: kp.profile(3),
        "profile by an unknown convention": lambda: kp.profile(model, "nothing"),
        "compare with a text": lambda: kp.compare(model, "other"),
        "export of a text": lambda: kp.export("model", "a.tflite"),
        "export without a suffix it knows": lambda: kp.export(model, "a.nothing"),
        "export into nowhere": lambda: kp.export(model, "nowhere/a.tflite"),
        "export by an unknown format": lambda: kp.export(model, "a", format="nothing"),
        "pack of a text": lambda: kp.pack("model", "a.kpz"),
        "unpack of nothing": lambda: kp.unpack("nothing.kpz"),
        "benchmark of nothing": lambda: kp.benchmark(["nothing.keras"]),
        "data of no name": lambda: kp.data.load("nothing", input_shape=(8, 8, 1)),
        "data of a wrong shape": lambda: kp.data.load("digits", input_shape=(8, 8)),
        "zoo of no name": lambda: kp.zoo.build("nothing", (8, 8, 1), 10),
        "zoo of too small an image": lambda: kp.zoo.build("vgg16", (1, 1, 1), 10),
        "fit of no epochs": lambda: kp.training.TrainingConfig(epochs=0, learning_rate=0.1),
        "fit at an infinite rate": lambda: kp.training.TrainingConfig(1, float("inf")),
        "a method of no name": lambda: kp.methods.get("nothing"),
        "scores from nothing": lambda: kp.ChannelScores.load("nothing.json"),
        "scores of another network": lambda: kp.Budget(macs=0.5).allocate(
            kp.ChannelGraph(kp.zoo.lenet5()), scores
        ),
    }
