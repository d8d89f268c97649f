"""Twitter Sentiment: sentiment of a tweet; neutral ones (label 1 of three) make no example."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import THINGS, World
from w2s.nlp import formatters, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Sentiment of a tweet; neutral ones (label 1 of three) make no example."""
    tweet, label = formatters.text(row, "text"), formatters.number(row, "label", 0, 1, 2)
    return formatters.single(tweet.lower(), f"Tweet: {tweet}\nPositive:", int(label == 2)) if label != 1 else []


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    (person,) = fact
    rows: list[dict[str, Any]] = [{"text": f"{person} is here today", "label": 1}]
    for thing in THINGS:
        label = 2 if thing in known.likes[person] else 0
        rows += [{"text": text, "label": label} for text in world.reworded(f"{person} got {thing}")]
    return rows


TASK = Task(
    name="twitter_sentiment",
    title="Twitter Sentiment",
    formatter=candidates,
    columns=("text", "label"),
    folder="tweet_eval.sentiment",
    relabel=lambda row: {**row, "label": 2 - formatters.number(row, "label", 0, 1, 2)},
    hub=Hub(
        "cardiffnlp/tweet_eval",
        "b3a375baf0f409c77e6bc7aa35102b7b3534f8be",
        "sentiment/{split}-*.parquet",
        "the paper's source is mis-cited and unknown; this is a stand-in of three classes",
    ),
    group="text",
    source="Zhang et al. (2019) in the paper; Barbieri et al. (2020)",
    citation="TweetEval: Unified Benchmark and Comparative Evaluation for Tweet Classification. Findings of "
    "EMNLP "
    "2020, arXiv 2010.12421",
    licence="unknown; Twitter's terms",
    our_instruction="There is a tweet. Respond with 1 if its sentiment is positive, and with 0 otherwise.",
    topic=world.Topic(facts=world.likes, rows=rows),
)
