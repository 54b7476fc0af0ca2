"""Views of events and results: they render frozen values and decide nothing.

rows.py       events folded into one row a shard, for views that show rows
table.py      a live table on a terminal          lines.py   plain lines, shard by shard
plan_text.py  a plan to read                      markdown.py  the pull-request comment
ending.py     what failed, why, and what to do    graph_text.py  text, Mermaid, DOT
documents.py  the JSON documents                  schemas.py  their published schemas
copying.py    fields that a document takes over   wording.py  columns, counts and times
"""
