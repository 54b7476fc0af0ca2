"""Installs Holdfast from a fresh clone: `python3 tools/install.py --venv .venv`. Standard library only.

1. A virtual environment with exactly what `requirements.lock` lists, each file checked by its hash,
   and this repository in editable form.
2. Everything compiled: PYTHONDONTWRITEBYTECODE may be set, and then nothing would ever be cached; the
   AWS bindings alone are 2,135 modules.
3. An engine. Where neither Terraform nor OpenTofu of a fitting version is on the search path, one
   pinned Terraform is fetched to `.holdfast/bin` and checked by `tools/terraform.lock.json`.

Run again, it looks and does nothing. What is missing is named with the command that installs it.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

PYTHON_FLOOR = (3, 11)
if sys.version_info < PYTHON_FLOOR:  # users of an older Python get a sentence, not a SyntaxError
    sys.exit(
        f"Holdfast needs Python 3.11 or newer; this is Python {sys.version.split()[0]} ({sys.executable}).\n"
        "  next: install a newer one, then: make install PYTHON=python3.11"
    )

PROJECT = Path(__file__).resolve().parent.parent
ENGINE_FLOOR = (1, 10)
URL_VARIABLE = "HOLDFAST_TERRAFORM_URL"
URL = "https://releases.hashicorp.com/terraform"
BY_HAND = (
    "install Terraform or OpenTofu 1.10 or newer by hand "
    "(https://developer.hashicorp.com/terraform/install, https://opentofu.org/docs/intro/install)"
)
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
CHUNK = 1 << 16
SECONDS = 60


class InstallError(Exception):
    """What went wrong, and what to do next."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(f"{what}\n  next: {next_step}")


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    try:
        if options.only != "engine":
            install_python(options.venv.absolute(), options.project)
        if options.only != "python":
            print(f"engine: {install_engine(options.project, options.terraform_url)}")
    except InstallError as error:
        print(f"install: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("install: interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--venv", type=Path, default=PROJECT / ".venv", help="the virtual environment to make"
    )
    parser.add_argument("--project", type=Path, default=PROJECT, help="the folder with requirements.lock")
    parser.add_argument("--only", choices=("python", "engine"), help="do one half")
    parser.add_argument(
        "--terraform-url",
        default=os.environ.get(URL_VARIABLE) or URL,
        help=f"where Terraform's releases are ({URL_VARIABLE}; default {URL})",
    )
    return parser.parse_args(argv)


# --- Python


def install_python(venv: Path, project: Path) -> None:
    """Make the virtual environment and fill it, unless it is what the lock file asks for."""
    stamp = venv / ".holdfast-installed"
    wanted = fingerprint(project)
    python = venv / "bin" / "python"
    if stamp.is_file() and stamp.read_text() == wanted and works(python):
        print(f"python: {venv} is up to date")
        return
    stamp.unlink(missing_ok=True)
    if not works(python):
        print(f"python: making {venv}")
        make_venv(venv)
    print("python: installing what requirements.lock lists (some minutes the first time)")
    pip(python, "--no-compile", "--require-hashes", "-r", str(project / "requirements.lock"))
    pip(python, "--no-compile", "--no-deps", "--no-build-isolation", "--editable", str(project))
    print("python: compiling")
    compile_all(python, project)
    stamp.write_text(wanted)


def fingerprint(project: Path) -> str:
    """Return what tells one set of things to install from another."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ("requirements.lock", "pyproject.toml"):
        digest.update((project / name).read_bytes())
    return digest.hexdigest()


def works(python: Path) -> bool:
    """Say whether a virtual environment's Python starts, is new enough and has pip."""
    test = f"import pip, sys; sys.exit(sys.version_info < {PYTHON_FLOOR})"
    try:
        return subprocess.run([str(python), "-c", test], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make_venv(venv: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(venv)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise InstallError(
            f"{sys.executable} cannot make a virtual environment:\n{(made.stdout + made.stderr).strip()}",
            f"on Debian and Ubuntu: apt-get install python{version}-venv",
        )


def pip(python: Path, *wanted: str) -> None:
    """Run `pip install`, silent unless it fails."""
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-warn-script-location")
    command = [str(python), "-m", "pip", "install", *quiet, *wanted]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise InstallError(
            f"pip failed:\n{(ran.stdout + ran.stderr).strip()[-3000:]}",
            "is the package index reachable? pip's settings (PIP_INDEX_URL, a proxy) are used as they are",
        )


def compile_all(python: Path, project: Path) -> None:
    # Some packages carry files that are no valid Python on purpose: what does not compile is not needed.
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]
    packages = subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip()
    sources = (project / name for name in ("constructs", "orchestrator", "stacks"))
    command = [str(python), "-m", "compileall", "-qq", "-j", "2", packages, *map(str, sources)]
    subprocess.run(command, capture_output=True, check=False)


# --- Engine


def install_engine(project: Path, base_url: str) -> str:
    """Return the engine to use, in words; fetch the pinned Terraform where there is none."""
    bin_folder = project / ".holdfast" / "bin"
    too_old = []
    for folder in (None, str(bin_folder)):
        for name in ("terraform", "tofu"):
            found = shutil.which(name, path=folder)
            version = engine_version(found) if found else None
            if version is not None and version[1] >= ENGINE_FLOOR:
                return f"{version[0]} ({found})"
            if found:
                too_old.append(f"{found} ({version[0] if version else 'does not answer'})")
    if too_old:
        print(f"engine: too old, fetching another: {', '.join(too_old)}")
    lock = json.loads((project / "tools" / "terraform.lock.json").read_text())
    return fetch_terraform(lock, bin_folder, base_url)


def engine_version(program: str) -> tuple[str, tuple[int, ...]] | None:
    """Ask an engine for its version; None where it does not answer like one."""
    environ = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    try:
        answer = subprocess.run(
            [program, "version"], capture_output=True, text=True, timeout=SECONDS, env=environ, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"^(Terraform|OpenTofu) v(\d+)\.(\d+)\.(\d+)", answer.stdout, re.MULTILINE)
    return (match[0], tuple(map(int, match.groups()[1:]))) if match else None


def fetch_terraform(lock: dict[str, object], bin_folder: Path, base_url: str) -> str:
    """Fetch the pinned release, check it, and put it in place; leave nothing behind on failure."""
    version, target = str(lock["version"]), this_platform()
    sums = dict(lock["sha256"])  # type: ignore[call-overload]
    if target not in sums:
        raise InstallError(
            f"there is no Terraform on the search path, and none pinned for {target} "
            f"(only for {', '.join(sorted(sums))})",
            BY_HAND,
        )
    url = f"{base_url.rstrip('/')}/{version}/terraform_{version}_{target}.zip"
    print(f"engine: fetching {url}")
    bin_folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=bin_folder.parent, prefix=".fetch-") as scratch:
        archive = Path(scratch) / "terraform.zip"
        check_sum(url, download(url, archive), sums[target])
        program = unpacked(url, archive, Path(scratch))
        bin_folder.mkdir(exist_ok=True)
        program.replace(bin_folder / "terraform")
    return f"Terraform v{version} ({bin_folder / 'terraform'})"


def download(url: str, target: Path) -> str:
    """Write what a URL answers to a file; return its SHA-256."""
    digest, received = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer, target.open("wb") as file:
            expected = answer.headers.get("Content-Length")
            for chunk in iter(lambda: answer.read(CHUNK), b""):
                digest.update(chunk)
                received += len(chunk)
                file.write(chunk)
    except urllib.error.HTTPError as error:
        raise InstallError(f"{url} answered {error.code} {error.reason}", unreachable()) from error
    except (OSError, http.client.HTTPException) as error:
        raise InstallError(f"{url} could not be fetched: {error}", unreachable()) from error
    if expected is not None and received != int(expected):
        raise InstallError(f"{url} broke off after {received} of {expected} bytes", "run make install again")
    return digest.hexdigest()


def unreachable() -> str:
    return f"set {URL_VARIABLE} to a mirror of {URL}, or {BY_HAND}"


def check_sum(url: str, actual: str, expected: str) -> None:
    if actual != expected:
        raise InstallError(
            f"{url} is not the file pinned in tools/terraform.lock.json: "
            f"its SHA-256 is {actual}, should be {expected}",
            f"do not use that file; set {URL_VARIABLE} to another mirror, or {BY_HAND}",
        )


def unpacked(url: str, archive: Path, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(archive) as content:
            program = Path(content.extract("terraform", folder))
    except (zipfile.BadZipFile, KeyError) as error:
        raise InstallError(f"{url} is no archive with a program `terraform` in it", BY_HAND) from error
    program.chmod(0o755)
    return program


def this_platform() -> str:
    machine = platform.machine().lower()
    return f"{sys.platform}_{MACHINES.get(machine, machine)}"


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
