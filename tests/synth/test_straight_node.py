"""The app's Node: one process and not two, and jsii's own way where somebody wants it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast_bindings import settings

_PROGRAM = """
import os, sys
import {first}
import cdktf
from pathlib import Path

app = cdktf.Testing.app()
def below(pid):
    for task in Path(f"/proc/{{pid}}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield Path(f"/proc/{{child}}/cmdline").read_text()
            yield from below(child)
print(sum("node" in line for line in below(os.getpid())), cdktf.Token.is_unresolved("x"))
"""


def nodes(first: str = "holdfast_constructs", **environ: str) -> str:
    program = _PROGRAM.format(first=first)
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == ""
    return ran.stdout.strip()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no /proc on this machine")
def test_one_node_runs_where_jsii_starts_two() -> None:
    assert nodes() == "1 False"
    assert nodes(HOLDFAST_FAST_BINDINGS="0", JSII_NODE=str(settings._packaged_node())) == "2 False"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no /proc on this machine")
def test_a_runtime_of_the_users_own_is_started_as_jsii_does_it(tmp_path: Path) -> None:
    import jsii._embedded.jsii as embedded  # noqa: PLC0415 - where jsii keeps its JavaScript

    for name, target in embedded.EMBEDDED_FILES.items():
        file = tmp_path / target
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((Path(embedded.__file__).parent / name).read_bytes())

    assert nodes(JSII_RUNTIME=str(tmp_path / "bin" / "jsii-runtime.js")) == "2 False"


def test_what_javascript_throws_comes_back_as_an_error_and_node_ends_with_python() -> None:
    program = "import holdfast_constructs, cdktf; cdktf.TerraformStack(cdktf.Testing.app(), 'not a name')"

    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )

    assert ran.returncode == 1
    assert "JavaScriptError" in ran.stderr or "RuntimeError" in ran.stderr
