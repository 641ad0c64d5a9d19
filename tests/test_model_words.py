"""Words out of models: what a masked language model expects in a word's place, and neighbours in embedding space."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForMaskedLM

from probes import battery, languages, perturbations
from probes.types import Example, Item
from tests.fakes import KeywordClassifier

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
WORDS = ("team", "club", "squad", "the", "won", "команда", "клуб", "42", "st", "##am")


def folder(path: Path, *, marked: bool = False, head: bool = True) -> Path:
    """A masked language model that expects "club", then "клуб", then "squad", wherever a word is masked.

    Its word embeddings are such that "squad" and "команда" are the nearest to "team". marked: pieces begin with ▁.
    """
    mark = "▁" if marked else ""
    vocabulary = {word: number for number, word in enumerate((*SPECIAL, *(mark + word for word in WORDS)))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace() if marked else pre_tokenizers.Whitespace()
    if marked:
        tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), SPECIAL, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=12, **names).save_pretrained(path)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = XLMRobertaConfig(vocab_size=len(vocabulary), max_position_embeddings=16, pad_token_id=1, **sizes)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = XLMRobertaForMaskedLM(config)
    with torch.no_grad():
        table = model.get_input_embeddings().weight
        for bias, word in enumerate(("squad", "клуб", "club", "##am"), 1):
            model.lm_head.bias[vocabulary[mark + word]] = 50.0 * bias
        for share, word in ((0.002, "squad"), (0.004, "команда")):
            table[vocabulary[mark + word]] = table[vocabulary[mark + "team"]] + share * torch.randn(16)
    (model if head else model.roberta).save_pretrained(path)
    return path


def offered(name: str, text: str, lang: str) -> list[tuple[str, str]]:
    edits = perturbations.get(name)(text, languages.get(lang))
    return [(text[edit.start : edit.end], edit.new) for edit in edits]


@pytest.mark.parametrize("marked", [False, True])
def test_a_masked_model_offers_its_likeliest_words_in_script_and_case(tmp_path: Path, marked: bool) -> None:
    name = f"training.masked:{folder(tmp_path, marked=marked)}"
    found = offered(name, "The team won", "en")
    assert [word for word, _ in found] == sorted((word for word, _ in found), key=["The", "team", "won"].index)
    assert [new for word, new in found if word == "The"][:2] == ["Club", "Squad"], "Cyrillic and ##am left out"
    assert (
        ("team", "team") not in found and ("The", "The") not in found and not {"42", "##am"} & {new for _, new in found}
    )
    assert [new for _, new in offered(name, "команда", "ru")][:1] == ["клуб"]
    assert offered(name, "", "en") == []
    assert perturbations.get(name).unit == "word" and "masked language model" in perturbations.describe(name)


def test_a_word_beyond_the_length_of_the_model_has_no_candidates(tmp_path: Path) -> None:
    text = "won " * 20 + "team"
    found = offered(f"training.masked:{folder(tmp_path)}", text, "en")
    assert found and all(word == "won" for word, _ in found)


def test_neighbours_are_the_nearest_whole_words(tmp_path: Path) -> None:
    name = f"training.neighbours:{folder(tmp_path)}"
    assert offered(name, "team", "en")[0] == ("team", "squad")
    assert offered(name, "unheard", "en") == [], "a word that is no piece has no vector of its own"
    assert {new for _, new in offered(name, "команда", "ru")} == {"клуб"}


def test_a_folder_without_the_model_is_refused_where_the_step_is_read(tmp_path: Path) -> None:
    for name in (f"training.masked:{tmp_path}/none", f"training.neighbours:{tmp_path}/none"):
        with pytest.raises(battery.BatteryError, match="no folder of an encoder"):
            battery.parse({"steps": [{"name": "words", "perturbations": [name]}]})
    bare = folder(tmp_path / "bare", head=False)
    with pytest.raises(ValueError, match=r"no masked language model: it has no lm_head"):
        perturbations.get(f"training.masked:{bare}")


def test_an_attack_searches_over_what_the_model_offers(tmp_path: Path) -> None:
    step = {
        "name": "mlm", "kind": "attack", "attack": "synonym", "budget": 40, "strength": 0.5,
        "perturbations": [f"training.masked:{folder(tmp_path)}"],
    }  # fmt: skip
    model = KeywordClassifier({"other": (), "sports": ("team",)})
    [outcome] = battery.run(
        battery.parse({"steps": [step]}), model, [Example("1", Item("the team won"), "en")]
    ).outcomes
    assert outcome.status == "fooled" and outcome.after in ("the club won", "the squad won")
