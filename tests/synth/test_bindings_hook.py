"""The hook in real Pythons: they start as without it, and find bindings through it."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import holdfast_bindings

HOOK = Path(holdfast_bindings.__file__).parent / "hook"
VERSIONS = ("2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
WITH_BINDINGS = VERSIONS[VERSIONS.index("3.9") :]


def _python(version: str) -> str:
    """Skip where there is none of that version: only the one that runs the tests is always there."""
    if version == "{}.{}".format(*sys.version_info):
        return sys.executable
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    if not installed:
        pytest.skip(f"pyenv has no Python {version}")
    return str(installed[-1])


def _run(
    python: str, *argv: str, path: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HOLDFAST_"))
    }
    pythonpath = os.pathsep.join(map(str, filter(None, (HOOK, path))))
    return subprocess.run(
        [python, *argv],
        env={**clean, "PYTHONPATH": pythonpath, "PYTHONDONTWRITEBYTECODE": "1", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_the_users_own_sitecustomize_runs_once_as_without_holdfast(version: str, tmp_path: Path) -> None:
    python = _python(version)
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.stdout.write('theirs ' + __name__ + '\\n')\n")
    show = "import sys, sitecustomize as s; print(s.__file__); print([p for p in sys.path if 'hook' in p])"

    ran = _run(python, "-c", show, path=tmp_path)

    file = ran.stdout.splitlines()[1].replace(".pyc", ".py")
    assert (ran.stderr, ran.returncode) == ("", 0)
    assert ran.stdout.startswith("theirs sitecustomize\n")
    assert ran.stdout.count("theirs") == 1
    assert (file, ran.stdout.splitlines()[2]) == (str(tmp_path / "sitecustomize.py"), "[]")


@pytest.mark.parametrize("version", VERSIONS)
def test_without_a_sitecustomize_there_is_none(version: str, tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.touch()

    ran = _run(
        _python(version), "-c", "import sys; print('sitecustomize' in sys.modules)",
        HOLDFAST_BINDINGS_REPORT=str(report),
    )  # fmt: skip

    assert (ran.stdout, ran.stderr) == ("False\n", "")
    assert report.read_text() == f"started {version}\n"


def test_a_sitecustomize_that_fails_fails_with_the_same_words(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise ValueError('theirs')\n")

    ran = _run(sys.executable, "-c", "print(1)", path=tmp_path)
    stock = _run(sys.executable, "-c", "print(1)", PYTHONPATH=str(tmp_path))

    assert (ran.stdout, ran.stderr) == (stock.stdout, stock.stderr)
    assert "theirs" in ran.stderr


def test_a_python_that_imports_no_cdktf_loads_nothing_but_the_finder() -> None:
    show = "import sys; print(sorted(name for name in sys.modules if 'holdfast' in name or name == 'jsii'))"

    assert _run(sys.executable, "-S", "-c", show).stdout == "[]\n"
    assert _run(sys.executable, "-c", show).stdout == "['_holdfast_finder']\n"
    assert _run(sys.executable, "-c", show, HOLDFAST_FAST_BINDINGS="0").stdout == "[]\n"


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_a_python_that_looks_at_no_pythonpath_is_stock(option: str) -> None:
    show = "import sys; print([type(finder).__name__ for finder in sys.meta_path])"

    assert "Bindings" not in _run(sys.executable, option, "-c", show).stdout


# A jsii of a few lines that takes note of what it is asked for: the rest of this file needs no Node.
JSII = {
    "jsii/__init__.py": """
        class JSIIAssembly:
            @classmethod
            def load(cls, name, version, module, file):
                from jsii._kernel.providers.process import _NodeProcess
                from jsii._kernel.types import LoadRequest
                import os, sys
                tarball = os.path.join(os.path.dirname(sys.modules[module + '._jsii'].__file__), file)
                _NodeProcess().send(LoadRequest(name, version, tarball), None)
    """,
    "jsii/errors.py": "class JSIIError(Exception): pass",
    "jsii/_reference_map.py": "_types, _data_types, _enums, _interfaces = {}, {}, {}, {}",
    "jsii/_kernel/__init__.py": "",
    "jsii/_kernel/types.py": """
        class LoadRequest:
            def __init__(self, name, version, tarball):
                self.name, self.version, self.tarball = name, version, tarball
        class LoadResponse:
            def __init__(self, assembly, types):
                self.assembly, self.types = assembly, types
    """,
    "jsii/_kernel/providers/__init__.py": "",
    "jsii/_kernel/providers/process.py": """
        class _NodeProcess:
            def start(self): pass
            def handshake(self): pass
            def send(self, request, response_type): print('loaded', request.name)
    """,
    "attr/__init__.py": "def has(cls): return False",
    "cdktf/__init__.py": "from . import _jsii",
    "cdktf/_jsii/__init__.py": "",
}
BINDINGS = {
    "__init__.py": "from ._jsii import *\nfrom . import vpc, alb\nprint('the whole root')",
    "vpc/__init__.py": "from .._jsii import *\nname = 'vpc'",
    "alb/__init__.py": "from .._jsii import *\nname = 'alb'",
    "_jsii/provider-acme@1.2.3.jsii.tgz": "",
    "_jsii/__init__.py": """
        import jsii
        import cdktf._jsii
        __jsii_assembly__ = jsii.JSIIAssembly.load(
            "@cdktf/provider-acme", "1.2.3", __name__[0:-6], "provider-acme@1.2.3.jsii.tgz"
        )
    """,
}
PROVIDER = "cdktf_cdktf_provider_acme"
USE = "from {0}.vpc import name; import sys; print(name, '{0}.alb' in sys.modules)"


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a jsii, a cdktf and the bindings of one provider."""
    _write(tmp_path, JSII)
    _write(tmp_path / PROVIDER, BINDINGS)
    return tmp_path


@pytest.mark.parametrize("version", WITH_BINDINGS)
def test_any_provider_is_loaded_submodule_by_submodule(version: str, site: Path) -> None:
    ran = _run(_python(version), "-c", USE.format(PROVIDER), path=site)

    assert (ran.stdout, ran.stderr) == ("vpc False\n", "")


def test_switched_off_the_whole_root_is_run(site: Path) -> None:
    ran = _run(sys.executable, "-c", USE.format(PROVIDER), path=site, HOLDFAST_FAST_BINDINGS="0")

    assert ran.stdout == "loaded @cdktf/provider-acme\nthe whole root\nvpc True\n"


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("_jsii/__init__.py", "import jsii, cdktf._jsii\nload = jsii.JSIIAssembly.load", "not laid out"),
        ("../jsii/_reference_map.py", "_types = {}", "this version of jsii is not known"),
        ("../attr/__init__.py", "raise ImportError('no attr')", "no attr"),
    ],
    ids=["another layout", "another jsii", "a package is missing"],
)  # fmt: skip
def test_what_is_not_known_is_left_to_python_with_the_reason_told(
    site: Path, tmp_path: Path, file: str, content: str, reason: str
) -> None:
    (site / PROVIDER / file).write_text(content)
    report = tmp_path / "report"

    ran = _run(sys.executable, "-c", USE.format(PROVIDER), path=site, HOLDFAST_BINDINGS_REPORT=str(report))

    assert ran.stdout.endswith("the whole root\nvpc True\n")
    assert ran.stderr == ""
    assert [line for line in report.read_text().splitlines() if reason in line and line.startswith("stock ")]


def test_a_reload_is_python_s(site: Path) -> None:
    program = f"import importlib, {PROVIDER} as p; importlib.reload(p)"

    assert "the whole root" in _run(sys.executable, "-c", program, path=site).stdout


def test_local_bindings_are_found_in_the_folder_of_cdktf_get(site: Path) -> None:
    _write(site / "imports" / "acme", BINDINGS)
    local = os.pathsep.join(("/elsewhere", str(site / "imports")))

    fast = _run(sys.executable, "-c", USE.format("imports.acme"), path=site, HOLDFAST_BINDINGS_LOCAL=local)
    stock = _run(sys.executable, "-c", USE.format("imports.acme"), path=site)

    assert fast.stdout == "vpc False\n"
    assert stock.stdout.endswith("vpc True\n")


def test_a_root_that_is_lazy_itself_stays_and_its_loading_is_put_off(site: Path) -> None:
    """Newer pacmaks write such roots: those of cdktn's providers."""
    jsii = site / PROVIDER / "_jsii" / "__init__.py"
    jsii.write_text(jsii.read_text() + "\n_SUBMODULE_FQN_MAP = {}\n")
    (site / PROVIDER / "__init__.py").write_text("print('their root')")

    assert _run(sys.executable, "-c", USE.format(PROVIDER), path=site).stdout == "their root\nvpc False\n"


def test_threads_that_import_at_once_all_find_the_same(site: Path) -> None:
    program = f"""
        import importlib, threading
        start, seen = threading.Barrier(8), []
        def work():
            start.wait()
            seen.append(importlib.import_module("{PROVIDER}"))
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(len(seen), len(set(map(id, seen))), seen[0].vpc.name)
    """

    ran = _run(sys.executable, "-c", textwrap.dedent(program), path=site)

    assert (ran.stdout, ran.stderr) == ("8 1 vpc\n", "")


def test_install_and_the_hook_in_one_process_are_one_finder(site: Path) -> None:
    program = (
        "import sys, json, holdfast_bindings; holdfast_bindings.install(); holdfast_bindings.install();"
        f"from {PROVIDER}.vpc import name;"
        "print(json.dumps([sum(type(f).__name__ == 'BindingsFinder' for f in sys.meta_path), name]))"
    )

    with_hook = _run(sys.executable, "-c", program, path=site)
    without = _run(sys.executable, "-c", program, PYTHONPATH=str(site))

    assert [json.loads(ran.stdout) for ran in (with_hook, without)] == [[1, "vpc"], [1, "vpc"]]


def test_bindings_that_were_imported_before_stay(site: Path) -> None:
    program = (
        f"import {PROVIDER} as p, holdfast_bindings as h; h.install();"
        f"from {PROVIDER} import alb; print(p.alb is alb)"
    )

    ran = _run(sys.executable, "-c", program, PYTHONPATH=str(site))

    assert ran.stdout == "loaded @cdktf/provider-acme\nthe whole root\nTrue\n"
