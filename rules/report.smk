# What an experiment amounts to: verdicts on the paper's claims, from the numbers behind its figures; a page of all.
# Output: report/claims.html|csv, report/report.html, and the same in report/<experiment>/


rule claims:
    input:
        tables=claim_tables,
        code=claim_code,
        experiment=experiment_file,
    output:
        page=update("report/claims.html"),
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
        update("report/report.html"),
    log:
        "logs/report/report.log",
    conda:
        "../envs/cpu.yaml"
    params:
        figures="figures",
    message:
        "verdicts, figures and what they took, on one page: {output}"
    shell:
        "python -m w2s report --experiment {input.experiment:q} --figures {params.figures} --page {output:q} > {log} 2>&1"


use rule report as report_of_experiment with:
    output:
        update("report/{experiment}/report.html"),
    log:
        "logs/report/{experiment}/report.log",
    params:
        figures="figures/{experiment}",
