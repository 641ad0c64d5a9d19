"""What live probing is configured to do: its probes, its languages, and what one text costs."""

from __future__ import annotations

from dataclasses import dataclass

from probes import battery as batteries
from probes import perturbations
from probes.languages import codes
from probes.steps import Battery, BatteryError
from service.settings import Settings, SettingsError

OTHER = "other"
"""The label of every language we have no data for."""
MOST_CHARS = 2_000
"""Longer texts are counted, not probed: they would hold the prober up."""
_STRENGTH = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings of live probing, read and found to be possible."""

    battery: Battery
    languages: frozenset[str]
    """Empty for all."""

    @property
    def families(self) -> tuple[str, ...]:
        """The labels of the probes."""
        return tuple(step.name for step in self.battery.steps)

    @property
    def cost(self) -> int:
        """Model calls that one text takes at most."""
        return 1 + sum(step.draws for step in self.battery.steps)


def plan(settings: Settings) -> Plan:
    """SettingsError where the settings name what is not there."""
    languages = frozenset(listed(settings.live_languages))
    if unknown := sorted(languages - set(codes())):
        raise SettingsError(f"BABELPROOF_LIVE_LANGUAGES names {', '.join(unknown)}; `babelproof list languages`")
    if settings.live_rate > 1:
        raise SettingsError(f"BABELPROOF_LIVE_RATE is a share of the texts, at most 1, not {settings.live_rate:g}")
    try:
        found = _battery(settings.live_probes)
    except BatteryError as error:
        raise SettingsError(f"BABELPROOF_LIVE_PROBES: {error}") from None
    if attacks := [step.name for step in found.steps if step.kind == "attack"]:
        raise SettingsError(f"BABELPROOF_LIVE_PROBES: {', '.join(attacks)} is an attack; live probing only draws noise")
    return Plan(found, languages)


def label(lang: str) -> str:
    """The language as a label of metrics; whatever is not known here is one."""
    return lang if lang in _KNOWN else OTHER


def listed(text: str | None) -> list[str]:
    """The parts of a setting that commas keep apart."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _battery(said: str) -> Battery:
    if said in batteries.names():
        return batteries.load(said)
    names = listed(said)
    if unknown := [name for name in names if name not in perturbations.names()]:
        known = ", ".join(batteries.names())
        raise BatteryError(f"there is no perturbation {unknown[0]}; `babelproof list perturbations`, or one of {known}")
    steps = [{"name": name, "perturbations": [name], "strength": _STRENGTH} for name in names]
    return batteries.parse({"name": "live", "steps": steps}, plugins=False)


_KNOWN = frozenset({*codes(), "und"})
