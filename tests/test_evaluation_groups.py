"""Families, branches, scripts and resource classes: one group a language, sources named."""

from __future__ import annotations

import pytest

from probes import languages
from training.evaluation.groups import UNCLASSED, Grouping, groupings


@pytest.mark.parametrize("grouping", groupings(), ids=lambda grouping: grouping.name)
def test_every_known_language_has_one_group_and_every_grouping_a_source(grouping: Grouping) -> None:
    members = [lang for group in grouping.groups.values() for lang in group]
    assert len(members) == len(set(members))
    assert grouping.source
    family = next(own for own in groupings() if own.name == "family")
    wanted = set(family.groups["Indo-European"]) if grouping.name == "branch" else set(languages.codes())
    assert wanted <= set(members)


def test_scripts_are_those_of_the_language_files() -> None:
    scripts = next(own for own in groupings() if own.name == "script")
    for group, members in scripts.groups.items():
        for lang in set(members) & set(languages.codes()):
            assert all(script in languages.get(lang).scripts for script in group.replace(" and", ",").split(", "))


def test_what_has_no_group_is_unclassed_and_comes_last() -> None:
    resource = next(own for own in groupings() if own.name == "resource")
    assert list(resource.of(["tlh", "sw", "en"]).items()) == [("2", ("sw",)), ("5", ("en",)), (UNCLASSED, ("tlh",))]
    assert resource.of(["zh-Hant"]) == {"5": ("zh-Hant",)}
