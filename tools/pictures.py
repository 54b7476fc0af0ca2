"""Pictures of a terminal for README and docs/pictures/, taken of real runs on the local cloud. Needs tmux.

A deploy of everything while it runs and at its end, one that fails and is rolled back, the log of one in a CI
of GitHub, and one that a gate stops:

    python tools/pictures.py --width 96
"""

import argparse
import contextlib
import io
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.system.runtime import real_runtime

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
# The local cloud lets the tasks of such a container fail.
BROKEN = '\n[services.storefront.environment]\nHOLDFAST_LOCAL_TASKS_FAIL = "true"\n'
CHANGED = '\n[services.storefront.environment]\nLOG_LEVEL = "debug"\n'
STOREFRONT = "holdfast deploy --env local --service storefront --yes"
HEIGHT = 24
PATIENCE_SECONDS = 600
# A picture fetches nothing: its text is in a font that the reader has.
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_FONT = "font-family: Fira Code, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


class Terminal:
    """A terminal of tmux, with a server of its own."""

    def __init__(self, width: int) -> None:
        self._socket = f"holdfast-pictures-{width}"
        self.width = width
        path = f"{Path(sys.executable).parent}:$PATH"
        shell = f"cd {shlex.quote(str(ROOT))}; PATH={path} PS1='$ ' exec bash --norc --noprofile"
        self._tmux(
            "new-session", "-d", "-s", "0", "-x", str(width), "-y", str(HEIGHT), f"sh -c {shlex.quote(shell)}"
        )

    def close(self) -> None:
        self._tmux("kill-session", "-t", "0")

    def type(self, command: str) -> None:
        self._tmux("send-keys", "-t", "0", "-l", command)
        self._tmux("send-keys", "-t", "0", "Enter")

    def screen(self) -> str:
        """Return what is seen, with its colours as escapes."""
        return self._tmux("capture-pane", "-e", "-p", "-t", "0").rstrip()

    def wait(self, is_there: Callable[[str], bool]) -> str:
        """Return the first screen of which `is_there` is true."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            screen = self.screen()
            if is_there(Text.from_ansi(screen).plain):
                return screen
            time.sleep(0.2)
        raise SystemExit(f"the terminal never showed it:\n{self.screen()}")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ("tmux", "-L", self._socket, *words), check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout


def picture(screen: str, width: int) -> str:
    """Return a screen as SVG."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(screen), no_wrap=True)
    svg = _FONT_FACE.sub("", console.export_svg(title="holdfast"))
    return re.sub(r"font-family: Fira Code[^;]*", _FONT, svg)


def prompt_is_back(screen: str) -> bool:
    lines = screen.splitlines()
    return len(lines) > 1 and lines[-1].strip() == "$" and " shard" in screen


def two_at_work(screen: str) -> bool:
    """Whether database and load balancer are half done: what a deploy looks like most of the time."""
    return all(re.search(row, screen) for row in (r"data .*applying", r"edge .*applying .* 1\d/\d+"))


def take(terminal: Terminal) -> Iterator[tuple[str, str]]:
    """Yield the name and the screen of each picture."""
    terminal.type("clear")
    terminal.type("holdfast deploy --env local --yes")
    yield "deploy-running", terminal.wait(two_at_work)
    yield "deploy", terminal.wait(prompt_is_back)
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "local.toml"
        present = (ROOT / "environments" / "local.toml").read_text("utf-8")
        settings.write_text(present + BROKEN, "utf-8")
        terminal.type(f"export HOLDFAST_ENVIRONMENTS={folder}")
        yield "rollback", shown(terminal, STOREFRONT)
        settings.write_text(present + CHANGED, "utf-8")
        yield "ci-log", shown(terminal, f"CI=true GITHUB_ACTIONS=true {STOREFRONT} | cat")
        shown(terminal, "holdfast rollback storefront --env local --yes")
        yield "blocked", shown(terminal, STOREFRONT)


def shown(terminal: Terminal, command: str) -> str:
    """Return the screen after a command."""
    terminal.type("clear")
    terminal.wait(lambda screen: screen.strip() == "$")
    terminal.type(command)
    return terminal.wait(prompt_is_back)


def main() -> int:
    """Take the pictures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=96, help="columns of the terminal")
    parser.add_argument("--into", type=Path, default=PICTURES, help="folder of the pictures")
    given = parser.parse_args()
    cloud = LocalCloud(ROOT, real_runtime())
    if cloud.status().running:
        print("The local cloud runs already and may hold work of yours; end it first: holdfast local down")
        return 1
    given.into.mkdir(parents=True, exist_ok=True)
    cloud.up()
    with contextlib.closing(Terminal(given.width)) as terminal, contextlib.ExitStack() as stack:
        stack.callback(cloud.down)
        for name, screen in take(terminal):
            (given.into / f"{name}.svg").write_text(picture(screen, given.width), encoding="utf-8")
            print(f"{name}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
