"""Our wheel, and the wheels of everything that it needs."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout into a folder."""
    program = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    built = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return folder / built.stdout.split()[-1]


def collect_wheels(folder: Path, wheel: Path) -> None:
    """Fetch everything that a new project installs, in the versions of requirements.lock."""
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = [line.rstrip(" \\") for line in locked.splitlines() if re.match(r"[a-z0-9]", line)]
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins), encoding="utf-8")
    needed = (f"holdfast[aws,local] @ {wheel.as_uri()}", "pytest>=8", "syrupy>=5")
    pip = (sys.executable, "-m", "pip", "--quiet", "wheel", "--wheel-dir", str(folder))
    subprocess.run([*pip, "-c", str(constraints), *needed], check=True)
