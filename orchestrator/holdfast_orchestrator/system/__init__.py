"""The doors to the machine, each the only way to its effect.

process.py, sessions.py   programs            runtime.py       AWS, clock, environment, terminal
private_files.py, temporary_folders.py   files that others may not read
workers.py                threads and pools of threads that make do with what the machine has
stop.py                   Ctrl-C and SIGTERM  capacity.py      how much fits on this machine
redaction.py, secret_places.py   values that are never shown
aws_variables.py          variables of AWS that Terraform and boto3 read differently
"""
