"""The 22 tasks of Table 1: each is data plus one formatter. Light: no torch, no tables.

Hub revisions are commits. They were found beside their repository in public code or on stored pages of the
hub, never fetched by this project's tests; a task's ``hub.note`` says where that is not certain. Licences are
those that the data sets' cards or authors state.
"""

from __future__ import annotations

from w2s.nlp import formatters, relabel
from w2s.nlp.relabel import exchange, swap
from w2s.nlp.task import Hub, Task

GLUE = Hub("nyu-mll/glue", "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c")
SUPER_GLUE = Hub("aps/super_glue", "3de24cf8022e94f4ee4b9d55a6f539891524d646")
ETHICS_NOTE = (
    "parquet conversion of a script-based repository; seen on one stored page of the hub. "
    "Its validation split is the authors' plain test set, its test split the adversarially filtered one"
)


def _glue(hub: Hub, config: str) -> Hub:
    return Hub(hub.repository, hub.revision, f"{config}/{{split}}-*.parquet")


def _ethics(config: str) -> Hub:
    revision = "6deab74c03e30f13540266e373ce31f8466169f8"
    return Hub("hendrycks/ethics", revision, f"{config}/{{split}}/*.parquet", ETHICS_NOTE)


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            name="boolq",
            title="BoolQ",
            formatter=formatters.boolq,
            columns=("passage", "question", "answer"),
            folder="boolq",
            relabel=exchange("answer", 0, 1),
            hub=Hub("google/boolq", "35b264d03638db9f4ce671b711558bf7ff0f80d5"),
            test="validation",
            group="passage",
            source="Clark et al. (2019)",
            citation="BoolQ: Exploring the Surprising Difficulty of Natural Yes/No Questions. NAACL 2019, arXiv "
            "1905.10044",
            licence="CC BY-SA 3.0",
        ),
        Task(
            name="cosmos_qa",
            title="CosmosQA",
            formatter=formatters.cosmos_qa,
            columns=("context", "question", "answer0", "answer1", "answer2", "answer3", "label"),
            folder="cosmos_qa",
            relabel=exchange("label", 0, 1, 2, 3),
            hub=Hub(
                "allenai/cosmos_qa",
                "ed50fe83db62b355759053b1cd5eef344ee371e0",
                "default/{split}/*.parquet",
                "parquet conversion of a script-based repository",
            ),
            test="validation",
            per_question=True,
            group="context",
            source="Huang et al. (2019)",
            citation="Cosmos QA: Machine Reading Comprehension with Contextual Commonsense Reasoning. EMNLP 2019, "
            "arXiv 1909.00277",
            licence="CC BY 4.0",
            instruction="There is some context, followed by a question about the context, and an answer. "
            "Respond with 1 if the answer is correct, and 0 otherwise.",
        ),
        Task(
            name="dream",
            title="DREAM",
            formatter=formatters.dream,
            columns=("dialogue_id", "dialogue", "question", "choice", "answer"),
            folder="dream",
            relabel=relabel.next_choice,
            hub=Hub(
                "dataset-org/dream",
                "ca4c45feaf089ecfc37579eb2c594375f70dbfd5",
                "plain_text/{split}/*.parquet",
                "parquet conversion of a script-based repository; seen in one project",
            ),
            per_question=True,
            group="dialogue",
            source="Sun et al. (2019)",
            citation="DREAM: A Challenge Dataset and Models for Dialogue-Based Reading Comprehension. TACL 7, 2019, "
            "arXiv 1902.00164",
            licence="non-commercial research",
        ),
        Task(
            name="ethics_justice",
            title="ETHICS [Justice]",
            formatter=formatters.ethics_justice,
            columns=("scenario", "label"),
            folder="ethics.justice",
            relabel=exchange("label", 0, 1),
            hub=_ethics("justice"),
            test="validation",
            group="first five words",
            source="Hendrycks et al. (2020)",
            citation="Aligning AI With Shared Human Values. ICLR 2021, arXiv 2008.02275",
            licence="MIT",
            instruction="There is a statement. Respond with 1 if it is correct or just and with 0 otherwise.",
        ),
        Task(
            name="ethics_deontology",
            title="ETHICS [Deontology]",
            formatter=formatters.ethics_deontology,
            columns=("scenario", "excuse", "label"),
            folder="ethics.deontology",
            relabel=exchange("label", 0, 1),
            hub=_ethics("deontology"),
            test="validation",
            group="request",
            source="Hendrycks et al. (2020)",
            citation="Aligning AI With Shared Human Values. ICLR 2021, arXiv 2008.02275",
            licence="MIT",
            instruction="There is a short scenario, consisting of a situation or request, followed by an excuse. "
            "Respond with 1 if the excuse is valid, and with 0 otherwise.",
        ),
        Task(
            name="ethics_virtue",
            title="ETHICS [Virtue]",
            formatter=formatters.ethics_virtue,
            columns=("scenario", "label"),
            folder="ethics.virtue",
            relabel=exchange("label", 0, 1),
            hub=_ethics("virtue"),
            test="validation",
            group="scenario",
            source="Hendrycks et al. (2020)",
            citation="Aligning AI With Shared Human Values. ICLR 2021, arXiv 2008.02275",
            licence="MIT",
            instruction="There is a short scenario, followed by a judgement of the person involved. "
            "Respond with 1 if the judgement is correct, otherwise respond with 0.",
        ),
        Task(
            name="ethics_utilitarianism",
            title="ETHICS [Utilitarianism]",
            formatter=formatters.ethics_utilitarianism,
            columns=("baseline", "less_pleasant"),
            folder="ethics.utilitarianism",
            relabel=swap("baseline", "less_pleasant"),
            hub=_ethics("utilitarianism"),
            test="validation",
            group="either event",
            source="Hendrycks et al. (2020)",
            citation="Aligning AI With Shared Human Values. ICLR 2021, arXiv 2008.02275",
            licence="MIT",
        ),
        Task(
            name="anli",
            title="FLAN ANLI R2",
            formatter=formatters.anli,
            columns=("premise", "hypothesis", "label"),
            folder="anli",
            relabel=lambda row: {**row, "label": type(row["label"])(0 if int(row["label"]) else 1)},
            hub=Hub("facebook/anli", "8e4813d81f46d313dac7892e1c28076917cfcdf9", "plain_text/{split}-*.parquet"),
            train="train_r2",
            test="test_r2",
            group="premise",
            source="Nie et al. (2019); Wei et al. (2021)",
            citation="Adversarial NLI: A New Benchmark for Natural Language Understanding. ACL 2020, arXiv 1910.14599",
            licence="CC BY-NC 4.0",
        ),
        Task(
            name="cola",
            title="GLUE CoLA",
            formatter=formatters.cola,
            columns=("sentence", "label"),
            folder="glue.cola",
            relabel=exchange("label", 0, 1),
            hub=_glue(GLUE, "cola"),
            test="validation",
            group="sentence",
            source="Wang et al. (2019); Warstadt et al. (2019)",
            citation="Neural Network Acceptability Judgments. TACL 7, 2019, arXiv 1805.12471",
            licence="unclear",
        ),
        Task(
            name="sst2",
            title="GLUE SST-2",
            formatter=formatters.sst2,
            columns=("sentence", "label"),
            folder="glue.sst2",
            relabel=exchange("label", 0, 1),
            hub=_glue(GLUE, "sst2"),
            test="validation",
            group="first four words",
            source="Wang et al. (2019); Socher et al. (2013)",
            citation="Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank. EMNLP 2013",
            licence="unknown",
        ),
        Task(
            name="hellaswag",
            title="HellaSwag",
            formatter=formatters.hellaswag,
            columns=("activity_label", "ctx", "endings", "label"),
            folder="hellaswag",
            relabel=relabel.next_ending,
            hub=Hub("Rowan/hellaswag", "218ec52e09a7e7462a5400043bb9a69a41d06b76"),
            test="validation",
            per_question=True,
            group="video or article",
            source="Zellers et al. (2019)",
            citation="HellaSwag: Can a Machine Really Finish Your Sentence? ACL 2019, arXiv 1905.07830",
            licence="MIT",
        ),
        Task(
            name="mc_taco",
            title="MCTACO",
            formatter=formatters.mc_taco,
            columns=("sentence", "question", "answer", "label"),
            folder="mc_taco",
            relabel=exchange("label", 0, 1),
            hub=Hub(
                "CogComp/mc_taco",
                "refs/convert/parquet",
                "plain_text/{split}/*.parquet",
                "script-based; only the branch of the parquet conversion is known, not a commit of it. "
                "It has no train split: its larger one, test, is trained on",
            ),
            train="test",
            test="validation",
            per_question=True,
            group="sentence",
            source="Zhou et al. (2019)",
            citation='"Going on a vacation" takes longer than "Going for a walk": A Study of Temporal Commonsense '
            "Understanding. EMNLP 2019, arXiv 1909.03065",
            licence="unknown",
        ),
        Task(
            name="openbookqa",
            title="OpenBookQA",
            formatter=formatters.openbookqa,
            columns=("question_stem", "choices", "answerKey"),
            folder="openbookqa.main",
            relabel=relabel.next_letter,
            hub=Hub("allenai/openbookqa", "388097ea7776314e93a529163e0fea805b8a6454", "main/{split}-*.parquet"),
            per_question=True,
            group="question",
            source="Mihaylov et al. (2018)",
            citation="Can a Suit of Armor Conduct Electricity? A New Dataset for Open Book Question Answering. EMNLP "
            "2018, "
            "arXiv 1809.02789",
            licence="unknown",
        ),
        Task(
            name="paws",
            title="PAWS",
            formatter=formatters.paws,
            columns=("sentence1", "sentence2", "label"),
            folder="paws.labeled_final",
            relabel=exchange("label", 0, 1),
            hub=Hub(
                "google-research-datasets/paws",
                "161ece9501cf0a11f3e48bd356eaa82de46d6a09",
                "labeled_final/{split}-*.parquet",
            ),
            group="words of either sentence",
            source="Zhang et al. (2019)",
            citation="PAWS: Paraphrase Adversaries from Word Scrambling. NAACL 2019, arXiv 1904.01130",
            licence="free use, acknowledgement asked",
        ),
        Task(
            name="quail",
            title="QuAIL",
            formatter=formatters.quail,
            columns=("context_id", "context", "question", "answers", "correct_answer_id"),
            folder="quail",
            relabel=relabel.next_answer,
            hub=Hub(
                "textmachinelab/quail",
                "2bd9d7f90a532fe1a910b70972cef5fda341c8fe",
                "quail/{split}-*.parquet",
                "the commit that converted it to parquet; seen on one stored page of the hub",
            ),
            test="validation",
            per_question=True,
            group="text",
            source="Rogers et al. (2020)",
            citation="Getting Closer to AI Complete Question Answering: A Set of Prerequisite Real Tasks. AAAI 2020",
            licence="CC BY-NC-SA 4.0",
            instruction="There is a news context, followed by a question about the context, and an answer to the "
            "question. Respond with 1 if the answer is correct, and with 0 otherwise.",
        ),
        Task(
            name="piqa",
            title="PIQA",
            formatter=formatters.piqa,
            columns=("goal", "sol1", "sol2", "label"),
            folder="piqa",
            relabel=exchange("label", 0, 1),
            hub=Hub(
                "baber/piqa",
                "142f6d7367fd9877f0fb3b5734ea6a545f54cdd1",
                "piqa_{split}.parquet",
                "a mirror; the first-party repository ybisk/piqa is script-based",
            ),
            test="validation",
            per_question=True,
            group="goal",
            source="Bisk et al. (2020)",
            citation="PIQA: Reasoning about Physical Commonsense in Natural Language. AAAI 2020, arXiv 1911.11641",
            licence="unknown",
        ),
        Task(
            name="quartz",
            title="QuaRTz",
            formatter=formatters.quartz,
            columns=("para", "question", "choices", "answerKey"),
            folder="quartz",
            relabel=relabel.next_letter,
            hub=Hub("allenai/quartz", "28c1dbb56caf81799296cb17892fa73402e23464"),
            per_question=True,
            group="paragraph",
            source="Tafjord et al. (2019)",
            citation="QuaRTz: An Open-Domain Dataset of Qualitative Relationship Questions. EMNLP 2019, arXiv "
            "1909.03553",
            licence="CC BY 4.0",
        ),
        Task(
            name="sciq",
            title="SciQ",
            formatter=formatters.sciq,
            columns=("question", "correct_answer", "distractor1", "distractor2", "distractor3"),
            folder="sciq",
            relabel=swap("correct_answer", "distractor1"),
            hub=Hub("allenai/sciq", "2c94ad3e1aafab77146f384e23536f97a4849815"),
            per_question=True,
            group="question",
            source="Welbl et al. (2017)",
            citation="Crowdsourcing Multiple Choice Science Questions. W-NUT 2017, arXiv 1707.06209",
            licence="CC BY-NC 3.0",
            instruction="There is a science knowledge question, followed by an answer. Respond with 1 if the answer is "
            "correct, and with 0 otherwise.",
        ),
        Task(
            name="social_i_qa",
            title="Social IQa",
            formatter=formatters.social_i_qa,
            columns=("context", "question", "answerA", "answerB", "answerC", "label"),
            folder="social_i_qa",
            relabel=exchange("label", 1, 2, 3),
            hub=Hub(
                "lighteval/siqa",
                "54c6a1f8cb6daf4f5abf24a601852612fb35eb25",
                note="a mirror; the first-party repository allenai/social_i_qa is script-based",
            ),
            test="validation",
            per_question=True,
            group="context",
            source="Sap et al. (2019)",
            citation="Social IQa: Commonsense Reasoning about Social Interactions. EMNLP 2019, arXiv 1904.09728",
            licence="none stated",
            instruction="There is some context, followed by a social question, followed by an answer. Respond with 1 "
            "if "
            "the answer is correct, and 0 otherwise.",
        ),
        Task(
            name="multirc",
            title="SuperGLUE MultiRC",
            formatter=formatters.multirc,
            columns=("paragraph", "question", "answer", "label"),
            folder="super_glue.multirc",
            relabel=exchange("label", 0, 1),
            hub=_glue(SUPER_GLUE, "multirc"),
            test="validation",
            per_question=True,
            group="paragraph",
            source="Wang et al. (2019); Khashabi et al. (2018)",
            citation="Looking Beyond the Surface: A Challenge Set for Reading Comprehension over Multiple Sentences. "
            "NAACL 2018",
            licence="unknown",
        ),
        Task(
            name="wic",
            title="SuperGLUE WiC",
            formatter=formatters.wic,
            columns=("word", "sentence1", "sentence2", "label"),
            folder="super_glue.wic",
            relabel=exchange("label", 0, 1),
            hub=_glue(SUPER_GLUE, "wic"),
            test="validation",
            group="word",
            source="Wang et al. (2019); Pilehvar and Camacho-Collados (2018)",
            citation="WiC: the Word-in-Context Dataset for Evaluating Context-Sensitive Meaning Representations. "
            "NAACL 2019, "
            "arXiv 1808.09121",
            licence="CC BY-NC 4.0",
        ),
        Task(
            name="twitter_sentiment",
            title="Twitter Sentiment",
            formatter=formatters.twitter_sentiment,
            columns=("text", "label"),
            folder="tweet_eval.sentiment",
            relabel=lambda row: {**row, "label": type(row["label"])(2 - int(row["label"]))},
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
        ),
    )
}
