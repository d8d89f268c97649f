"""The 22 tasks of Table 1, a file each: what the data set is, its formatter, and its rows in the micro-world. Light.

Hub revisions are commits. They were found beside their repository in public code or on stored pages of the hub, never
fetched by this project's tests; a task's ``hub.note`` says where that is not certain. Licences are those that the data
sets' cards or authors state. To add a data set, write such a file and name it here.
"""

from __future__ import annotations

from w2s.nlp.task import Task
from w2s.nlp.tasks import (
    anli,
    boolq,
    cola,
    cosmos_qa,
    dream,
    ethics_deontology,
    ethics_justice,
    ethics_utilitarianism,
    ethics_virtue,
    hellaswag,
    mc_taco,
    multirc,
    openbookqa,
    paws,
    piqa,
    quail,
    quartz,
    sciq,
    social_i_qa,
    sst2,
    twitter_sentiment,
    wic,
)
from w2s.nlp.world import Topic

TASKS: dict[str, Task] = {
    one.TASK.name: one.TASK
    for one in (
        boolq,
        cosmos_qa,
        dream,
        ethics_justice,
        ethics_deontology,
        ethics_virtue,
        ethics_utilitarianism,
        anli,
        cola,
        sst2,
        hellaswag,
        mc_taco,
        openbookqa,
        paws,
        quail,
        piqa,
        quartz,
        sciq,
        social_i_qa,
        multirc,
        wic,
        twitter_sentiment,
    )
}
# What the micro-world's corpus speaks of. The order is that of the generator's draws: new ones come last.
TOPICS: dict[str, Topic] = {
    name: topic
    for name in (
        "boolq",
        "sciq",
        "dream",
        "anli",
        "cosmos_qa",
        "quail",
        "openbookqa",
        "hellaswag",
        "mc_taco",
        "multirc",
        "social_i_qa",
        "piqa",
        "twitter_sentiment",
        "sst2",
        "paws",
        "ethics_utilitarianism",
        "cola",
        "ethics_justice",
        "ethics_deontology",
        "ethics_virtue",
        "wic",
        "quartz",
    )
    if (topic := TASKS[name].topic)
}
