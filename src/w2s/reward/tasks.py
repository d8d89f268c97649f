"""The tasks of the reward setting: preference data sets, each data plus one formatter. Light, as ``w2s.nlp.tasks``.

Hub revisions were found beside their repository in public code or on stored pages of the hub, never fetched by this
project's tests; a task's ``hub.note`` says where that, or how its files are named at that commit, is not certain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from w2s.engine.hub import Hub
from w2s.reward import formatters as pairs
from w2s.reward.formatters import Comparison, Row

HH = ("Anthropic/hh-rlhf", "09be8c5bbc57cb3887f3a9732ad6aa7ec602a1fa")
CONVERTED = "*[/-]{split}[/.-]*parquet"  # both ways in which the hub's own conversion has named its files


@dataclass(frozen=True, slots=True)
class PreferenceTask:
    """A data set of comparisons.

    name: in configs and paths. formatter: a raw row as a comparison. columns: what the formatter reads. folder: its
    usual name in a directory of data sets. train, test: the splits that are used by default, with their folder where
    they have one ("none": the test set is cut from the training rows). files of the hub: a pattern over paths in the
    repository, in which * crosses folders.
    """

    name: str
    title: str
    formatter: Callable[[Row], Comparison]
    columns: tuple[str, ...]
    folder: str
    hub: Hub
    train: str = "train"
    test: str = "test"
    source: str = ""
    licence: str = ""


PREFERENCES: dict[str, PreferenceTask] = {
    task.name: task
    for task in (
        PreferenceTask(
            name="hh",
            title="Anthropic HH-RLHF",
            formatter=pairs.hh,
            columns=("chosen", "rejected"),
            folder="anthropic_hh",
            # four folders of helpful and harmless dialogues; the red team's, without comparisons, is named otherwise
            hub=Hub(*HH, "*/{split}.jsonl.gz"),
            source="Bai et al. (2022)",
            licence="MIT",
        ),
        *(
            PreferenceTask(
                name=f"hh_{kind}",
                title=f"Anthropic HH-RLHF, {kind} dialogues",
                formatter=pairs.hh,
                columns=("chosen", "rejected"),
                folder="anthropic_hh",
                hub=Hub(*HH, "{split}.jsonl.gz"),
                train=f"{folders}/train",
                test=f"{folders}/test",
                source="Bai et al. (2022)",
                licence="MIT",
            )
            for kind, folders in (("helpful", "helpful-*"), ("harmless", "harmless-*"))
        ),
        PreferenceTask(
            name="summarize",
            title="OpenAI summarize-from-feedback",
            formatter=pairs.summarize,
            columns=("info", "summaries", "choice"),
            folder="summarize_from_feedback",
            hub=Hub(
                "openai/summarize_from_feedback",
                "9d1fbdc4a16f425e0faa6b57aa2cfbbb24eec9a3",
                "comparisons" + CONVERTED,
                "parquet conversion of a script-based repository; seen on one stored page of the hub",
            ),
            test="validation",
            source="Stiennon et al. (2020)",
        ),
        PreferenceTask(
            name="shp",
            title="Stanford Human Preferences",
            formatter=pairs.shp,
            columns=("history", "human_ref_A", "human_ref_B", "labels"),
            folder="SHP",
            hub=Hub(
                "stanfordnlp/SHP",
                "903330278f9ddef8ff06181ee724a10e3a2ebd90",
                CONVERTED,
                "parquet conversion; seen on one stored page of the hub",
            ),
            source="Ethayarajh et al. (2022)",
        ),
        PreferenceTask(
            name="webgpt",
            title="OpenAI WebGPT comparisons",
            formatter=pairs.webgpt,
            columns=("question", "answer_0", "score_0", "answer_1", "score_1"),
            folder="webgpt_comparisons",
            hub=Hub(
                "openai/webgpt_comparisons",
                "88849d3bc5f4b3d0ef1b1157cd1b01e09a200264",
                CONVERTED,
                "parquet conversion of a script-based repository; seen on one stored page of the hub",
            ),
            test="none",
            source="Nakano et al. (2021)",
        ),
    )
}
