# The vision setting: images, networks trained here, what they say of every image, and probes on it.
# Input: scikit-learn's digits, or images and weights in files or on the hub (params.environment).
# Output: results/vision/<task>/images-<key>/, models/<rung>-<key>/, features/<rung>-<key>/,
#         <rung>/<labels>/<schedule>/s<seed>-<key>/
# Inputs are ancient(): the key in the path already carries the dependency.
VISION = "vision/{task}"


rule images:
    output:
        update(f"results/{VISION}/images-{{key}}/index.parquet"),
        update(f"results/{VISION}/images-{{key}}/manifest.json"),
    log:
        f"logs/{VISION}/images-{{key}}.log",
    conda:
        "../envs/cpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        environment=environment,
        out=f"results/{VISION}/images-{{key}}",
        estimate=estimate,
    message:
        "images of {wildcards.task} -> {params.out}"
    shell:
        "python -m w2s make images --spec {params.spec:q} --environment {params.environment:q}"
        " --out {params.out:q} --estimate {params.estimate:q} > {log} 2>&1"


rule vision_model:
    input:
        ancient(manifests_of_parents),
    output:
        update(f"results/{VISION}/models/{{rung}}-{{key}}/model.safetensors"),
        update(f"results/{VISION}/models/{{rung}}-{{key}}/manifest.json"),
    log:
        f"logs/{VISION}/models/{{rung}}-{{key}}.log",
    priority: priority
    conda:
        "../envs/gpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        out=f"results/{VISION}/models/{{rung}}-{{key}}",
        estimate=estimate,
    message:
        "train vision network {wildcards.rung} on {wildcards.task} -> {params.out}"
    shell:
        "python -m w2s make vision_model --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --estimate {params.estimate:q} > {log} 2>&1"


rule vision_features:
    input:
        ancient(manifests_of_parents),
    output:
        update(f"results/{VISION}/features/{{rung}}-{{key}}/features.npy"),
        update(f"results/{VISION}/features/{{rung}}-{{key}}/manifest.json"),
    log:
        f"logs/{VISION}/features/{{rung}}-{{key}}.log",
    priority: priority
    conda:
        "../envs/gpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        environment=environment,
        out=f"results/{VISION}/features/{{rung}}-{{key}}",
        estimate=estimate,
    message:
        "features of {wildcards.rung} on {wildcards.task} -> {params.out}"
    shell:
        "python -m w2s make vision_features --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --environment {params.environment:q} --estimate {params.estimate:q} > {log} 2>&1"


VISION_RUN = RUN.replace("nlp/", "vision/")


rule vision_probe:
    input:
        ancient(manifests_of_parents),
    output:
        update(f"results/{VISION_RUN}/predictions.parquet"),
        update(f"results/{VISION_RUN}/history.csv"),
        update(f"results/{VISION_RUN}/run.json"),
    log:
        f"logs/{VISION_RUN}.log",
    conda:
        "../envs/gpu.yaml"
    resources:
        **ASKED,
    params:
        spec=spec,
        parents=parents,
        out=f"results/{VISION_RUN}",
        estimate=estimate,
    message:
        "probe {wildcards.rung} on {wildcards.task}: {wildcards.labels}, {wildcards.method}, seed {wildcards.seed}"
        " -> {params.out}"
    shell:
        "python -m w2s make vision_probe --spec {params.spec:q} --out {params.out:q}"
        " --parents {params.parents:q} --estimate {params.estimate:q} > {log} 2>&1"
