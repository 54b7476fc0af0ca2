"""Views of what happened: every one renders the same frozen events and results, and decides nothing.

rows.py       events folded into one row a shard, for views that show rows
table.py      a live table on a terminal          lines.py   plain lines, shard by shard
plan_text.py  a plan to read                      markdown.py  the pull-request comment
ending.py     what failed, why, and what to do    graph_text.py  text, Mermaid, DOT
documents.py  the JSON documents                  schemas.py  their published schemas
"""
