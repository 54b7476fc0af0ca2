"""The pages: all are on the site, every link leads somewhere, and every block of a tutorial is run."""

import re
import runpy
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.support.written_pages import blocks

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINKED = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
RUN = [
    DOCS / "tutorial.md",
    *sorted((DOCS / "howto").glob("*.md")),
    *sorted((DOCS / "examples").glob("*/README.md")),
]

_FENCED = re.compile(r"^(`{3,}).*?^\1$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_IN_NAV = re.compile(r"^ +- (?:[^:\n]+: )?(\S+\.md)$", re.MULTILINE)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    titles = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in _HEADING.findall(prose(page))]
    slugs = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]
    seen: Counter[str] = Counter()
    numbered = []
    for slug in slugs:
        numbered.append(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(numbered)


def faults(page: Path) -> Iterator[str]:
    """What is wrong with the relative links of a page."""
    for link in _LINK.findall(_CODE.sub("", prose(page))):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            yield f"{link}: is not there"
        elif page.is_relative_to(DOCS) and not (target.is_relative_to(DOCS) and target.is_file()):
            yield f"{link}: is no file of docs/, so the site does not have it"
        elif anchor and anchor not in anchors(target):
            yield f"{link}: has no such heading"


def test_every_page_is_on_the_site_once() -> None:
    listed = _IN_NAV.findall((ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2])
    added: list[dict[str, list[str]]] = []
    nav = [{"Reference": added}, {"Explanation": added}]
    runpy.run_path(str(ROOT / "tools" / "site_hooks.py"))["on_config"]({"nav": nav})
    listed += [page for section in added for pages in section.values() for page in pages]

    assert sorted(listed) == [page.relative_to(DOCS).as_posix() for page in PAGES]


@pytest.mark.parametrize("page", LINKED, ids=name_of)
def test_every_link_and_anchor_leads_somewhere(page: Path) -> None:
    assert list(faults(page)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n[a](gone.md) [b](page.md#a-page) [c](#a-pag) `[d](code.md)` [e](https://example.com)\n"
    )

    assert list(faults(page)) == ["gone.md: is not there", "#a-pag: has no such heading"]


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_every_block_of_a_tutorial_is_run_or_says_why_not(page: Path) -> None:
    assert [block.line for block in blocks(page) if block.is_run == block.is_remarked] == []
    assert any(block.is_run for block in blocks(page))


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
