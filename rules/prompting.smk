# Prompting: base models that are not finetuned answer a task's test questions.
# Input: data, a base model, and for examples with weak labels their supervisor's run.
# Output: results/nlp/<task>/<rung>/<labels>/zero-shot|<k>-shot/s<seed>-<key>/


ruleorder: prompt > finetune


rule prompt:
    input:
        ancient(manifests_of_parents),
    output:
        update(f"results/{RUN}/predictions.parquet"),
        update(f"results/{RUN}/prompt.json"),
    log:
        f"logs/{RUN}.log",
    wildcard_constraints:
        method="(zero|[0-9]+)-shot",
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
        "prompt {wildcards.rung} with {wildcards.task}: {wildcards.method}, labels {wildcards.labels},"
        " seed {wildcards.seed} -> {params.out}"
    shell:
        "python -m w2s make prompt --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --environment {params.environment:q} --estimate {params.estimate:q} > {log} 2>&1"
