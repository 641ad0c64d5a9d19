"""The model card: what a trained model is, what it learnt from under which licences, and how well it does where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinja2 import Environment, StrictUndefined

from runtime.manifest import Manifest
from training.objective import canonical
from training.recipe import Recipe
from training.scores import Score, mean_accuracy

_CARD = """\
---
license: {{ recipe.licence }}
pipeline_tag: text-classification
language:
{%- for lang in manifest.languages %}
- "{{ lang }}"
{%- endfor %}
---

# {{ recipe.name }}

{{ recipe.description or "A text classifier." }}

- Labels: {{ manifest.labels | join(", ") }}
- Encoder: `{{ manifest.encoder }}`, pooling `{{ recipe.pooling }}`, at most {{ recipe.max_length }} tokens
- Input: {{ "a pair of texts" if manifest.pairs else "one text" }}
- Made by `babelproof-train run {{ recipe.name }} --seed {{ recipe.seed }}`

## Training

{% for stage in stages -%}
- **{{ stage.name }}**: method {{ stage.method }}, \
{{ stage.rows }} rows of {{ stage.data }}, {{ stage.steps }} steps of {{ stage.batch }}, \
learning rate {{ stage.learning_rate }}
{%- if stage.dev_accuracy is not none %}, accuracy {{ "%.3f" % stage.dev_accuracy }} on {{ stage.dev }}{% endif %}
{% endfor %}
## Data and licences

| set | used for | licence |
|---|---|---|
{% for set in sets -%}
| {{ set.name }} | {{ set.use }} | {{ set.licence }} |
{% endfor %}
## Scores
{% if scores %}
Accuracy of the exported model on the test texts, with 95 % Wilson intervals; languages other than those of the \
training data are zero-shot. Mean over {{ scores | length }} languages: {{ "%.1f" % (100 * mean) }} %.

| language | n | accuracy % | interval | macro-F1 % |
|---|---|---|---|---|
{% for row in scores -%}
| {{ row.lang }} | {{ row.n }} | {{ "%.1f" % (100 * row.accuracy) }} | \
{{ "%.1f" % (100 * row.low) }} to {{ "%.1f" % (100 * row.high) }} | {{ "%.1f" % (100 * row.macro_f1) }} |
{% endfor %}
{%- else %}
The recipe names no test data.
{% endif %}
## Limits

The intervals speak of sampling alone. How far small changes of the input move the answer is measured by \
`babelproof run BATTERY --model FOLDER --data FILE`, not here.
"""


def _method(table: Mapping[str, object]) -> str:
    options = ", ".join(f"{key} = {value}" for key, value in table.items() if key != "name")
    return f"`{table['name']}`" + (f" ({options})" if options else "")


def render(recipe: Recipe, manifest: Manifest, results: Sequence[Mapping[str, object]], scores: Sequence[Score]) -> str:
    """The card as Markdown; `results` are rows, steps and dev_accuracy of each stage."""
    stages = [
        {
            "name": stage.name,
            "method": ", ".join(map(_method, canonical(stage.method))),
            "data": ", ".join(f"`{source.source}`" for source in stage.data),
            "dev": ", ".join(f"`{source.source}`" for source in stage.dev),
            "batch": stage.batch,
            "learning_rate": stage.learning_rate,
            **result,
        }
        for stage, result in zip(recipe.stage, results, strict=True)
    ]
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    return environment.from_string(_CARD).render(
        recipe=recipe,
        manifest=manifest,
        stages=stages,
        sets=_sets(recipe),
        scores=scores,
        mean=mean_accuracy(scores) if scores else None,
    )


def _sets(recipe: Recipe) -> list[dict[str, str]]:
    """Each set once, with everything it is used for."""
    uses: dict[str, list[str]] = {}
    for use, sources in (
        ("training", [source for stage in recipe.stage for source in stage.data]),
        ("choosing the checkpoint", [source for stage in recipe.stage for source in stage.dev]),
        ("scoring", recipe.test.data),
    ):
        for source in sources:
            known = uses.setdefault(source.set_name, [])
            if use not in known:
                known.append(use)
    return [
        {"name": name, "use": ", ".join(found), "licence": recipe.licences.get(name, "not stated")}
        for name, found in uses.items()
    ]
