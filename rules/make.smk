# One rule for each kind of artifact, all from the template `make`. A derived rule states its outputs, its log and, where
# it never computes with a model, the environment; everything else is looked up in the plan by the key in the path.
# Wildcards are constrained wherever two rules would otherwise match the same file.
CPU = "../envs/cpu.yaml"
RUN = "{task}/{rung}/{labels}/{method}/s{seed}-{key}"


# Inputs are ancient(): the key in the path already carries the dependency.
# Outputs are update(...)d: Snakemake deletes other outputs before a job starts, and another workflow may have just made
# them. Commands write to the side and rename, so nothing has to be cleared first.
# The template has no output, so no target matches it.
rule make:
    input:
        ancient(manifests_of_parents),
    log:
        "logs/{key}.log",  # derived rules have their own
    priority: priority
    conda:
        "../envs/gpu.yaml"
    resources:
        mem_mb=mem_mb,
        runtime=runtime,
        gpu=gpu,
        place=1,  # an allocation has one place (profiles/slurm), so the members of a group take turns
    params:
        stage=stage,
        spec=spec,
        parents=parents,
        environment=environment,
        out=directory_of,
        estimate=estimate,
        message=message,
    message:
        "{params.message} -> {params.out}"
    shell:
        "python -m w2s make {params.stage} --spec {params.spec:q} --out {params.out:q} --parents {params.parents:q}"
        " --environment {params.environment:q} --estimate {params.estimate:q} > {log} 2>&1"


# Base models: results/models/


use rule make as corpus with:
    output:
        update("results/models/corpus-{key}/tokenizer.json"),
        update("results/models/corpus-{key}/tokens.npy"),
        update("results/models/corpus-{key}/manifest.json"),
    log:
        "logs/models/corpus-{key}.log",
    conda:
        CPU


use rule make as games with:
    output:
        update("results/models/games-{key}/tokenizer.json"),
        update("results/models/games-{key}/tokens.npy"),
        update("results/models/games-{key}/manifest.json"),
    log:
        "logs/models/games-{key}.log",
    conda:
        CPU


use rule make as dialogues with:
    output:
        update("results/models/dialogues-{key}/tokenizer.json"),
        update("results/models/dialogues-{key}/tokens.npy"),
        update("results/models/dialogues-{key}/manifest.json"),
    log:
        "logs/models/dialogues-{key}.log",
    conda:
        CPU


use rule make as pretrain with:
    output:
        update("results/models/{rung}-{key}/config.json"),
        update("results/models/{rung}-{key}/model.safetensors"),
        update("results/models/{rung}-{key}/tokenizer.json"),
        update("results/models/{rung}-{key}/tokenizer_config.json"),
        update("results/models/{rung}-{key}/manifest.json"),
    log:
        "logs/models/{rung}-{key}.log",
    wildcard_constraints:
        rung="(?!corpus-|games-|dialogues-)[a-z0-9._-]+",


use rule make as open_model with:
    output:
        update("results/models/{rung}-{key}/source.json"),
    log:
        "logs/models/{rung}-{key}.log",
    localrule: True  # may fetch weights: computing nodes often have no network


use rule make as generative_finetuning with:
    output:
        update("results/models/{rung}-{key}/config.json"),
        update("results/models/{rung}-{key}/manifest.json"),
    log:
        "logs/models/{rung}-{key}.log",
    wildcard_constraints:
        rung=r"[a-z0-9._-]+\+generative",


# NLP: results/nlp/


use rule make as data with:
    output:
        update("results/nlp/{task}/data-{key}/examples.parquet"),
        update("results/nlp/{task}/data-{key}/manifest.json"),
    log:
        "logs/nlp/{task}/data-{key}.log",
    conda:
        CPU


# Supervisors, ceilings and students: the path says what a run is trained on.
use rule make as finetune with:
    output:
        update(f"results/nlp/{RUN}/predictions.parquet"),
        update(f"results/nlp/{RUN}/history.csv"),
        update(f"results/nlp/{RUN}/run.json"),
    log:
        f"logs/nlp/{RUN}.log",
    wildcard_constraints:
        method="(?!probe-|(zero|[0-9]+)-shot/)[a-z0-9._-]+",


use rule make as prompt with:
    output:
        update(f"results/nlp/{RUN}/predictions.parquet"),
        update(f"results/nlp/{RUN}/prompt.json"),
    log:
        f"logs/nlp/{RUN}.log",
    wildcard_constraints:
        method="(zero|[0-9]+)-shot",


use rule make as features with:
    output:
        update(f"results/nlp/{RUN}/features.npy"),
        update(f"results/nlp/{RUN}/examples.parquet"),
        update(f"results/nlp/{RUN}/features.json"),
    log:
        f"logs/nlp/{RUN}.log",


use rule make as probe with:
    output:
        update(f"results/nlp/{RUN}/predictions.parquet"),
        update(f"results/nlp/{RUN}/probe.json"),
    log:
        f"logs/nlp/{RUN}.log",
    wildcard_constraints:
        method="probe-[a-z0-9._-]+",
    conda:
        CPU


use rule make as errors with:
    output:
        update(f"results/nlp/{RUN}/errors.json"),
    log:
        f"logs/nlp/{RUN}.log",
    conda:
        CPU


use rule make as levels with:
    output:
        update("results/nlp/{task}/levels-{key}/examples.parquet"),
        update("results/nlp/{task}/levels-{key}/manifest.json"),
    log:
        "logs/nlp/{task}/levels-{key}.log",
    conda:
        CPU


use rule make as judge with:
    output:
        update("results/nlp/{task}/elo-{key}/examples.parquet"),
        update("results/nlp/{task}/elo-{key}/manifest.json"),
    log:
        "logs/nlp/{task}/elo-{key}.log",


use rule make as flip with:
    output:
        update("results/nlp/{task}/{labels}-{key}/predictions.parquet"),
        update("results/nlp/{task}/{labels}-{key}/manifest.json"),
    log:
        "logs/nlp/{task}/{labels}-{key}.log",
    wildcard_constraints:
        labels="flipped-[a-z0-9._-]+",
    conda:
        CPU


use rule make as ensemble with:
    output:
        update("results/nlp/{task}/{labels}-{key}/predictions.parquet"),
        update("results/nlp/{task}/{labels}-{key}/manifest.json"),
    log:
        "logs/nlp/{task}/{labels}-{key}.log",
    wildcard_constraints:
        labels="ensemble-of-[0-9]+",
    conda:
        CPU


# Chess: results/chess/


use rule make as puzzles with:
    output:
        update("results/chess/{task}/data-{key}/examples.parquet"),
        update("results/chess/{task}/data-{key}/manifest.json"),
    log:
        "logs/chess/{task}/data-{key}.log",
    conda:
        CPU


use rule make as generate with:
    output:
        update(f"results/chess/{RUN}/predictions.parquet"),
        update(f"results/chess/{RUN}/history.csv"),
        update(f"results/chess/{RUN}/run.json"),
    log:
        f"logs/chess/{RUN}.log",


# Reward models: results/reward/


use rule make as preferences with:
    output:
        update("results/reward/{task}/data-{key}/examples.parquet"),
        update("results/reward/{task}/data-{key}/manifest.json"),
    log:
        "logs/reward/{task}/data-{key}.log",
    conda:
        CPU


use rule make as reward_model with:
    output:
        update(f"results/reward/{RUN}/predictions.parquet"),
        update(f"results/reward/{RUN}/history.csv"),
        update(f"results/reward/{RUN}/run.json"),
    log:
        f"logs/reward/{RUN}.log",


# Vision: results/vision/


use rule make as images with:
    output:
        update("results/vision/{task}/images-{key}/index.parquet"),
        update("results/vision/{task}/images-{key}/manifest.json"),
    log:
        "logs/vision/{task}/images-{key}.log",
    conda:
        CPU


use rule make as vision_model with:
    output:
        update("results/vision/{task}/models/{rung}-{key}/model.safetensors"),
        update("results/vision/{task}/models/{rung}-{key}/manifest.json"),
    log:
        "logs/vision/{task}/models/{rung}-{key}.log",


use rule make as vision_features with:
    output:
        update("results/vision/{task}/features/{rung}-{key}/features.npy"),
        update("results/vision/{task}/features/{rung}-{key}/manifest.json"),
    log:
        "logs/vision/{task}/features/{rung}-{key}.log",


use rule make as vision_probe with:
    output:
        update(f"results/vision/{RUN}/predictions.parquet"),
        update(f"results/vision/{RUN}/history.csv"),
        update(f"results/vision/{RUN}/run.json"),
    log:
        f"logs/vision/{RUN}.log",
