"""The synthesized app: what is to be deployed, before any cloud or state is asked.

project_file.py          cdktf.json and what it chooses
synth.py                 runs the app
manifest.py              the shards and everything known of them, as values
manifest_loader.py       reads cdktf.out            manifest_schema.py   its two formats
foreign.py               shards of an app that does not use our constructs
other_backends.py        states that lie somewhere else than Holdfast keeps them
inputs.py                what a stack reads beside its configuration, as values
graph.py, waves.py, priority.py, selection.py   order, and which shards are meant
accepted_differences.py  differences that somebody has accepted
json_model.py            JSON files read with a schema
"""
