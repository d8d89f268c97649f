"""``w2s init``: a folder for a study of one's own, which runs the workflow of the installed package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.jobs.installation import FILES

CONFIGS = ("config.yaml", "config/*.yaml", "config/*.py", "config/ladders/*.yaml")
PROFILES = ("profiles/default/*", "profiles/slurm/*", "profiles/kubernetes/*.*")
SNAKEFILE = """\
# A study that runs the workflow of the installed package w2s. All of its targets can be asked for in this folder:
# figures/fig5.pdf, figures/<experiment>/fig5.pdf, report/report.html, results/...
import w2s


include: w2s.snakefile()


# What a bare `snakemake` makes: every figure of config.yaml. Name the targets of your study here instead, if you like.
rule study:
    default_target: True
    input:
        rules.all.input,
"""
README = """\
# {name}

```
snakemake -n figures/fig5.pdf   # list what would be trained
snakemake figures/fig5.pdf      # train and draw
```

* `config.yaml`: the default experiment, every key commented. `config/<name>.yaml`: experiments laid over it, asked for
  as `figures/<name>/fig5.pdf`.
* `config/ladders/`: base models by name.
* `profiles/`: how to execute; `profiles/default` is this machine.
* `Snakefile`: runs the workflow of the installed package `w2s`, version {version} when this folder was made.
"""


def create(folder: Path) -> list[Path]:
    """Write a study's files into a folder, made if missing; returns them. UserError if one of them is there already."""
    from w2s import __version__

    name = folder.resolve().name
    texts = {"Snakefile": SNAKEFILE, "README.md": README.format(name=name, version=__version__)}
    copies = {str(path.relative_to(FILES)): path for path in _shipped()}
    targets = [folder / file for file in (*texts, *copies)]
    for target in targets:
        if target.exists() or target.is_symlink():
            raise UserError(f"{target}: is there already, and w2s init overwrites nothing; name another folder")
    with artifacts.all_or_none(targets):
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            artifacts.write_whole(folder / file, text.encode())
        for file, source in copies.items():
            artifacts.write_whole(folder / file, source.read_bytes())
    return targets


def _shipped() -> Iterator[Path]:
    for pattern in (*CONFIGS, *PROFILES):
        yield from sorted(FILES.glob(pattern))
