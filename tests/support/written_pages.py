"""The pages that are run word by word: their blocks as steps, and a shell that takes them.

A page is run from top to bottom. These blocks are steps:

    ```console                        each line after `$ ` is a command, what follows is what it prints
    ```toml title="path/of/file"      is written into that file, whole
    ```diff title="path/of/file"      is a change of that file

Of what a command prints, the page shows all lines, or some and a line `…` for the others; a line that ends
with `…` shows its beginning. A command without output on the page may print anything. Run ids, seconds, dates
and the like differ each time: the page has those of one run. An id that a command takes later on is that of
the run at hand. A command ends with 0; after one that fails the page has `echo $?`, which prints the code.

A block that is none of these (`text`, a block without a title) is for reading only, and has a comment
`<!-- not run: why -->` in the line before.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(
    r"(?P<remark><!-- not run: [^\n]+ -->\n)?^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n"
    r"(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_RUN = re.compile(r"\b01[0-9A-HJKMNP-TV-Z]{24}\b")
# What is another one each time, and what stands for it. Below a second, a shard's time is not shown.
_VARYING = (
    (_RUN, "RUN"),
    (re.compile(r"(\s+·)?\s+\d+ s$"), ""),
    (re.compile(r"\b\d+(\.\d+)? ?s\b"), "N s"),
    (re.compile(r"\b\d\d [A-Z][a-z]{2} \d{4}( \d\d:\d\d)?"), "DATE"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z|[+]\d\d:\d\d)"), "DATE"),
    (re.compile(r"(?<= · )\d+:\d\d(?= · )"), "TIME"),
    (re.compile(r"\b(uid )?[\w.-]+@[\w.-]+"), "WHO"),
    (re.compile(r"\barn:aws:sts::\d{12}:\S+"), "WHO"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\b(vpc|subnet|sg|i)-[0-9a-f]{8,17}\b"), r"\1-ID"),
    (re.compile(r"\becs-svc/\d+"), "ecs-svc/ID"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "SHA256"),
    (re.compile(r"\bprocess +\d+"), "process PID"),
    # The serial of a state: Terraform writes one more for each 20 s that an apply takes.
    (re.compile(r"\bbackup \d+"), "backup SERIAL"),
    (re.compile(r"\s+"), " "),
)
# Lines that a slow machine gets: what is being worked on, and why a synthesis took long.
_SLOW = re.compile(r"\d+ of \d+ ended after |still |the synthesis took ")
_LEFT_OUT = "…"


@dataclass(frozen=True)
class Command:
    line: int
    words: str
    shown: tuple[str, ...]


@dataclass(frozen=True)
class File:
    line: int
    path: str
    text: str


@dataclass(frozen=True)
class Change:
    line: int
    path: str
    text: str


Step = Command | File | Change


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; `line` is where its text begins."""

    line: int
    language: str
    title: str | None
    text: str
    is_remarked: bool

    @property
    def is_run(self) -> bool:
        return not self.is_remarked and (self.language == "console" or self.title is not None)

    def steps(self) -> Iterator[Step]:
        if self.language == "console":
            yield from _commands(self)
        elif self.title is not None:
            kind = Change if self.language == "diff" else File
            yield kind(self.line, self.title, self.text)


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        yield Block(
            line=text.count("\n", 0, match.start("text")) + 1,
            language=match["language"],
            title=match["title"],
            text=match["text"],
            is_remarked=match["remark"] is not None,
        )


def steps(page: Path) -> list[Step]:
    return [step for block in blocks(page) if block.is_run for step in block.steps()]


def _commands(block: Block) -> Iterator[Command]:
    lines = block.text.splitlines()
    begins = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    assert begins[:1] == [0], f"line {block.line}: the block does not begin with a command"
    for begin, end in zip(begins, [*begins[1:], len(lines)], strict=True):
        last = begin
        while lines[last].endswith("\\"):
            last += 1
        words = "\n".join(lines[begin : last + 1]).removeprefix("$ ")
        yield Command(block.line + begin, words, tuple(lines[last + 1 : end]))


def changed(text: str, change: str) -> str:
    """Return a file after a change: ` ` and `-` lines are there one below the other, ` ` and `+` are then."""
    lines = change.splitlines(keepends=True)
    assert all(line[:1] in " -+\n" for line in lines), change
    before = "".join(line[1:] or "\n" for line in lines if line[:1] != "+")
    after = "".join(line[1:] or "\n" for line in lines if line[:1] != "-")
    if not before:
        return text.rstrip("\n") + "\n" + after
    assert text.count(before) == 1, f"is there {text.count(before)} times:\n{before}"
    return text.replace(before, after)


@dataclass
class Shell:
    """A shell that takes the steps of a page in a folder; `places` maps folders to their names there."""

    folder: Path
    environ: Mapping[str, str]
    places: Mapping[str, str] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._bash = subprocess.Popen(
            ("bash", "--noprofile", "--norc"),
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._code = 0

    def close(self) -> None:
        self._bash.kill()
        self._bash.communicate()

    def finish(self) -> None:
        """Raise AssertionError where the last command ended badly."""
        assert self._code == 0, "the last command ended badly, and the page does not say so"

    def take(self, step: Step) -> None:
        """Take a step. Raises AssertionError where it does not do what the page says."""
        match step:
            case Command():
                self._command(step)
            case File():
                file = self._file(step.path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(step.text, encoding="utf-8")
            case Change():
                file = self._file(step.path)
                file.write_text(changed(file.read_text(encoding="utf-8"), step.text), encoding="utf-8")

    def run(self, words: str) -> tuple[int, str]:
        """Run a command line; return its exit code and all that it printed."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        end = f"end-of-command-{os.urandom(8).hex()}"
        ending = f"printf '\\n%s %s\\n' {end} $?"
        self._bash.stdin.write(f"(exit {self._code}); {{\n{words}\n}} </dev/null; {ending}\n")
        self._bash.stdin.flush()
        printed: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(end):
                self._code = int(line.removeprefix(end))
                return self._code, "".join(printed)
            printed.append(line)
        raise AssertionError(f"the shell ended in {words!r}:\n{''.join(printed)}")

    def _file(self, path: str) -> Path:
        _, here = self.run("pwd")
        self._code = 0
        return Path(here.strip()) / path

    def _command(self, command: Command) -> None:
        failed_before = self._code != 0
        words = command.words
        for shown, actual in self._ids.items():
            words = words.replace(shown, actual)
        assert not failed_before or words == "echo $?", f"line {command.line}: the command before ended badly"
        _, printed = self.run(words)
        for folder, name in self.places.items():
            printed = printed.replace(folder, name)
        missing = self._compare(command.shown, printed.splitlines())
        assert not missing, f"line {command.line}: $ {words}\nnot as on the page: {missing}\n\n{printed}"

    def _compare(self, shown: Sequence[str], printed: Sequence[str]) -> list[str]:
        """Return the lines that only one of the two has, `-` before those of the page."""
        if not any(line.strip() for line in shown):
            return []
        rest = [line for line in printed if line.strip() and not _SLOW.match(line)]
        wanted = [line for line in shown if line.strip()]
        missing = []
        for line in wanted:
            if line.strip() == _LEFT_OUT:
                continue
            twin = next((other for other in rest if self._is_same(line, other)), None)
            if twin is None:
                missing.append(f"- {line}")
            else:
                rest.remove(twin)
                self._ids.update(zip(_RUN.findall(line), _RUN.findall(twin), strict=False))
        is_whole = all(line.strip() != _LEFT_OUT for line in wanted)
        return missing + [f"+ {line}" for line in rest if is_whole]

    def _is_same(self, shown: str, printed: str) -> bool:
        if any(self._ids.get(ours, theirs) != theirs for ours, theirs in _ids_of_both(shown, printed)):
            return False
        expected, actual = _without_varying(shown), _without_varying(printed)
        if expected.endswith(_LEFT_OUT):
            return actual.startswith(expected.removesuffix(_LEFT_OUT).rstrip())
        return expected == actual


def _ids_of_both(shown: str, printed: str) -> Iterator[tuple[str, str]]:
    yield from zip(_RUN.findall(shown), _RUN.findall(printed), strict=False)


def _without_varying(line: str) -> str:
    for pattern, name in _VARYING:
        line = pattern.sub(name, line)
    return line.strip()


def fresh_environ(*first: Path, **more: str) -> dict[str, str]:
    """Return a user's environment: folders `first` on PATH, and nothing of ours, of a test or of a CI."""
    foreign = ("HOLDFAST_", "PYTHON", "PYTEST", "AWS_", "TF_", "CI", "GITHUB_", "GITLAB_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    path = os.pathsep.join((*map(str, first), os.environ["PATH"]))
    return {**kept, "PATH": path, "COLUMNS": "110", **more}
