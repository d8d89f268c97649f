# Rows in, examples out.
# Input: nothing, or files in hub schema (their content is in the key, their place in params.environment).
# Output: results/<setting>/<task>/data-<key>/


rule data:
    output:
        update("results/{setting}/{task}/data-{key}/examples.parquet"),
        update("results/{setting}/{task}/data-{key}/manifest.json"),
    log:
        "logs/{setting}/{task}/data-{key}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        spec=spec,
        environment=environment,
        out="results/{setting}/{task}/data-{key}",
    message:
        "data of {wildcards.task} -> {params.out}"
    shell:
        "python -m w2s make data --spec {params.spec:q} --environment {params.environment:q}"
        " --out {params.out:q} > {log} 2>&1"
