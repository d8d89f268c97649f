"""Tokens of answers and of joined pieces are those of the whole text, whatever stands before a text alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from w2s.chess.finetune import Player
from w2s.engine.memory import Budget
from w2s.models import classifier, context, decoder, encoding, generator
from w2s.models.classifier import Computing
from w2s.models.tokenizer import train_tokenizer
from w2s.nlp.prompting.stage import Prompter
from w2s.nlp.specs import PromptSpec
from w2s.reward import rewarder
from w2s.reward.finetune import encoded
from w2s.reward.generative_finetuning import completions

KINDS = ("llama-2", "metaspace", "gemma", "byte-level")
PREFIXED = ("llama-2", "metaspace")  # those that put a space before every text
CORPUS = [
    "Question: is it so?\nAnswer: yes\n\n",
    "Question: is it so?\nAnswer: no\n\n",
    "1. e4 1... e5 2. Nf3 2... Nc6",
] * 9
QUESTION, SHOT = "Question: is it so?\nAnswer:", ("Question: is it so?\nAnswer:", 1)
SPACE = "\u2581"


def trained(kind: str) -> Tokenizer:
    """A tiny tokenizer of a kind, which puts a start token before and an end token behind every text."""
    if kind == "byte-level":
        made = train_tokenizer(CORPUS, 300)
        end = made.token_to_id("<|endoftext|>")
        template = ("<|endoftext|> $A <|endoftext|>", [("<|endoftext|>", end)])
    else:
        made = Tokenizer(models.BPE(unk_token="<unk>"))
        replaced = normalizers.Replace(" ", SPACE)
        if kind == "llama-2":
            made.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), replaced])
        elif kind == "gemma":
            made.normalizer = replaced
        else:
            made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
        trainer = trainers.BpeTrainer(
            vocab_size=300, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False, max_token_length=5
        )
        # Words alone are trained on, so that no piece spans two of them, as in published tokenizers.
        gap = "" if kind == "llama-2" else " "
        words = [f"{gap}{word}" for text in CORPUS for word in text.split()]
        made.train_from_iterator([*words, "\n", ":", "?"], trainer)
        template = ("<s> $A </s>", [("<s>", 1), ("</s>", 2)])
    made.post_processor = processors.TemplateProcessing(single=template[0], special_tokens=template[1])
    return made


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(models: dict[str, Path], tmp_path: Path, kind: str) -> Path:
    """An open model (untied) with a tokenizer of this kind."""
    folder = tmp_path / "model"
    shutil.copytree(models["llama"], folder)
    trained(kind).save(str(folder / "tokenizer.json"))
    end = "<|endoftext|>" if kind == "byte-level" else "</s>"
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def whole(model: Path, text: str) -> list[int]:
    return encoding.bare_ids(encoding.tokenizer_of(model), [text])[0]


def test_the_tokenizers_do_what_is_tested(kind: str) -> None:
    tokenizer = trained(kind)
    alone = tokenizer.encode(" yes", add_special_tokens=False).tokens
    joined = tokenizer.encode(f"{QUESTION} yes", add_special_tokens=False).tokens
    assert len(tokenizer.encode("a").ids) == len(tokenizer.encode("a", add_special_tokens=False).ids) + 2
    assert joined[-1] == ("\u0120yes" if kind == "byte-level" else f"{SPACE}yes")
    assert (len(alone) > 1) == (kind == "llama-2") or kind == "metaspace"


def test_an_answer_has_the_tokens_that_it_has_behind_its_prompt(model: Path) -> None:
    tokenizer = encoding.tokenizer_of(model)
    for answer in (" yes", " no", "yes", " e5 Nf3", ""):
        (ids,) = context.following(tokenizer, [QUESTION], [answer])
        assert whole(model, QUESTION) + ids == whole(model, QUESTION + answer)
        assert context.words(tokenizer, [answer]) == [ids]
    assert context.following(tokenizer, ["", QUESTION], ["Question", " yes"]) == [
        whole(model, "Question"),
        whole(model, f"{QUESTION} yes")[len(whole(model, QUESTION)) :],
    ]


@pytest.mark.parametrize("kind", ["byte-level"])
def test_byte_level_tokens_are_those_of_the_text_alone(model: Path) -> None:
    tokenizer = encoding.tokenizer_of(model)
    texts = [" yes", "no", "\n\n", "\n\nHuman:", " Nf3 e5", "", "Question: is it so?"]
    alone = encoding.bare_ids(tokenizer, texts)
    for before in ("", QUESTION, "so?", "\n\n", "1. e4 1..."):
        assert context.following(tokenizer, [before] * len(texts), texts) == alone
    assert context.words(tokenizer, texts) == alone


@pytest.mark.parametrize("kind", PREFIXED)
def test_where_a_token_spans_the_border_no_space_is_made_up(model: Path) -> None:
    tokenizer = encoding.tokenizer_of(model)
    (ids,) = context.following(tokenizer, ["Quest"], ["ion"])
    assert ids == context.following(tokenizer, [":"], ["ion"])[0]
    assert ids != whole(model, "ion")


def test_heads_start_as_the_row_of_an_answers_own_token(model: Path) -> None:
    unembedding = decoder.read_weights(model)[decoder.UNEMBEDDING]
    expected = torch.stack([unembedding[whole(model, QUESTION + answer)[-1]] for answer in (" no", " yes")])
    assert torch.equal(classifier.load(model, (" no", " yes"), Computing()).head.weight, expected)
    assert torch.equal(rewarder.load(model, " yes", 16).head.weight, expected[1:])


@pytest.mark.parametrize("instruction", ["", "Answer: yes no"])
def test_a_prompt_has_the_tokens_of_its_text(model: Path, kind: str, instruction: str) -> None:
    given: dict[str, Any] = {"task": "sciq", "instruction": instruction, "answers": [" no", " yes"], "between": "\n\n"}
    given |= {"max_length": None, "shots": 1, "draws": 1, "half": "strong", "seed": 0}
    network = generator.load(model).eval()
    mine = Prompter(network, model, PromptSpec.from_spec(given), Budget(10_000))
    start = encoding.start_of(mine.tokenizer)
    for shots in ([], [SHOT]):
        pieces = mine.pieces(shots, [QUESTION])
        found = [*pieces.head, *(token for shot in pieces.shots for token in shot), *pieces.questions[0]]
        before = f"{instruction}\n\n" if instruction else ""
        before += "".join(f"{text} yes\n\n" for text, _ in shots)
        if kind == "byte-level":  # two line breaks are one token alone, and two before a word: as it always was
            assert encoding.texts_of(mine.tokenizer, [found]) == [before + QUESTION]
        else:
            assert found == start + whole(model, before + QUESTION)
        assert pieces.scored == [[whole(model, QUESTION + answer)[-1] for answer in (" no", " yes")]]
        with torch.no_grad():
            logits = network(torch.tensor([found]), torch.tensor([0]), torch.tensor([len(found) - 1]))[0].double()
        no, yes = logits.softmax(-1)[pieces.scored[0]].tolist()
        assert mine.answer(pieces).probability[0] == pytest.approx(yes / (no + yes), abs=1e-5)


def test_chess_learns_moves_behind_their_prompts(model: Path) -> None:
    player = Player(generator.load(model), model, "pgn", 32, Budget(10_000))
    prompts, answers = ["1. e4 1...", "1. e4 1... e5 2. Nf3 2..."], [" e5", " Nc6"]
    learned = player.answer_tokens(prompts, answers)
    for prompt, answer, tokens, given in zip(prompts, answers, learned, player.prompt_tokens(prompts), strict=True):
        assert given + tokens == [*encoding.start_of(player.tokenizer), *whole(model, prompt + answer), player.end]


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The one pair of a reward task."""
    from w2s.engine import artifacts

    table = {"id": ["one"], "part": ["weak"], "prefix": [QUESTION], "first": [" no"], "second": [" yes"], "label": [1]}

    monkeypatch.setattr(artifacts, "read_table", lambda path: pa.table(table))
    return table


@pytest.mark.usefixtures("pairs")
def test_completions_are_read_and_learned_behind_their_prefixes(model: Path, tmp_path: Path) -> None:
    start = encoding.start_of(encoding.tokenizer_of(model))
    for cue in ("", "\n\nAnswer:"):
        pair = encoded(tmp_path, model, cue, 64)["weak"].pairs.pair(0)
        found = {(*pair.prefix, *completion) for completion in (pair.low, pair.high)}
        behind = context.words(encoding.tokenizer_of(model), [cue])[0]
        assert found == {(*start, *whole(model, QUESTION + answer), *behind) for answer in (" no", " yes")}
    learned = completions(tmp_path, model, 64)
    end = encoding.end_of(model)
    for number, answer in enumerate((" no", " yes")):
        text = [*start, *whole(model, QUESTION + answer), end]
        assert [*learned.inputs.ids(number), end] == text
        assert learned.targets[number] == text[-len(learned.targets[number]) :]
