# The reward setting: preference pairs, base models pretrained on dialogues (rule pretrain) or open (rule open_model) and
# finetuned generatively, and reward models. Output: results/reward/<task>/..., results/models/dialogues-<key>/,
# results/models/<rung>+generative-<key>/. Inputs are ancient(): the key in the path already carries the dependency.


rule preferences:
    output:
        update("results/reward/{task}/data-{key}/examples.parquet"),
        update("results/reward/{task}/data-{key}/manifest.json"),
    log:
        "logs/reward/{task}/data-{key}.log",
    conda:
        "../envs/cpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        environment=environment,
        out="results/reward/{task}/data-{key}",
        estimate=estimate,
    message:
        "preference pairs of {wildcards.task} -> {params.out}"
    shell:
        "python -m w2s make preferences --spec {params.spec:q} --environment {params.environment:q}"
        " --out {params.out:q} --estimate {params.estimate:q} > {log} 2>&1"


rule dialogues:
    input:
        ancient(manifests_of_parents),
    output:
        update("results/models/dialogues-{key}/tokenizer.json"),
        update("results/models/dialogues-{key}/tokens.npy"),
        update("results/models/dialogues-{key}/manifest.json"),
    log:
        "logs/models/dialogues-{key}.log",
    conda:
        "../envs/cpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        out="results/models/dialogues-{key}",
        estimate=estimate,
    message:
        "dialogues and tokenizer -> {params.out}"
    shell:
        "python -m w2s make dialogues --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --estimate {params.estimate:q} > {log} 2>&1"


rule writing:
    input:
        ancient(manifests_of_parents),
    output:
        update("results/models/{written}-{key}/config.json"),
        update("results/models/{written}-{key}/manifest.json"),
    log:
        "logs/models/{written}-{key}.log",
    priority: priority
    conda:
        "../envs/gpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        environment=environment,
        out="results/models/{written}-{key}",
        estimate=estimate,
    message:
        "generative finetuning: {wildcards.written} -> {params.out}"
    shell:
        "python -m w2s make writing --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --environment {params.environment:q} --estimate {params.estimate:q} > {log} 2>&1"


REWARD_RUN = "reward/{task}/{start}/{labels}/{method}/s{seed}-{key}"


rule prefer:
    input:
        ancient(manifests_of_parents),
    output:
        update(f"results/{REWARD_RUN}/predictions.parquet"),
        update(f"results/{REWARD_RUN}/history.csv"),
        update(f"results/{REWARD_RUN}/run.json"),
    log:
        f"logs/{REWARD_RUN}.log",
    priority: priority
    conda:
        "../envs/gpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        environment=environment,
        out=f"results/{REWARD_RUN}",
        estimate=estimate,
    message:
        "reward model {wildcards.start} on {wildcards.task}: {wildcards.labels}, {wildcards.method}, seed {wildcards.seed}"
        " -> {params.out}"
    shell:
        "python -m w2s make prefer --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --environment {params.environment:q} --estimate {params.estimate:q} > {log} 2>&1"
