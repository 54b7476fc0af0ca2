"""Checks what a block is given, by its annotations, before anything is built from it.

arguments    @checked: a class or function refuses arguments of another type, unknown and missing ones
attributes   a block refuses that its own attributes are overwritten
kinds        annotations as something that accepts a value, or says which part of it is wrong
wording      how a wrong value and its correction are written; secrets are never shown
tokens       cdktf's values that are known only after a deploy
callers      which line of the user's code called
"""
