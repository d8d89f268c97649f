"""Methods that look for the truth. Sealed, they find nothing; the same attempts succeed where nothing is sealed.

Where the platform has no namespaces, these tests say so and are skipped.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.conftest import Bench, submission
from w2s.analysis.results import Stored
from w2s.bench import protocol, sandbox, scoring
from w2s.bench.protocol import Compared
from w2s.errors import UserError
from w2s.microworld import World, WorldSize
from w2s.nlp import synthetic
from w2s.nlp.build import formatted
from w2s.nlp.tasks import TASKS

WHY_NOT = sandbox.unavailable()
needs_sealing = pytest.mark.skipif(WHY_NOT is not None, reason=f"NOT SEALED HERE, cheating is not tested: {WHY_NOT}")
ATTEMPTS = {
    "by path": "print(open(HINTS['examples'], 'rb').read(4))",
    "by a search of the disk": """
for top in HINTS['tops']:
    for folder, _, names in os.walk(top):
        for name in names:
            if name in ('examples.parquet', 'predictions.parquet', 'run.json', 'ledger.csv'):
                print(folder, name)
""",
    "by the scorer's memory": "print(len(open(f'/proc/{HINTS[\"pid\"]}/maps').read()))",
    "by the scorer's environment": "print(open(f'/proc/{HINTS[\"pid\"]}/environ', 'rb').read(4))",
    "by any other process": """
for process in filter(str.isdigit, os.listdir('/proc')):
    if int(process) not in (os.getpid(), 1):
        print(open(f'/proc/{process}/cmdline').read())
""",
    "by a cache in the home": "print(open(os.path.join(HINTS['home'], '.cache', 'truth')).read())",
    "by the network": "import socket; socket.create_connection(('127.0.0.1', HINTS['port']), 5); print('connected')",
    "by the world's generator": """
sys.path.insert(0, HINTS['src'])
sys.modules.pop('w2s', None)
import w2s.microworld; print(w2s.microworld.__file__)
""",
    "by writing into its folder": "open(os.path.join(sys.argv[1], 'method.py'), 'a').close(); print('written')",
    "by the kernel's settings": "open('/proc/sys/kernel/core_pattern', 'r+').close(); print('open')",
}
ALONE_SEALED = {"by any other process", "by the kernel's settings"}  # the control depends on who runs the tests
CHEAT = """import json, os, sys
HINTS = json.loads({hints!r})
try:
{attempt}
except Exception as error:
    print(error, file=sys.stderr)
"""


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(params=["as this user", "in a user namespace"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Root drops its rights; others, and here root again, have a user namespace."""
    if request.param == "in a user namespace":
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        if (why_not := sandbox.unavailable()) is not None:
            pytest.skip(f"NO USER NAMESPACES HERE, cheating is not tested in them: {why_not}")
    return str(request.param)


def found(attempt: str, bench: Bench, port: int, folder: Path, monkeypatch: pytest.MonkeyPatch, *, sealed: bool) -> str:
    """What a method's process prints that tries to cheat."""
    root, plan = bench
    (folder / "home" / ".cache").mkdir(parents=True)
    (folder / "home" / ".cache" / "truth").write_text("1 0 1")
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setenv("TRUTH", "1 0 1")
    tops = [
        str(folder),
        str(root),
        str(Path.home()),
        "/tmp",
        "/sealed",
        "/out",
        "/root",
        "/home",
        "/mnt",
        "/var",
        "/work",
    ]
    hints = {
        "examples": str(root / protocol.cells(plan)[0].data.path / "examples.parquet"),
        "tops": tops if sealed else [str(root)],
        "pid": os.getpid(),
        "home": str(folder / "home"),
        "port": port,
        "src": str(Path(scoring.__file__).parents[2]),
    }
    lines = "\n".join(f"    {line}" for line in ATTEMPTS[attempt].strip().splitlines())
    entered = submission(bench, folder, CHEAT.format(hints=json.dumps(hints), attempt=lines), sealed=sealed)
    given = scoring._common(entered, protocol.cells(plan))
    (folder / "out").mkdir()
    process = replace(scoring.process_of(entered, given, folder / "out"), command=["{folder}/method.py", "{folder}"])
    assert process.run(folder / "log", sealed=sealed) == 0, (folder / "log").read_text()
    return (folder / "log").read_text()


@pytest.mark.slow
@needs_sealing
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_sealed_method_cannot_cheat(
    attempt: str, kind: str, bench: Bench, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = found(attempt, bench, port, tmp_path, monkeypatch, sealed=True)
    denied = ("No such file", "Permission denied", "Read-only", "No module named", "Network is unreachable", "refused")
    searches = attempt in ("by a search of the disk", "by any other process")
    assert said == "" if searches else any(words in said for words in denied), said


@pytest.mark.slow
@pytest.mark.parametrize("attempt", [name for name in ATTEMPTS if name not in ALONE_SEALED])
def test_the_same_attempt_succeeds_without_a_seal(
    attempt: str, bench: Bench, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = found(attempt, bench, port, tmp_path, monkeypatch, sealed=False)
    assert said
    assert "Errno" not in said
    assert "No module" not in said


@pytest.mark.slow
@needs_sealing
def test_a_sealed_methods_environment_is_made_for_it(bench: Bench, tmp_path: Path) -> None:
    code = "import json, os; print(json.dumps(sorted(os.environ)))"
    entered = submission(bench, tmp_path, code, sealed=True)
    (tmp_path / "out").mkdir()
    given = scoring._common(entered, protocol.cells(bench[1]))
    process = replace(scoring.process_of(entered, given, tmp_path / "out"), command=["{folder}/method.py"])
    assert process.run(tmp_path / "log", sealed=True) == 0
    ours = {"HOME", "LANG", "PATH", "PWD", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "TMPDIR", "USER", "W2S_DEVICE"}
    assert set(json.loads((tmp_path / "log").read_text())) <= {*ours, "W2S_THREADS", "OLDPWD", "SHLVL", "_"}


@needs_sealing
def test_what_lies_inside_of_python_or_the_system_is_covered_if_it_is_to_be_hidden(kind: str, tmp_path: Path) -> None:
    """A checkout may lie there, or the package be installed there."""
    for name in ("folder", "out"):
        (tmp_path / name).mkdir()
    inside = Path(pytest.__file__).parent
    code = f"import os; print(os.path.exists({str(inside / '__init__.py')!r}))"
    for hidden, said in (((), "True"), ((inside,), "False")):
        process = sandbox.Process(["-c", code], tmp_path / "folder", tmp_path / "out", {}, hidden)
        assert process.run(tmp_path / "log", sealed=True) == 0
        assert (tmp_path / "log").read_text().strip() == said


@pytest.mark.slow
@needs_sealing
def test_what_a_sealed_method_started_ends_with_it(bench: Bench, tmp_path: Path) -> None:
    name = f"{os.getpid()}{time.time_ns()}"
    code = (
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)', '{name}'])\n"
    )
    entered = submission(bench, tmp_path, code, sealed=True)
    (tmp_path / "out").mkdir()
    given = scoring._common(entered, protocol.cells(bench[1]))
    process = replace(scoring.process_of(entered, given, tmp_path / "out"), command=["{folder}/method.py"])
    assert process.run(tmp_path / "log", sealed=True) == 0
    assert lines_of_processes("python")
    assert not lines_of_processes(name)


@needs_sealing
def test_a_sealed_process_ends_when_its_scorer_is_killed(kind: str, tmp_path: Path) -> None:
    for name in ("folder", "out"):
        (tmp_path / name).mkdir()
    uid = os.geteuid()
    scorer = f"""
import os
from pathlib import Path
from w2s.bench.sandbox import Process
os.geteuid = lambda: {uid}
sleep = "import pathlib, time; pathlib.Path('/out/started').touch(); time.sleep(600)"
here = Path({str(tmp_path)!r})
Process(["-c", sleep, {str(tmp_path)!r}], here / "folder", here / "out", {{}}).run(here / "log", sealed=True)
"""
    running = subprocess.Popen([sys.executable, "-c", scorer])
    waited(lambda: (tmp_path / "out" / "started").exists())
    running.kill()
    running.wait()
    waited(lambda: not lines_of_processes(str(tmp_path)))


def waited(condition: Callable[[], bool]) -> None:
    """Wait until something is so; it fails after a minute."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it never happened")


def lines_of_processes(word: str) -> list[bytes]:
    """Command lines of this machine's processes with a word in it, this process aside."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes() if path.parent.name != str(os.getpid()) else b"")
        except OSError:
            continue
    return [line for line in found if word.encode() in line]


@pytest.mark.slow
@needs_sealing
def test_a_link_in_place_of_predictions_is_not_followed(bench: Bench, cells: list[Compared], tmp_path: Path) -> None:
    outside = tmp_path / "truth.json"
    outside.write_text(json.dumps([1.0] * 60))
    code = f"import os\nos.symlink({str(outside)!r}, '/out/000.json')\nos._exit(0)\ndef loss(logits, labels): ...\n"
    with pytest.raises(UserError, match=r"000.json: the method left no predictions"):
        scoring.predictions(submission(bench, tmp_path, code, sealed=True), cells[:1], tmp_path / "log")


def test_what_a_method_is_told_holds_no_truth_no_ids_and_no_seed_of_the_world(
    bench: Bench, cells: list[Compared]
) -> None:
    stored = Stored(bench[0])
    told = scoring.told_of(cells[-1], stored)
    assert set(told) == {"cell", "texts", "labels"}
    assert set(told["texts"]) == {"strong", "validation", "test"}
    assert set(told["labels"]) == {"strong", "validation"}
    assert set(told["labels"]["strong"]) == {"w8", "w12"}
    examples = stored.examples(cells[-1].data)
    for part in ("strong", "validation"):
        truth = [float(label) for label, one in zip(examples["label"], examples["part"], strict=True) if one == part]
        for labels in told["labels"][part].values():
            assert len(labels) == len(truth)
            assert not {0.0, 1.0} & set(labels)
            assert labels != truth
    text = json.dumps(told)
    assert not [name for name in examples["id"] if name in text]
    assert not {"world", "key", "rows"} & set(told["cell"]) | {*told["cell"]["training"]} & {"world"}


def test_a_methods_process_gets_base_models_without_their_records(
    bench: Bench, cells: list[Compared], tmp_path: Path
) -> None:
    common = scoring._common(submission(bench, tmp_path, "", sealed=True), cells)
    files = {path.name for path in (common / "models" / "w16").iterdir()}
    assert files == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    modules = {str(path.relative_to(common / "package")) for path in (common / "package").rglob("*.py")}
    assert "w2s/training/loop.py" in modules
    assert not [name for name in modules if "microworld" in name or name.startswith(("w2s/nlp", "w2s/analysis"))]


@pytest.mark.parametrize(("seed", "share"), [(0, 1.0), (271_828_182, 0.0)])
def test_a_pasted_generator_knows_a_world_by_its_seed_alone(
    seed: int, share: float, bench: Bench, cells: list[Compared]
) -> None:
    """Why an organiser should use a secret seed: docs/bench.md says so."""
    size = bench[1].experiment.data.world.model_dump(exclude={"zipf"}) | {"seed": seed}
    rows = synthetic.rows(World(WorldSize(**size)), "sciq")
    answers = {
        one.text: one.label
        for part in rows.values()
        for made in formatted(TASKS["sciq"], part, "", None)
        for one in made or ()
    }
    texts = scoring.told_of(cells[0], Stored(bench[0]))["texts"]["test"]
    assert sum(text in answers for text in texts) / len(texts) == share


def test_without_namespaces_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    why_not = sandbox.unavailable()
    assert why_not is not None
    assert "namespaces need Linux" in why_not
    from w2s.bench import submit

    assert submit.sealing(why_not).startswith("sealed: NO")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sandbox, "ISOLATED", ["--no-such-option"])
    assert "no-such-option" in str(sandbox.unavailable()) or "--help" in str(sandbox.unavailable())
