"""Apps of any shape through `synthesize`: they are fast without a line of code, and write the same."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from tests.support.small_bindings import PACKAGE, Files, as_cdktf_get_writes_them, write_bindings

from holdfast_bindings import settings
from holdfast_orchestrator.app.project_file import ProjectFile
from holdfast_orchestrator.app.synth import synthesize
from holdfast_orchestrator.errors import SynthesisError
from holdfast_orchestrator.events import Event, Notice
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.testing import refusing_runtime

SUBMODULES = {"provider": "provider", "vpc": "vpc", "subnet": "subnet", "s3_bucket": "s3Bucket"}
ROOT = "from ._jsii import *\nfrom . import provider, vpc, subnet, s3_bucket\n"
APP = """{shebang}
from cdktf import App, TerraformStack
from {package}.provider import AwsProvider
from {package}.vpc import Vpc

app = App()
stack = TerraformStack(app, "site")
AwsProvider(stack, "aws", region="eu-west-1")
vpc = Vpc(stack, "vpc", cidr_block="10.0.0.0/16")
from {package}.s3_bucket import S3Bucket  # after the first resource
S3Bucket(stack, "bucket", bucket=vpc.id)
app.synth()
"""


class Project:
    """A folder with an app and a virtual environment of its own, in which there is no Holdfast."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"
        self.notices: list[str] = []
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / ".venv")], check=True)
        packages = sysconfig.get_path("purelib")
        (own,) = (folder / ".venv").glob("lib/python*/site-packages")
        # What lies behind a `.pth` is found, but a `.pth` there, such as Holdfast's, is not read.
        (own / "app.pth").write_text(f"{self.site}\n{packages}\n")

    def write_app(self, *, package: str = PACKAGE, shebang: str = "", name: str = "main.py") -> None:
        """Write the app as an executable file."""
        (self.folder / name).write_text(APP.format(package=package, shebang=shebang))
        (self.folder / name).chmod(0o755)

    def synthesize(self, app: str, name: str, **environ: str) -> dict[str, bytes]:
        """Return the files that the app writes, with their content."""
        output = self.folder / name
        file = ProjectFile(
            folder=self.folder, app=app, output=output, bindings=self.folder / "imports", language="python"
        )
        runtime = refusing_runtime(environ=self._environ() | environ, processes=SystemProcesses())
        synthesize(file, runtime, emit=self._hear)
        shutil.move(output, self.folder / f"{name}-read")
        files = [path for path in (self.folder / f"{name}-read").rglob("*") if path.is_file()]
        return {str(path.relative_to(self.folder / f"{name}-read")): path.read_bytes() for path in files}

    @property
    def copies(self) -> list[str]:
        """The names of the pruned copies that were made."""
        return [path.name for path in (self.folder / "cache").glob("holdfast/bindings/*.tgz")]

    def _environ(self) -> dict[str, str]:
        ours = ("HOLDFAST_", "JSII_", "PYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return kept | {
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "JSII_NODE": str(settings._packaged_node()),
        }

    def _hear(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append(event.message)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    write_bindings(project.site / PACKAGE, SUBMODULES, root=ROOT)
    project.write_app()
    return project


@pytest.mark.parametrize(
    "app",
    [
        ".venv/bin/python main.py",
        ".venv/bin/python -m main",
        ". .venv/bin/activate && python main.py",
        "./main.py",
        "bash -c 'exec .venv/bin/python -P main.py'",
        "uv run --no-project --no-sync --python .venv/bin/python main.py",
    ],
)
def test_an_app_of_any_shape_is_fast_and_writes_the_same(project: Project, app: str) -> None:
    if app.startswith("uv") and shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    if app == "./main.py":
        project.write_app(shebang=f"#!{project.folder}/.venv/bin/python")

    fast = project.synthesize(app, "fast")
    fast_copies = project.copies
    stock = project.synthesize(app, "stock", HOLDFAST_FAST_BINDINGS="0")

    assert fast == stock
    assert len(fast_copies) == 2, "one of what was imported at first, one more of what came late"
    assert project.copies == fast_copies


def test_nothing_is_left_in_the_app_s_environment_or_folder(project: Project) -> None:
    def files() -> set[Path]:
        everything = {path for path in project.folder.rglob("*") if "__pycache__" not in path.parts}
        return {path for path in everything if not path.is_relative_to(project.folder / "cache")}

    before = files()
    project.synthesize(".venv/bin/python main.py", "fast")
    left = files() - before

    names = {path.relative_to(project.folder).parts[0] for path in left}
    assert names == {"fast-read", ".holdfast"}
    assert list((project.folder / ".holdfast").iterdir()) == []


def test_a_python_that_ignores_its_environment_writes_the_same_the_stock_way(project: Project) -> None:
    isolated = project.synthesize(".venv/bin/python -I main.py", "isolated")
    assert project.copies == []

    assert isolated == project.synthesize(".venv/bin/python main.py", "fast")
    assert project.copies != []


def test_what_cdktf_get_wrote_is_fast_too(project: Project) -> None:
    write_bindings(
        project.folder / "imports" / "aws",
        SUBMODULES,
        root=ROOT,
        version="0.0.0",
        change=as_cdktf_get_writes_them,
    )
    project.write_app(package="imports.aws")

    fast = project.synthesize(".venv/bin/python main.py", "fast")
    fast_copies = project.copies
    stock = project.synthesize(".venv/bin/python main.py", "stock", HOLDFAST_FAST_BINDINGS="0")

    assert fast == stock
    assert [copy.startswith("0.0.0-") for copy in fast_copies] == [True, True]


def _hidden_requirement(files: Files) -> Files:
    """A submodule whose JavaScript needs another one, in a way that cannot be seen in its text."""
    needs = b"\nrequire(['..', 'subnet'].join('/'));\n"
    name = "package/lib/vpc/index.js"
    return files | {name: files[name] + needs}


def test_an_app_whose_copy_fails_is_run_again_without_one(tmp_path: Path) -> None:
    project = Project(tmp_path)
    write_bindings(project.site / PACKAGE, SUBMODULES, root=ROOT, change=_hidden_requirement)
    project.write_app()

    fast = project.synthesize(".venv/bin/python main.py", "fast")

    assert project.copies != [], "there was no copy that could fail: the test does not test"
    assert len(project.notices) == 1
    assert project.notices[0].startswith("the app was run again without the fast bindings: ")
    assert fast == project.synthesize(".venv/bin/python main.py", "stock", HOLDFAST_FAST_BINDINGS="0")


def test_an_error_of_the_app_is_told_once_and_with_its_own_lines_only(project: Project) -> None:
    main = project.folder / "main.py"
    main.write_text(main.read_text().replace('S3Bucket(stack, "bucket"', 'S3Bucket(stack, "vpc"'))
    runs = project.folder / "runs"

    with pytest.raises(SynthesisError, match="already a Construct with name 'vpc'") as raised:
        project.synthesize(f"echo run >> {runs}; .venv/bin/python main.py", "fast")

    assert runs.read_text() == "run\n"
    assert "holdfast_bindings" not in str(raised.value)
