# From runs to tidy numbers to pictures. Not ancient: figures are cheap and follow every change, of their code too.
# Output: results/figures/<experiment>/<figure>.csv, figures/<figure>.pdf|png|svg, figures/<experiment>/<figure>.pdf|png|svg


rule experiment:
    output:
        update("results/figures/{experiment}/experiment-{key}.json"),
    log:
        "logs/figures/{experiment}/experiment-{key}.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        experiment=experiment_json,
    message:
        "settings of experiment {wildcards.experiment}"
    shell:
        "python -m w2s experiment --json {params.experiment:q} --out {output:q} > {log} 2>&1"


rule tabulate:
    input:
        runs=figure_runs,
        code=figure_code,
        experiment=experiment_file,
    output:
        report(
            update("results/figures/{experiment}/{figure}.csv"),
            caption="caption.rst",
            category=figure_category,
            subcategory="{experiment}",
            labels=numbers_labels,
        ),
    log:
        "logs/figures/{experiment}/{figure}.csv.log",
    conda:
        "../envs/cpu.yaml"
    params:
        caption=numbers_caption,
    message:
        "numbers behind {wildcards.figure} of {wildcards.experiment}"
    shell:
        "python -m w2s tabulate {wildcards.figure} --experiment {input.experiment:q} --out {output:q} > {log} 2>&1"


rule draw:
    input:
        table=f"results/figures/{DEFAULT}/{{figure}}.csv",
        code=figure_code,
        experiment=experiment_file,
    output:
        update("figures/{figure}.pdf"),
        update("figures/{figure}.png"),
        report(
            update("figures/{figure}.svg"),
            caption="caption.rst",
            category=figure_category,
            subcategory=DEFAULT,
            labels=picture_labels,
        ),
    log:
        "logs/figures/{figure}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        caption=picture_caption,
    message:
        "draw {output}"
    shell:
        "python -m w2s draw {wildcards.figure} --table {input.table:q} --experiment {input.experiment:q}"
        " --out {output:q} > {log} 2>&1"


use rule draw as draw_of_experiment with:
    input:
        table="results/figures/{experiment}/{figure}.csv",
        code=figure_code,
        experiment=experiment_file,
    output:
        update("figures/{experiment}/{figure}.pdf"),
        update("figures/{experiment}/{figure}.png"),
        report(
            update("figures/{experiment}/{figure}.svg"),
            caption="caption.rst",
            category=figure_category,
            subcategory="{experiment}",
            labels=picture_labels,
        ),
    log:
        "logs/figures/{experiment}/{figure}.log",
