"""A real Spark cluster of this computer: one master and two workers, reachable from itself only."""

import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

WORKERS = 2
MEMORY_MB = 512
STARTS_WITHIN_S = 240.0
ENDS_WITHIN_S = 10.0


@dataclass
class Standalone:
    """A standalone master and its workers; a context manager that ends what it started, by id."""

    folder: Path
    workers: int = WORKERS
    cores: int = 1
    memory_mb: int = MEMORY_MB
    master: str = ""
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    begun: int = 0

    def __enter__(self) -> "Standalone":
        try:
            self._start("master", "deploy.master.Master")
            self.master = self._announced("master", r"Starting Spark master at (spark://\S+)")
            self.start_workers()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start_workers(self) -> None:
        """Start the workers that are not there, and wait until the master knows them."""
        for _ in range(self.workers + 1 - len(self.processes)):
            self.begun += 1
            folder = str(self.folder / f"work{self.begun}")
            memory = f"{self.cores * self.memory_mb}m"
            options = ["-c", str(self.cores), "-m", memory, "-d", folder]
            self._start(f"worker{self.begun}", "deploy.worker.Worker", *options, self.master)
        self._announced("master", "Registering worker", times=self.begun)

    def kill_worker(self, worker: "subprocess.Popen[bytes]") -> list[int]:
        """Kill a worker, not its executors; these and their children, which have to follow it."""
        left = descendants(worker.pid)
        worker.kill()
        worker.wait()
        self.processes.remove(worker)
        return left

    def executors(self) -> list[int]:
        """Process ids of the executors that the workers have started, in the workers' order."""
        return [
            child
            for process in self.processes[1:]
            for child in children(process.pid)
            if "CoarseGrainedExecutorBackend" in command(child)
        ]

    def stop(self) -> None:
        """End workers, then the master, and wait until they are gone."""
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def _start(self, name: str, of_spark: str, *options: str) -> None:
        import pyspark

        home = Path(pyspark.__path__[0])
        environment = os.environ | {
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
            " -Dspark.master.rest.enabled=false",
            "SPARK_NO_DAEMONIZE": "1",
        }
        ports = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes.append(
                subprocess.Popen(
                    [
                        str(home / "bin" / "spark-class"),
                        f"org.apache.spark.{of_spark}",
                        *ports,
                        *options,
                    ],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )

    def _announced(self, name: str, words: str, times: int = 1) -> str:
        log = self.folder / f"{name}.log"
        end = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < end:
            found = re.findall(words, log.read_text("utf-8", errors="replace"))
            if len(found) >= times:
                return str(found[0])
            if any(process.poll() is not None for process in self.processes):
                break
            time.sleep(0.1)
        raise RuntimeError(f"{name} did not start: {log.read_text('utf-8', errors='replace')}")


def children(pid: int) -> list[int]:
    """Processes that a process started and that still run."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        lists = [(task / "children").read_text("ascii").split() for task in tasks]
    except OSError:
        return []
    return sorted(int(child) for group in lists for child in group)


def descendants(pid: int) -> list[int]:
    """Children, their children, and so on."""
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def command(pid: int) -> str:
    """The words with which a process was started; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8")
    except OSError:
        return ""


def gone(pids: list[int], *, within_s: float) -> bool:
    """Whether processes end in time; one that its parent has not yet collected is gone."""
    end = time.monotonic() + within_s
    while any(_runs(pid) for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"
