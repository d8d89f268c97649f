# What an experiment amounts to: verdicts on the paper's claims, from the numbers behind its figures; a page of all.
# Output: report/claims.html|csv, report/report.html, and the same in report/<experiment>/;
# two experiments side by side: report/compare/<first>-vs-<second>.html|csv, and .../<figure>.html|csv for one figure


rule claims:
    input:
        tables=claim_tables,
        code=claim_code,
        experiment=experiment_file,
    output:
        page=report(update("report/claims.html"), category="Claims and report"),
        verdicts=update("report/claims.csv"),
    log:
        "logs/report/claims.log",
    conda:
        "../envs/cpu.yaml"
    params:
        figures="figures",
    message:
        "verdicts on the paper's claims: {output.page}"
    shell:
        "python -m w2s claims {input.tables:q} --experiment {input.experiment:q} --figures {params.figures}"
        " --page {output.page:q} --out {output.verdicts:q} > {log} 2>&1"


use rule claims as claims_of_experiment with:
    output:
        page=update("report/{experiment}/claims.html"),
        verdicts=update("report/{experiment}/claims.csv"),
    log:
        "logs/report/{experiment}/claims.log",
    params:
        figures="figures/{experiment}",
    message:
        "verdicts on the paper's claims: {output.page}"


rule report:
    input:
        parts=report_parts,
        code=report_code,
        experiment=experiment_file,
    output:
        report(update("report/report.html"), category="Claims and report"),
    log:
        "logs/report/report.log",
    conda:
        "../envs/cpu.yaml"
    params:
        figures="figures",
    message:
        "report with verdicts, figures, cost and provenance: {output}"
    shell:
        "python -m w2s report --experiment {input.experiment:q} --figures {params.figures} --page {output:q} > {log} 2>&1"


use rule report as report_of_experiment with:
    output:
        update("report/{experiment}/report.html"),
    log:
        "logs/report/{experiment}/report.log",
    params:
        figures="figures/{experiment}",


rule compare:
    input:
        parts=compared_parts,
        code=comparison_code,
        experiments=compared_experiments,
    output:
        page=update("report/compare/{first}-vs-{second}.html"),
        differences=update("report/compare/{first}-vs-{second}.csv"),
    log:
        "logs/report/compare/{first}-vs-{second}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        figures=compared_figures,
        only="",
    message:
        "compare {wildcards.first} with {wildcards.second}: {output.page}"
    shell:
        "python -m w2s compare --experiments {input.experiments:q} --figures {params.figures} {params.only}"
        " --page {output.page:q} --out {output.differences:q} > {log} 2>&1"


use rule compare as compare_figure with:
    output:
        page=update("report/compare/{first}-vs-{second}/{figure}.html"),
        differences=update("report/compare/{first}-vs-{second}/{figure}.csv"),
    log:
        "logs/report/compare/{first}-vs-{second}/{figure}.log",
    params:
        figures=compared_figures,
        only="--only {figure}",
