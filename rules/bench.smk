# A method of the user's own file against the experiment's baselines; the runs that it is compared with are made first.
# Every run of this rule is a submission, recorded in results/bench/<experiment>/ledger.csv.
# Output: bench/<method>.html, bench/<experiment>/<method>.html


rule bench:
    input:
        compared=ancient(bench_artifacts),
        method="{method_file}.py",
    output:
        update("bench/{method_file}.html"),
    log:
        "logs/bench/{method_file}.log",
    conda:
        "../envs/cpu.yaml"
    threads: workflow.cores
    params:
        experiment="",
    message:
        "score {input.method} without showing it the truth: {output}"
    shell:
        "python -m w2s bench {input.method:q} {params.experiment} --page {output:q} --cores {threads} > {log} 2>&1"


use rule bench as bench_of_experiment with:
    output:
        update("bench/{experiment}/{method_file}.html"),
    log:
        "logs/bench/{experiment}/{method_file}.log",
    params:
        experiment="--experiment {experiment}",
