"""All that a killed search needs to go on as if nothing had happened."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from keras_prune.errors import ConfigError
from keras_prune.loading import load_model
from keras_prune.plan import PruningPlan
from keras_prune.writing import whole_file, write_text

_STATE = "state.json"


@dataclass
class SearchState:
    """Where a search stands between two stages.

    Args:
        model: the network so far.
        plan: the plan that leads to it from the original.
        accuracy: its validation accuracy, in percent.
        stage: stages that are done.
        trainings: trainings that have been run; each draws its batches by its number.
        epochs: how many epochs they had, the baseline's included.
        agent: the agent's state; empty before the first stage.
        shares: the distribution at the outset and after every stage, group -> share.
        history: one row of figures per round.
        notes: what the reader of a report should know.
        ended: whether no stage is to follow.
    """

    model: keras.Model
    plan: PruningPlan
    accuracy: float
    stage: int = 0
    trainings: int = 0
    epochs: int = 0
    agent: dict[str, Any] = field(default_factory=dict)
    shares: list[dict[str, float]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    ended: bool = False

    def save(self, folder: Path) -> None:
        """Writes the state so that at any moment a whole one is there.

        The model has a name of its own in every stage, and the state, written last, names it.
        """
        folder.mkdir(exist_ok=True)
        model = f"stage{self.stage}.keras"
        with whole_file(folder / model) as draft:
            self.model.save(draft)
        write_text(folder / _STATE, json.dumps(self._plain() | {"model": model}))
        for old in folder.glob("stage*.keras"):
            if old.name != model:
                old.unlink()

    @classmethod
    def load(cls, folder: Path) -> "SearchState | None":
        """The state in a folder; None where no stage was finished.

        Raises:
            ConfigError: the file is damaged.
            ModelError: the model is.
        """
        if not (folder / _STATE).exists():
            return None
        try:
            content = json.loads((folder / _STATE).read_text())
            plan = PruningPlan.from_dict(content.pop("plan"))
            notes = tuple(content.pop("notes"))
            model = load_model(folder / content.pop("model"))
            return cls(model, plan, notes=notes, **content)
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{folder / _STATE} is not the state of a search "
                f"({type(error).__name__}: {error}). Start the run anew."
            ) from error

    def _plain(self) -> dict[str, Any]:
        """All but the model, as JSON takes it."""
        others = {
            name: value for name, value in vars(self).items() if name not in ("model", "plan")
        }
        return others | {"plan": self.plan.to_dict()}
