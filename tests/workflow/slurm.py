"""A real Slurm of one node with two GPUs that are none, started as root in a folder of its own and stopped again.

Nothing outside of the folder is touched, and nothing listens beyond this machine. GPUs are copies of /dev/null: Slurm
counts them and tells jobs which ones are theirs.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol")
GPUS = 2
MEMORY = 256_000  # MiB that the node says it has: what the profile asks for is for real clusters
READY = 30  # seconds until the node must be idle
CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/finished.txt
MinJobAge=3600
KillWait=3
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=2,defer
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} Gres=gpu:{gpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def lacking() -> str:
    """What a machine lacks for this, in words; empty if it lacks nothing."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        return f"no {', '.join(missing)} here: install slurm-wlm and munge"
    if not find_spec("snakemake_executor_plugin_slurm"):
        return "no snakemake-executor-plugin-slurm here: install the extra `slurm`"
    return "" if os.geteuid() == 0 else "Slurm can be started by root alone"


@dataclass(frozen=True)
class Cluster:
    """A running Slurm. environment: what its commands and the workflow need. daemons: by program."""

    folder: Path
    environment: Mapping[str, str]
    daemons: dict[str, subprocess.Popen[bytes]]

    def run(self, *command: str) -> str:
        """One of Slurm's commands; its output."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def finished(self) -> list[dict[str, str]]:
        """Every job that has ended, by what Slurm wrote of it: JobId, Name, JobState, TimeLimit, ..."""
        path = self.folder / "finished.txt"
        lines = path.read_text().splitlines() if path.is_file() else []
        return [dict(part.split("=", 1) for part in line.split() if "=" in part) for line in lines]

    def start(self, *command: str) -> None:
        """Start one of the daemons."""
        with (self.folder / f"{command[0]}.out").open("ab") as log:
            self.daemons[command[0]] = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def start_node(self) -> None:
        """Start the node's daemon, for the first time or again."""
        self.start("slurmd", "-D", "-N", _node())

    def lose_node(self) -> None:
        """Kill the node's daemon, the daemons of its steps, and every process of its jobs: as if its power failed.

        Slurm is told that the node is down, which it would find out after SlurmdTimeout. (A daemon that is back before
        that speaks for jobs of the last seconds as if they were about to start.)
        """
        self.daemons["slurmd"].kill()
        self.daemons["slurmd"].wait()
        while left := self._of_jobs():  # till none is left
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.1)
        self.run("scontrol", "update", f"NodeName={_node()}", "State=DOWN", "Reason=lost")

    def _of_jobs(self) -> list[int]:
        """Processes that have this cluster's configuration and either belong to a job or watch one."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                variables, said = (place / "environ").read_bytes(), (place / "cmdline").read_bytes()
            except OSError:  # it has ended
                continue
            mine = str(self.folder).encode() in variables
            if mine and (b"\0SLURM_JOB_ID=" in b"\0" + variables or b"slurmstepd" in said):
                found.append(int(place.name))
        return found

    def stop(self) -> None:
        """End all jobs, then what was started, in the reverse order."""
        subprocess.run(["scancel", "--user=root"], env=self.environment, capture_output=True, check=False)
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()


def start(folder: Path) -> Cluster:
    """Start one; RuntimeError with the end of its logs if the node does not get ready."""
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    host = _node()
    content = CONFIG.format(
        host=host, folder=folder, ports=_free_ports(2), cores=os.cpu_count(), memory=MEMORY, gpus=GPUS
    )
    (folder / "slurm.conf").write_text(content)
    for number in range(GPUS):
        os.mknod(folder / f"gpu{number}", stat.S_IFCHR | 0o600, os.makedev(1, 3))  # as /dev/null
    (folder / "gres.conf").write_text(f"NodeName={host} Name=gpu File={folder}/gpu[0-{GPUS - 1}]\n")
    environment = os.environ | {"SLURM_CONF": f"{folder}/slurm.conf", "PATH": f"{folder}/bin:{os.environ['PATH']}"}
    _with_configuration(folder, "srun")
    munged = ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"]
    munged += [f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log", f"--seed-file={folder}/seed"]
    cluster = Cluster(folder, environment, {})
    cluster.start(*munged)
    _wait_for(folder / "munge.socket")
    cluster.start("slurmctld", "-D", "-c")
    cluster.start_node()
    for _ in range(READY):
        if subprocess.run(["sinfo", "-h", "-o", "%T"], env=environment, capture_output=True).stdout.strip() == b"idle":
            return cluster
        time.sleep(1)
    cluster.stop()
    logs = "\n".join(path.read_text()[-1500:] for path in (*folder.glob("*.log"), *folder.glob("*.out")))
    raise RuntimeError(f"Slurm did not get ready in {READY} seconds\n{logs}")


def _node() -> str:
    """What Slurm calls this machine."""
    return socket.gethostname().split(".")[0]


def _with_configuration(folder: Path, program: str) -> None:
    """A program by the same name that knows the configuration.

    The plugin drops all SLURM_* variables before it calls srun inside of a job, so that one could only find the
    configuration of a cluster that is installed for good.
    """
    wrapper = folder / "bin" / program
    wrapper.write_text(f'#!/bin/sh\nexec env SLURM_CONF={folder}/slurm.conf {shutil.which(program)} "$@"\n')
    wrapper.chmod(0o755)


def _wait_for(path: Path, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    """Ports that nothing listens at."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports
