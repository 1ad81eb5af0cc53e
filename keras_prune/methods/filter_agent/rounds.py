"""Search, fine-tune, and again: what a fine-tuning has won, the next round may spend."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from keras_prune.methods.filter_agent.agent import FilterAgentResult
from keras_prune.methods.filter_agent.search import Row
from keras_prune.methods.outcome import Outcome

Search = Callable[[Outcome, int, Callable[[FilterAgentResult], None]], FilterAgentResult]


@dataclass
class Rounds:
    """What the rounds so far have come to.

    Args:
        kept: the model at the end of the last round, and the plan that leads to it from the
            original.
        history: one row of figures per step of every round.
        untouched: group -> why the last round pruned nothing there.
    """

    kept: Outcome
    history: list[Row] = field(default_factory=list)
    untouched: dict[str, str] = field(default_factory=dict)

    def with_search(self, number: int, found: FilterAgentResult) -> "Rounds":
        """These rounds and the search of one that is under way."""
        rows = [{"round": number} | row for row in found.history]
        plan = self.kept.plan.then(found.plan)
        return Rounds(replace(self.kept, plan=plan), self.history + rows, found.untouched)

    def with_kept(self, kept: Outcome) -> Outcome:
        """What is kept after a round; where that is nothing new, only its notes are."""
        notes = (*self.kept.notes, *kept.notes)
        if not kept.plan.kept:
            return replace(self.kept, notes=notes)
        return replace(kept, plan=self.kept.plan.then(kept.plan), notes=notes)


def prune_in_rounds(
    start: Outcome,
    rounds: int,
    *,
    search: Search,
    keep: Callable[[Outcome, FilterAgentResult], Outcome],
    save: Callable[[Rounds], None],
) -> Rounds:
    """Prunes and fine-tunes in turn, until a round finds or keeps nothing.

    Args:
        start: the original model, with a plan that drops nothing.
        rounds: how many rounds at most.
        search: prunes what is left; called with that, the round's number from 1 and what to call
            after every group.
        keep: fine-tunes what a search found and backs off while it costs too much.
        save: called after every group with all there is so far.
    """
    done = Rounds(start)
    for number in range(1, rounds + 1):
        before = done
        found = search(before.kept, number, partial(_save, save, before, number))
        done = replace(before.with_search(number, found), kept=before.kept)
        if not found.plan.kept:
            break
        kept = keep(before.kept, found)
        done.kept = before.with_kept(kept)
        if not kept.plan.kept:
            break
    return done


def _save(
    save: Callable[[Rounds], None], before: Rounds, number: int, found: FilterAgentResult
) -> None:
    save(before.with_search(number, found))
