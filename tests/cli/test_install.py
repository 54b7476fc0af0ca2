"""`make install`: what it fetches, what it refuses, and what it says when something is missing."""

import ast
import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from holdfast_orchestrator.engine.mirrors import this_platform

INSTALL = Path(__file__).resolve().parents[2] / "tools" / "install.py"
ARCHIVE = f"/1.11.4/terraform_1.11.4_{this_platform()}.zip"


def engine_script(words: str) -> bytes:
    return f"#!/bin/sh\necho '{words}'\n".encode()


def archive(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("LICENSE.txt", "words")
        file.writestr("terraform", content)
    return packed.getvalue()


GOOD = archive(engine_script("Terraform v1.11.4"))


class Releases(http.server.ThreadingHTTPServer):
    """A server of release files; `cut` announces more bytes than it sends."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.cut = False
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Releases

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.server.cut else content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def releases() -> Iterator[Releases]:
    server = Releases()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    pin(tmp_path, {this_platform(): hashlib.sha256(GOOD).hexdigest()})
    return tmp_path


def pin(project: Path, sums: Mapping[str, str]) -> None:
    lock = {"version": "1.11.4", "sha256": sums}
    (project / "tools" / "terraform.lock.json").write_text(json.dumps(lock))


def install(project: Path, *options: str, path: str = "/nowhere", **environ: str) -> tuple[int, str]:
    """Run the installer with no engine on the search path."""
    argv = [sys.executable, str(INSTALL), "--project", str(project), *options]
    world = {**os.environ, "PATH": path, "NO_PROXY": "127.0.0.1", **environ}
    ran = subprocess.run(argv, capture_output=True, text=True, env=world, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def left_behind(project: Path) -> list[str]:
    return [path.name for path in (project / ".holdfast").rglob("*")]


def test_a_pinned_terraform_is_fetched_checked_and_made_executable(project: Path, releases: Releases) -> None:
    releases.files[ARCHIVE] = GOOD

    code, words = install(project, "--only", "engine", HOLDFAST_TERRAFORM_URL=releases.url)

    assert code == 0, words
    program = project / ".holdfast" / "bin" / "terraform"
    assert subprocess.run([program], capture_output=True, check=True).stdout == b"Terraform v1.11.4\n"
    assert left_behind(project) == ["bin", "terraform"]


def test_the_second_time_nothing_is_fetched(project: Path, releases: Releases) -> None:
    releases.files[ARCHIVE] = GOOD
    url = ("--only", "engine", "--terraform-url", releases.url)
    install(project, *url, path="/bin:/usr/bin")

    code, words = install(project, *url)

    assert code == 0
    assert "Terraform v1.11.4" in words
    assert releases.asked == [ARCHIVE]


def test_a_file_with_another_checksum_is_refused(project: Path, releases: Releases) -> None:
    releases.files[ARCHIVE] = archive(engine_script("evil"))

    code, words = install(project, "--only", "engine", "--terraform-url", releases.url)

    assert code == 1
    assert "is not the file pinned in tools/terraform.lock.json" in words
    assert hashlib.sha256(GOOD).hexdigest() in words
    assert left_behind(project) == []


def test_a_file_that_is_not_there_is_one_sentence_with_what_to_do(project: Path, releases: Releases) -> None:
    code, words = install(project, "--only", "engine", "--terraform-url", releases.url)

    assert code == 1
    assert f"{releases.url}{ARCHIVE} answered 404" in words
    assert "set HOLDFAST_TERRAFORM_URL to a mirror" in words
    assert "Traceback" not in words
    assert left_behind(project) == []


def test_a_download_that_breaks_off_leaves_nothing(project: Path, releases: Releases) -> None:
    releases.files[ARCHIVE] = GOOD
    releases.cut = True

    code, words = install(project, "--only", "engine", "--terraform-url", releases.url)

    assert code == 1
    assert "broke off" in words
    assert left_behind(project) == []


def test_an_unreachable_server_is_one_sentence(project: Path) -> None:
    code, words = install(project, "--only", "engine", "--terraform-url", "http://127.0.0.1:1")

    assert code == 1
    assert "could not be fetched" in words
    assert "Traceback" not in words


def test_a_platform_without_a_pin_is_named(project: Path, releases: Releases) -> None:
    pin(project, {"plan9_mips": "00"})

    code, words = install(project, "--only", "engine", "--terraform-url", releases.url)

    assert code == 1
    assert f"none pinned for {this_platform()} (only for plan9_mips)" in words
    assert "opentofu.org" in words
    assert releases.asked == []


@pytest.mark.parametrize("words", ["Terraform v1.10.0", "OpenTofu v1.12.3"])
def test_an_engine_on_the_search_path_that_fits_is_used(
    project: Path, releases: Releases, tmp_path: Path, words: str
) -> None:
    program = tmp_path / "tofu"
    program.write_bytes(engine_script(words))
    program.chmod(0o755)

    code, told = install(
        project, "--only", "engine", "--terraform-url", releases.url, path=f"{tmp_path}:/bin:/usr/bin"
    )

    assert code == 0
    assert words in told
    assert releases.asked == []


def test_an_engine_that_is_too_old_is_named_and_another_one_fetched(
    project: Path, releases: Releases, tmp_path: Path
) -> None:
    releases.files[ARCHIVE] = GOOD
    program = tmp_path / "terraform"
    program.write_bytes(engine_script("Terraform v1.5.7"))
    program.chmod(0o755)

    code, words = install(project, "--only", "engine", "--terraform-url", releases.url, path=str(tmp_path))

    assert code == 0
    assert "too old" in words
    assert "Terraform v1.5.7" in words
    assert (project / ".holdfast" / "bin" / "terraform").is_file()


def test_the_pins_of_this_repository_are_whole() -> None:
    lock = json.loads((INSTALL.parent / "terraform.lock.json").read_text())

    assert sorted(lock["sha256"]) == ["darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64"]
    assert {len(bytes.fromhex(one)) for one in lock["sha256"].values()} == {32}
    assert len(set(lock["sha256"].values())) == 4


def test_an_old_python_can_read_the_installer_and_is_told_what_is_missing() -> None:
    ast.parse(INSTALL.read_text(), feature_version=(3, 7))
    pretend = f"import sys, runpy; sys.version_info = (3, 9, 1); runpy.run_path({str(INSTALL)!r})"

    ran = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert "Holdfast needs Python 3.11 or newer" in ran.stderr
    assert "make install PYTHON=" in ran.stderr
    assert "Traceback" not in ran.stderr


BACKEND = """
import zipfile
def build_editable(folder, settings=None, metadata=None):
    name = "sample-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("sample.py", "x = 1")
        wheel.writestr("sample-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: sample\\nVersion: 1\\n")
        tag = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr("sample-1.dist-info/WHEEL", tag)
        wheel.writestr("sample-1.dist-info/RECORD", "")
    return name
"""


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Return a project that needs nothing from any index."""
    (tmp_path / "backend.py").write_text(BACKEND)
    (tmp_path / "requirements.lock").write_text("")
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "sample"\nversion = "1"\n'
    )
    return tmp_path


def test_the_environment_is_made_compiled_and_not_made_twice(sample: Path) -> None:
    options = ("--only", "python", "--venv", str(sample / "venv"))
    code, words = install(sample, *options, PYTHONDONTWRITEBYTECODE="1")
    assert code == 0, words

    again, second_words = install(sample, *options)

    assert again == 0
    assert "is up to date" in second_words
    assert list((sample / "venv").glob("lib/*/site-packages/__pycache__/sample.*.pyc"))


def test_what_pip_complains_of_is_shown_with_what_to_look_at(sample: Path) -> None:
    (sample / "requirements.lock").write_text("./no-such-file.whl --hash=sha256:00\n")

    code, words = install(sample, "--only", "python", "--venv", str(sample / "venv"))

    assert code == 1
    assert "pip failed" in words
    assert "no-such-file.whl" in words
    assert "is the package index reachable?" in words
    assert "Traceback" not in words
