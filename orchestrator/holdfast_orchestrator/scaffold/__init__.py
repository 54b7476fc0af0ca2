"""A project written for its user: `holdfast init` and `holdfast new`.

template     the files of a new project; its stacks, settings and snapshots are those of our example
project      a new project in a folder
project_name the name of a new project in its settings and snapshots
layout       where an existing project has its stacks and its environments
service      one more service: a stack, and a table in each environment
environment  one more environment, like one that is there
writing      writes files all together or not at all, and never over one that exists
"""
