# A method of the user's own file against the experiment's baselines; the runs that it is compared with are made first.
# Every run of this rule is a submission, recorded in results/bench/<experiment>/ledger.csv.
# Output: bench/<method>.html, bench/<experiment>/<method>.html

OF_BENCH = "The method against naive finetuning, the confidence loss and the ceiling, scored without seeing the truth."


rule bench:
    input:
        compared=ancient(bench_artifacts),
        method="{method_file}.py",
    output:
        report(
            update("bench/{method_file}.html"),
            caption="caption.rst",
            category="Bench",
            subcategory=DEFAULT,
            labels={"method": "{method_file}"},
        ),
    log:
        "logs/bench/{method_file}.log",
    conda:
        "../envs/cpu.yaml"
    threads: workflow.cores
    params:
        caption=OF_BENCH,
        experiment="",
    message:
        "score {input.method} without showing it the truth: {output}"
    shell:
        "python -m w2s bench {input.method:q} {params.experiment} --page {output:q} --cores {threads} > {log} 2>&1"


use rule bench as bench_of_experiment with:
    output:
        report(
            update("bench/{experiment}/{method_file}.html"),
            caption="caption.rst",
            category="Bench",
            subcategory="{experiment}",
            labels={"method": "{method_file}"},
        ),
    log:
        "logs/bench/{experiment}/{method_file}.log",
    params:
        caption=OF_BENCH,
        experiment="--experiment {experiment}",
