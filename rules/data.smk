# Rows in, examples out.
# Input: nothing, or files in hub schema (their content is in the key, their place in params.environment).
# Output: results/<setting>/<task>/data-<key>/. A setting has its own way of making them, and its own rule.


rule data:
    output:
        update("results/nlp/{task}/data-{key}/examples.parquet"),
        update("results/nlp/{task}/data-{key}/manifest.json"),
    log:
        "logs/nlp/{task}/data-{key}.log",
    conda:
        "../envs/cpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        environment=environment,
        out="results/nlp/{task}/data-{key}",
        estimate=estimate,
    message:
        "data of {wildcards.task} -> {params.out}"
    shell:
        "python -m w2s make data --spec {params.spec:q} --environment {params.environment:q}"
        " --out {params.out:q} --estimate {params.estimate:q} > {log} 2>&1"


rule puzzles:
    output:
        update("results/chess/{task}/data-{key}/examples.parquet"),
        update("results/chess/{task}/data-{key}/manifest.json"),
    log:
        "logs/chess/{task}/data-{key}.log",
    conda:
        "../envs/cpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        environment=environment,
        out="results/chess/{task}/data-{key}",
        estimate=estimate,
    message:
        "chess puzzles -> {params.out}"
    shell:
        "python -m w2s make puzzles --spec {params.spec:q} --environment {params.environment:q}"
        " --out {params.out:q} --estimate {params.estimate:q} > {log} 2>&1"
