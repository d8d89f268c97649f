# What an experiment amounts to: verdicts on the paper's claims, from the numbers behind its figures; a page of all.
# Output: report/claims.html|csv, report/report.html, and the same in report/<experiment>/;
# two experiments side by side: report/compare/<first>-vs-<second>.html|csv, and .../<figure>.html|csv for one figure

PAGES = "Claims and report"
COMPARISONS = "Comparisons"
OF_CLAIMS = "Which of the paper's claims hold in this experiment, by rules that were fixed in advance."
OF_REPORT = "Verdicts, figures, cost and provenance of the experiment on one page."
OF_COMPARISON = "{first} beside {second}: differences with their intervals, and the figures of both."


rule claims:
    input:
        tables=claim_tables,
        code=claim_code,
        experiment=experiment_file,
    output:
        page=report(
            update("report/claims.html"),
            caption="caption.rst",
            category=PAGES,
            subcategory=DEFAULT,
            labels={"page": "claims", "shows": "page"},
        ),
        verdicts=report(
            update("report/claims.csv"),
            caption="caption.rst",
            category=PAGES,
            subcategory=DEFAULT,
            labels={"page": "claims", "shows": "table"},
        ),
    log:
        "logs/report/claims.log",
    conda:
        "../envs/cpu.yaml"
    params:
        caption=OF_CLAIMS,
        figures="figures",
    message:
        "verdicts on the paper's claims: {output.page}"
    shell:
        "python -m w2s claims {input.tables:q} --experiment {input.experiment:q} --figures {params.figures}"
        " --page {output.page:q} --out {output.verdicts:q} > {log} 2>&1"


use rule claims as claims_of_experiment with:
    output:
        page=report(
            update("report/{experiment}/claims.html"),
            caption="caption.rst",
            category=PAGES,
            subcategory="{experiment}",
            labels={"page": "claims", "shows": "page"},
        ),
        verdicts=report(
            update("report/{experiment}/claims.csv"),
            caption="caption.rst",
            category=PAGES,
            subcategory="{experiment}",
            labels={"page": "claims", "shows": "table"},
        ),
    log:
        "logs/report/{experiment}/claims.log",
    params:
        caption=OF_CLAIMS,
        figures="figures/{experiment}",
    message:
        "verdicts on the paper's claims: {output.page}"


rule report:
    input:
        parts=report_parts,
        code=report_code,
        experiment=experiment_file,
    output:
        report(
            update("report/report.html"),
            caption="caption.rst",
            category=PAGES,
            subcategory=DEFAULT,
            labels={"page": "report", "shows": "page"},
        ),
    log:
        "logs/report/report.log",
    conda:
        "../envs/cpu.yaml"
    params:
        caption=OF_REPORT,
        figures="figures",
    message:
        "report with verdicts, figures, cost and provenance: {output}"
    shell:
        "python -m w2s report --experiment {input.experiment:q} --figures {params.figures} --page {output:q} > {log} 2>&1"


use rule report as report_of_experiment with:
    output:
        report(
            update("report/{experiment}/report.html"),
            caption="caption.rst",
            category=PAGES,
            subcategory="{experiment}",
            labels={"page": "report", "shows": "page"},
        ),
    log:
        "logs/report/{experiment}/report.log",
    params:
        caption=OF_REPORT,
        figures="figures/{experiment}",


rule compare:
    input:
        parts=compared_parts,
        code=comparison_code,
        experiments=compared_experiments,
    output:
        page=report(
            update("report/compare/{first}-vs-{second}.html"),
            caption="caption.rst",
            category=COMPARISONS,
            subcategory="{first} and {second}",
            labels={"page": "all figures", "shows": "page"},
        ),
        differences=report(
            update("report/compare/{first}-vs-{second}.csv"),
            caption="caption.rst",
            category=COMPARISONS,
            subcategory="{first} and {second}",
            labels={"page": "all figures", "shows": "table"},
        ),
    log:
        "logs/report/compare/{first}-vs-{second}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        caption=OF_COMPARISON,
        figures=compared_figures,
        only="",
    message:
        "compare {wildcards.first} with {wildcards.second}: {output.page}"
    shell:
        "python -m w2s compare --experiments {input.experiments:q} --figures {params.figures} {params.only}"
        " --page {output.page:q} --out {output.differences:q} > {log} 2>&1"


use rule compare as compare_figure with:
    output:
        page=report(
            update("report/compare/{first}-vs-{second}/{figure}.html"),
            caption="caption.rst",
            category=COMPARISONS,
            subcategory="{first} and {second}",
            labels=comparison_labels,
        ),
        differences=report(
            update("report/compare/{first}-vs-{second}/{figure}.csv"),
            caption="caption.rst",
            category=COMPARISONS,
            subcategory="{first} and {second}",
            labels=differences_labels,
        ),
    log:
        "logs/report/compare/{first}-vs-{second}/{figure}.log",
    params:
        caption=OF_COMPARISON,
        figures=compared_figures,
        only="--only {figure}",
