# Features of base models and of finetuned runs, probes on them, and what of their errors can be simulated.
# Input: data, a base model, perhaps a finetuned run and its supervisor's; features, perhaps a supervisor's run or probe.
# Output: results/nlp/<task>/<rung>/<labels>/features...|probe-...|errors/s<seed>-<key>/


ruleorder: probe > finetune


rule features:
    input:
        ancient(manifests_of_parents),
    output:
        update(f"results/{RUN}/features.npy"),
        update(f"results/{RUN}/examples.parquet"),
        update(f"results/{RUN}/features.json"),
    log:
        f"logs/{RUN}.log",
    wildcard_constraints:
        method="features(-.+)?",
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
        "{wildcards.method} of {wildcards.rung} on {wildcards.task}, labels {wildcards.labels}, seed {wildcards.seed}"
        " -> {params.out}"
    shell:
        "python -m w2s make features --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --environment {params.environment:q} --estimate {params.estimate:q} > {log} 2>&1"


rule probe:
    input:
        ancient(manifests_of_parents),
    output:
        update(f"results/{RUN}/predictions.parquet"),
        update(f"results/{RUN}/probe.json"),
    log:
        f"logs/{RUN}.log",
    wildcard_constraints:
        method="probe-.+",
    priority: priority
    conda:
        "../envs/cpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        out=f"results/{RUN}",
        estimate=estimate,
    message:
        "{wildcards.method} of {wildcards.rung} on {wildcards.task}, labels {wildcards.labels}, seed {wildcards.seed}"
        " -> {params.out}"
    shell:
        "python -m w2s make probe --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --estimate {params.estimate:q} > {log} 2>&1"


rule errors:
    input:
        ancient(manifests_of_parents),
    output:
        update(f"results/{RUN}/errors.json"),
    log:
        f"logs/{RUN}.log",
    wildcard_constraints:
        method="errors",
    conda:
        "../envs/cpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        out=f"results/{RUN}",
        estimate=estimate,
    message:
        "{wildcards.method} of {wildcards.rung} on {wildcards.task}, labels {wildcards.labels}, seed {wildcards.seed}"
        " -> {params.out}"
    shell:
        "python -m w2s make errors --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --estimate {params.estimate:q} > {log} 2>&1"
