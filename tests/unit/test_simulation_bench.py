"""The simulation's doubles keep up with what a deploy asks of Terraform and of the bucket."""

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench" / "simulation.py"


def test_the_simulation_deploys_its_shards_and_finds_them_unchanged() -> None:
    words = (sys.executable, str(BENCH), "--one", "--shards", "12", "--sleep", "0")

    ended = subprocess.run(words, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr[-2000:]
    assert [cost["work"] for cost in json.loads(ended.stdout)] == ["first deploy", "nothing changed"]
