# Base models: of an own ladder, or open ones.
# Input: a world, built tasks, or weights on the hub or in a directory (params.environment).
# Output: results/models/corpus-<key>/, results/models/games-<key>/, results/models/<rung>-<key>/
# Inputs are ancient(): the key in the path already carries the dependency.


rule corpus:
    input:
        ancient(manifests_of_parents),
    output:
        update("results/models/corpus-{key}/tokenizer.json"),
        update("results/models/corpus-{key}/tokens.npy"),
        update("results/models/corpus-{key}/manifest.json"),
    log:
        "logs/models/corpus-{key}.log",
    conda:
        "../envs/cpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        out="results/models/corpus-{key}",
        estimate=estimate,
    message:
        "corpus and tokenizer -> {params.out}"
    shell:
        "python -m w2s make corpus --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --estimate {params.estimate:q} > {log} 2>&1"


rule games:
    output:
        update("results/models/games-{key}/tokenizer.json"),
        update("results/models/games-{key}/tokens.npy"),
        update("results/models/games-{key}/manifest.json"),
    log:
        "logs/models/games-{key}.log",
    conda:
        "../envs/cpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        environment=environment,
        out="results/models/games-{key}",
        estimate=estimate,
    message:
        "chess games and tokenizer -> {params.out}"
    shell:
        "python -m w2s make games --spec {params.spec:q} --environment {params.environment:q}"
        " --out {params.out:q} --estimate {params.estimate:q} > {log} 2>&1"


rule pretrain:
    input:
        ancient(manifests_of_parents),
    output:
        update("results/models/{rung}-{key}/config.json"),
        update("results/models/{rung}-{key}/model.safetensors"),
        update("results/models/{rung}-{key}/tokenizer.json"),
        update("results/models/{rung}-{key}/tokenizer_config.json"),
        update("results/models/{rung}-{key}/manifest.json"),
    log:
        "logs/models/{rung}-{key}.log",
    priority: priority
    conda:
        "../envs/gpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        out="results/models/{rung}-{key}",
        estimate=estimate,
    message:
        "pretrain {wildcards.rung} -> {params.out}"
    shell:
        "python -m w2s make pretrain --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --estimate {params.estimate:q} > {log} 2>&1"


rule open_model:
    output:
        update("results/models/{rung}-{key}/source.json"),
    log:
        "logs/models/{rung}-{key}.log",
    priority: priority
    conda:
        "../envs/gpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        environment=environment,
        out="results/models/{rung}-{key}",
        estimate=estimate,
    message:
        "open model {wildcards.rung} -> {params.out}"
    shell:
        "python -m w2s make open --spec {params.spec:q} --environment {params.environment:q}"
        " --out {params.out:q} --estimate {params.estimate:q} > {log} 2>&1"
