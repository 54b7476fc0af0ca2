"""Blocks are found wherever they are, and nothing else is taken for one."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.terraform.hcl import HclText

POLICY = 'policy = <<EOF\n  arn:aws:s3:::bucket/*\n  "odd # quote\nEOF\n'


def kinds(text: str, kind: str = "data") -> list[str]:
    return [block.label for block in HclText(text).blocks(kind)]


def test_labels_are_found_with_and_without_quotes_and_blanks() -> None:
    text = 'data "a" "x" {}\ndata b y {\n}\ndata"c""z"{}\n  data\t"d" "w" {\r\n}\r\n/* k */ data "e" "v" {}\n'

    assert kinds(text) == ["a", "b", "c", "d", "e"]
    assert kinds('\ufeffdata "a" "x" {}') == ["a"]


def test_a_comment_or_a_heredoc_holds_no_block_and_hides_none() -> None:
    text = f"""# data "no" "x" {{}}
// data "no" "x" {{}}
/*
data "no" "x" {{}}
*/
{POLICY}data "a" "x" {{
  cron = "*/5 * * * *"
}}
text = <<-END
  data "no" "x" {{}}
  END
data "b" "x" {{}}
"""
    assert kinds(text) == ["a", "b"]


def test_what_only_begins_like_a_block_is_none() -> None:
    assert kinds('dataset "x" {}\ndata = {}\nvalue = [\n  data.a.x,\n]\n') == []


def test_a_block_has_its_own_text_and_its_plain_arguments() -> None:
    text = 'module "m" {\n  source  = "./a" # "./b"\n  name = "${var.x == "}" ? "1" : "2"}"\n}\nafter = 1\n'
    (module,) = HclText(text).blocks("module")

    assert module.text("source") == "./a"
    assert module.text("name") is None
    assert module.has("name")
    assert not module.has("after")
    (one_line,) = HclText('module "m" { source = "./c" }').blocks("module")
    assert one_line.text("source") == "./c"


def test_strings_and_the_rest_are_apart() -> None:
    hcl = HclText('a = "x/${f("y")}" # "no"\nb = <<E\n"in" text\nE\n')

    assert [*hcl.strings] == ['x/${f("y")}']
    assert '"in" text' in hcl.unquoted
    assert "x/" not in hcl.unquoted


NOISE = [
    "",
    "# it's a \"comment\n",
    "// /* not open\n",
    '/* " { \n data "no" "no" { */\n',
    POLICY,
    'locals {\n  a = "${lookup({ "}" = 1 }, "}")} # no comment"\n}\n',
    'x = "\\"{"\n',
    't = <<-A\n  ${join("/", ["}"])} /* \n  A\n',
    'resource "aws_sns_topic" "t" {}\n',
]


@given(
    before=st.lists(st.sampled_from(NOISE), max_size=5), after=st.lists(st.sampled_from(NOISE), max_size=3)
)
def test_a_planted_block_is_found_between_anything(before: list[str], after: list[str]) -> None:
    text = "".join([*before, 'data "aws_ami" "planted" {\n  owner = "me"\n}\n', *after])

    assert kinds(text) == ["aws_ami"]
