import pytest

from keras_prune.reporting import GroupReport, ModelFigures, PruningReport, Skipped


@pytest.fixture
def report() -> PruningReport:
    return PruningReport(
        method="filter_agent",
        model="vgg16",
        dataset="digits",
        seed=7,
        config={"prune": {"b": 1.0}, "names": ["x"]},
        before=ModelFigures(98.5, 0.125, 99.0, 1000, 4000, 8100, 4000),
        after=ModelFigures(98.0, 0.25, 98.5, 250, 1000, 2050, 1000),
        groups=(GroupReport("conv1", 64, 16), GroupReport("conv2", 128, 128)),
        skipped=(Skipped("logits", "the model's output"),),
        notes=("The plan was backed off once.",),
        exports=({"path": "model.tflite", "bytes": 12},),
        seconds=12.5,
        peak_memory_mb=900.0,
    )
