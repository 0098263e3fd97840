"""What has to be there before a Spark cluster is joined: an address, Java, PySpark, a master."""

import os
import re
import shutil
import socket
import subprocess
import warnings
from pathlib import Path
from typing import Any

from placeproof.errors import SettingsError, StudyError

OLDEST_JAVA = 17
ANSWER_WITHIN_S = 5.0
"""How long a master may take to accept a connection."""


def master_addresses(master: str) -> list[tuple[str, int]]:
    """
    Read the address of a standalone Spark master.

    Parameters
    ----------
    master : str
        `spark://host:port`, or `spark://host:port,host:port`.

    Returns
    -------
    list of (str, int)
        Hosts and ports.

    Raises
    ------
    SettingsError
        If it is not such an address.
    """
    found = re.fullmatch(r"spark://(.+)", master.strip())
    parts = found[1].split(",") if found else []
    addresses = []
    for part in parts:
        one = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})", part.strip())
        if one and 0 < int(one[2]) < 65536:
            addresses.append((one[1].strip("[]"), int(one[2])))
    if not addresses or len(addresses) != len(parts):
        raise SettingsError(
            f'"{master}" is not the address of a Spark master. Expected: spark://host:port.',
            mend='copy the address from the top of the master\'s web page, or use engine "local"',
        )
    return addresses


def java() -> Path:
    """
    Find the Java that Spark will use.

    Returns
    -------
    Path
        The program.

    Raises
    ------
    StudyError
        If there is none, or it is older than Spark needs.
    """
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    mend = f"install Java {OLDEST_JAVA} (a JRE is enough) and set JAVA_HOME, or use engine local"
    try:
        said = subprocess.run(
            [found or "java", "-version"], capture_output=True, text=True, timeout=60, check=False
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        where = f"JAVA_HOME is {home}, and no java runs there" if home else "none is on the PATH"
        raise StudyError(f"Spark needs Java {OLDEST_JAVA}: {where}.", mend=mend) from None
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if not version or int(version[1]) < OLDEST_JAVA:
        age = f"Java {version[1]}" if version else "no Java that says its version"
        raise StudyError(f"Spark needs Java {OLDEST_JAVA} or newer; here is {age}.", mend=mend)
    return Path(found or "java")


def pyspark_here() -> Any:
    """
    Find PySpark, with which this process can join a cluster.

    Returns
    -------
    module

    Raises
    ------
    SettingsError
        If it is not installed, or a Spark context already runs in this process.
    """
    try:
        # It warns about a pandas that we never hand to it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pyspark
    except ImportError:
        raise SettingsError(
            "The engine is a Spark cluster, and PySpark is not installed here.",
            mend='install Placeproof with its extra "spark", or use engine "local"',
        ) from None
    if pyspark.SparkContext._active_spark_context is not None:
        raise SettingsError(
            "A Spark context already runs in this Python process.",
            mend="stop it first: the run joins the cluster by itself",
        )
    return pyspark


def require_answer(master: str, addresses: list[tuple[str, int]]) -> None:
    """
    Ask whether somebody is there, because Spark itself would try for a minute.

    Parameters
    ----------
    master : str
        As it was given.
    addresses : list of (str, int)
        What `master_addresses` made of it.

    Raises
    ------
    StudyError
        If nobody answers at any of them.
    """
    reasons = []
    for host, port in addresses:
        try:
            socket.create_connection((host, port), timeout=ANSWER_WITHIN_S).close()
            return
        except OSError as error:
            reasons.append(f"{host}:{port}: {error.strerror or error}")
    raise StudyError(
        f"No Spark master answers at {master} ({'; '.join(reasons)}).",
        mend="start the master, or correct the address: its web page shows it at the top",
    )
