# Finetuning: supervisors, ceilings and students are one rule a setting (chess: models that are prompted too); what a run is trained on stands in its path.
# Input: data, a base model, and for students their supervisor's run.
# Output: results/<setting>/<task>/<rung>/<labels>/<method>/s<seed>-<key>/
# Inputs are ancient(): the key in the path already carries the dependency.
RUN = "nlp/{task}/{rung}/{labels}/{method}/s{seed}-{key}"


rule finetune:
    input:
        ancient(manifests_of_parents),
    output:
        update(f"results/{RUN}/predictions.parquet"),
        update(f"results/{RUN}/history.csv"),
        update(f"results/{RUN}/run.json"),
    log:
        f"logs/{RUN}.log",
    priority: priority
    conda:
        "../envs/gpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        environment=environment,
        out=f"results/{RUN}",
        estimate=estimate,
    message:
        "finetune {wildcards.rung} on {wildcards.task}: {wildcards.labels}, {wildcards.method}, seed {wildcards.seed}"
        " -> {params.out}"
    shell:
        "python -m w2s make finetune --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --environment {params.environment:q} --estimate {params.estimate:q} > {log} 2>&1"


CHESS_RUN = RUN.replace("nlp/", "chess/")


rule generate:
    input:
        ancient(manifests_of_parents),
    output:
        update(f"results/{CHESS_RUN}/predictions.parquet"),
        update(f"results/{CHESS_RUN}/history.csv"),
        update(f"results/{CHESS_RUN}/run.json"),
    log:
        f"logs/{CHESS_RUN}.log",
    priority: priority
    conda:
        "../envs/gpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        environment=environment,
        out=f"results/{CHESS_RUN}",
        estimate=estimate,
    message:
        "chess: {wildcards.rung} on {wildcards.task}: {wildcards.labels}, {wildcards.method}, seed {wildcards.seed}"
        " -> {params.out}"
    shell:
        "python -m w2s make generate --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --environment {params.environment:q} --estimate {params.estimate:q} > {log} 2>&1"
