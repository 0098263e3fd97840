"""Build one folder of wheels from which a computer without internet installs Placeproof.

By default for the computer it runs on; `TARGET=win_amd64 TARGET_PYTHON=3.12 make offline` builds
it for a Windows laptop. Every wheel is checked against the pinned hashes before it is kept.
"""

import os
import subprocess
import sys
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
TARGETS = {
    "win_amd64": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
    "macosx_11_0_arm64": {
        "sys_platform": "darwin",
        "platform_system": "Darwin",
        "platform_machine": "arm64",
    },
    "manylinux_2_28_x86_64": {"sys_platform": "linux", "platform_system": "Linux"},
}
INSTALL = """Placeproof without internet
===========================

1. Python {python} (64 bit) must be there; installed for one user, without admin rights, will do.
2. Open a command window in this folder and type, on Windows:

     py -{python} -m venv %USERPROFILE%\\placeproof
     %USERPROFILE%\\placeproof\\Scripts\\pip install --no-index --find-links wheels placeproof
     %USERPROFILE%\\placeproof\\Scripts\\placeproof --version

   on Linux and macOS:

     python{python} -m venv ~/placeproof
     ~/placeproof/bin/pip install --no-index --find-links wheels placeproof
     ~/placeproof/bin/placeproof --version
"""


def pinned(environment: dict[str, str]) -> list[str]:
    """The locked requirements that hold in an environment, each with its hashes, a line each."""
    text = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = []
    for line in text.splitlines():
        requirement, *hashes = line.split(" --hash=")
        if not requirement.strip():
            continue
        parsed = Requirement(requirement.strip())
        if parsed.marker is None or parsed.marker.evaluate(environment):
            bare = f"{parsed.name}{parsed.specifier}"
            lines.append(" ".join([bare, *(f"--hash={value.strip()}" for value in hashes)]))
    return lines


def main() -> None:
    """Download the wheels and build ours beside them."""
    target = os.environ.get("TARGET", "")
    python = os.environ.get("TARGET_PYTHON", ".".join(map(str, sys.version_info[:2])))
    environment = {**default_environment(), **TARGETS.get(target, {})}  # type: ignore[dict-item]
    environment |= {"python_version": python, "python_full_version": f"{python}.0"}
    folder = ROOT / "offline" / (target or "this-computer")
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    wanted = folder / "pinned.txt"
    wanted.write_text("\n".join(pinned(environment)) + "\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    command = [*pip, "download", "--require-hashes", "--no-deps", "--dest", str(wheels)]
    command += ["--only-binary=:all:", "-r", str(wanted)]
    if target:
        command += ["--platform", target, "--python-version", python, "--implementation", "cp"]
    subprocess.run(command, check=True)
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels)]
    subprocess.run([*build, str(ROOT)], check=True)
    (folder / "INSTALL.txt").write_text(INSTALL.format(python=python), encoding="utf-8")
    size_mb = sum(path.stat().st_size for path in wheels.iterdir()) / 1e6
    print(f"{folder.relative_to(ROOT)}: {len(list(wheels.iterdir()))} wheels, {size_mb:.0f} MB")


if __name__ == "__main__":
    main()
