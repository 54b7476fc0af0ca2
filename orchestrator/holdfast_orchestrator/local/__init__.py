"""The local cloud: an AWS that runs on this machine and costs nothing.

    cloud.py         starts, finds, empties and stops the server; keeps one small file about it
    environment.py   what a program must have in its environment to talk to it
    server.py        the program itself: moto behind one door, requests one after another
    moto_patches/    what moto leaves out of AWS and our stacks need, one module a gap
    inventory.py     everything that exists in a cloud, counted: "destroy leaves nothing" is a number

Terraform, the orchestrator and the tests use it as they use AWS: through `AWS_ENDPOINT_URL`. It
listens on loopback only and keeps everything in memory: `down` forgets it all.
"""
