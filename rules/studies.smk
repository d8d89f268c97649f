# Special studies: which examples are easy (by held-out runs, by a judge), and labels with errors of a known kind.
# Input: data, runs, base models. Output: results/nlp/<task>/levels-<key>/, elo-<key>/, flipped-<kind>-<rung>-<key>/
# Inputs are ancient(): the key in the path already carries the dependency.


rule levels:
    input:
        ancient(manifests_of_parents),
    output:
        update("results/nlp/{task}/levels-{key}/examples.parquet"),
        update("results/nlp/{task}/levels-{key}/manifest.json"),
    log:
        "logs/nlp/{task}/levels-{key}.log",
    priority: priority
    conda:
        "../envs/cpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        out="results/nlp/{task}/levels-{key}",
        estimate=estimate,
    message:
        "difficulty of {wildcards.task} by held-out runs -> {params.out}"
    shell:
        "python -m w2s make levels --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --estimate {params.estimate:q} > {log} 2>&1"


rule judge:
    input:
        ancient(manifests_of_parents),
    output:
        update("results/nlp/{task}/elo-{key}/examples.parquet"),
        update("results/nlp/{task}/elo-{key}/manifest.json"),
    log:
        "logs/nlp/{task}/elo-{key}.log",
    priority: priority
    conda:
        "../envs/gpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        environment=environment,
        out="results/nlp/{task}/elo-{key}",
        estimate=estimate,
    message:
        "questions of {wildcards.task} judged, two at a time -> {params.out}"
    shell:
        "python -m w2s make judge --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --environment {params.environment:q} --estimate {params.estimate:q} > {log} 2>&1"


rule flip:
    input:
        ancient(manifests_of_parents),
    output:
        update("results/nlp/{task}/{labels}-{key}/predictions.parquet"),
        update("results/nlp/{task}/{labels}-{key}/manifest.json"),
    log:
        "logs/nlp/{task}/{labels}-{key}.log",
    priority: priority
    conda:
        "../envs/cpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        out="results/nlp/{task}/{labels}-{key}",
        estimate=estimate,
    message:
        "labels of {wildcards.task}: {wildcards.labels} -> {params.out}"
    shell:
        "python -m w2s make flip --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --estimate {params.estimate:q} > {log} 2>&1"
