"""From finding to fix: a battery under each defence, what it gains and what it costs clean texts, and the choice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from probes import battery as batteries
from probes import defences
from probes.defences import Defended
from probes.registry import unknown
from probes.report import Report
from probes.statistics.comparison import ALL, CLEAN, Contrast, compare
from probes.steps import Battery
from probes.types import Classifier, Example

FORMAT = "babelproof-fix/1"

USUAL = (
    *((name,) for name in defences.names()),
    ("strip-invisible", "resolve-bidi", "obey-controls"),
    ("obey-controls", "resolve-bidi", "strip-invisible", "repair-script"),
    ("obey-controls", "resolve-bidi", "strip-invisible", "repair-script", "nfkc"),
)
"""Chains of defences that are tried where none are named."""

Progress = Callable[[str, int, int], None]


class FixError(ValueError):
    """Nothing can be said of a fix; the message says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One chain of defences against no defence, by language: the clean texts, and all texts under the battery.

    A Contrast's second is with the defence; its difference has a paired interval over texts. gain: mean of the
    languages' differences under the battery, each the share of texts right before and after. loss: the largest share
    of clean texts a language loses, below 0 where every language gains. front: no other chain both gains more and
    loses less.
    """

    defences: tuple[str, ...]
    clean: tuple[Contrast, ...]
    attacked: tuple[Contrast, ...]
    gain: float
    loss: float
    front: bool = False

    @property
    def name(self) -> str:
        """The chain as `--defence` takes it."""
        return "+".join(self.defences)


@dataclass(frozen=True, slots=True)
class Fix:
    """Every trial, and the chosen one: of those that cost no language more than max_loss, the one that gains most."""

    trials: tuple[Trial, ...]
    chosen: Trial | None
    max_loss: float

    def to_json(self) -> str:
        """The trials as JSON; equal runs give equal bytes."""
        whole = {"format": FORMAT, "max_loss": self.max_loss, "chosen": self.chosen.name if self.chosen else None}
        return json.dumps(whole | {"trials": [asdict(one) for one in self.trials]}, indent=1, sort_keys=True) + "\n"

    def to_toml(self) -> str:
        """The choice as a configuration: the table `defence` with the chain, in the order in which it is applied."""
        chain = self.chosen.defences if self.chosen else ()
        said = (
            f"gains {100 * self.chosen.gain:.1f} points under the battery, mean over the languages; "
            f"costs no language more than {100 * max(0.0, self.chosen.loss):.1f} points of clean accuracy"
            if self.chosen
            else f"no defence gains anything at a cost of at most {100 * self.max_loss:g} points of clean accuracy"
        )
        return f"# {said}\n[defence]\nchain = {json.dumps(list(chain))}\n"


def fix(
    battery: Battery,
    classifier: Classifier,
    examples: Sequence[Example],
    chains: Sequence[Sequence[str]] = USUAL,
    *,
    max_loss: float = 0.003,
    progress: Progress | None = None,
) -> Fix:
    """Probe a classifier without a defence and with each chain; the noise is the same in every run.

    FixError where an example has no gold label (what a defence costs clean texts could not be seen) or a step is an
    attack (it would search anew against every defence: what is compared must be the same texts).
    """
    if not examples or any(example.label is None for example in examples):
        raise FixError("every example needs a gold label; without it nobody sees what a defence costs clean texts")
    if attacks := [step.name for step in battery.steps if step.kind == "attack"]:
        raise FixError(f"the battery {battery.name} searches ({', '.join(attacks)}); a fix is chosen on noise alone")
    for name in {name for chain in chains for name in chain}:
        if ":" not in name and name not in defences.names():
            raise FixError(str(unknown("defence", name, defences.names())))

    def probed(name: str, model: Classifier) -> Report:
        told = None if progress is None else (lambda done, total: progress(name, done, total))
        return batteries.run(battery, model, examples, progress=told)

    base = probed("no defence", classifier)
    trials = [_trial(base, tuple(chain), probed("+".join(chain), Defended(classifier, chain))) for chain in chains]
    judged = tuple(_judged(trial, trials) for trial in trials)
    fit = [trial for trial in judged if trial.loss <= max_loss and trial.gain > 0]
    return Fix(judged, max(fit, key=lambda trial: (trial.gain, -trial.loss), default=None), max_loss)


def _trial(base: Report, chain: tuple[str, ...], report: Report) -> Trial:
    rows = compare(base, report).rows
    clean, attacked = (tuple(row for row in rows if row.step == step) for step in (CLEAN, ALL))
    if not attacked:
        raise FixError("the battery touches none of these texts")
    gain = fmean(row.second - row.first for row in attacked)
    return Trial(chain, clean, attacked, gain, max(row.first - row.second for row in clean))


def _judged(trial: Trial, trials: Sequence[Trial]) -> Trial:
    """The trial, on the front unless another is at least as good in both and better in one."""
    beaten = any(
        other.gain >= trial.gain and other.loss <= trial.loss and (other.gain, -other.loss) != (trial.gain, -trial.loss)
        for other in trials
    )
    return Trial(trial.defences, trial.clean, trial.attacked, trial.gain, trial.loss, not beaten)
