"""Warm providers behind a schema gateway: Terraform's own work in tenths of a second.

Nearly all a Terraform command costs is starting the AWS provider (600 MB) and decoding its schema (4.9 MB,
2,100 types), which every command does anew. Both can be spared:

    Terraform ──TF_REATTACH_PROVIDERS──▶ door ──▶ connection ──▶ pool ──▶ provider processes
    (one command)                        a socket   raw calls      who       started with `-debug`
                                         a command                 gets which

A provider started with `-debug` waits on a socket; Terraform is given that socket, uses it and starts none
(its provider SDK runs its acceptance tests so). Our gateway is between the two. It hands every call on as raw
bytes but three: of the answer to GetSchema it drops the types the shard uses nowhere, 4.9 MB become 30 kB;
the AWS provider is asked only once whether a configuration is valid, for it builds all its schemas anew to
say so (80 ms of CPU, once or twice a command); and a verify gets the reads of objects that nothing can have
changed from the plan of its run.

    schema_filter  the words of a configuration and the types of a state: what is kept
    module_words   the words of modules, and whether they need a folder of their own
    packages   unpacked providers on this machine whose `h1:` the lock file has
    client     the orchestrator's side: starts the gateway, asks it for doors
    shard      what one shard may attach to, and when not
    process_spec   what a process is started with
    gateway    the gateway's process: control socket, doors, pools, its own end
    listener   a socket per command; behind it every connection has a gRPC server of its own
    connection one provider instance of one command: bound to a process once it configures
    pool       who gets which process
    provider_process  one provider and the leash it is held by
    voice      what it says: nothing, and that goes through a pipe
    folders    the gateways' temporary folders, and those that a dead one left
    reads      what ReadResource answered in a plan; untraced: applies after which that is worth nothing
    protocol   which calls there are; protobuf_wire: their bytes; schemas: answers kept on disk
    reaper     what is to end

Four rules keep it right:

1. *A process is configured once.* The configuration (region, account, default tags) is the process's. The
   gateway sees its bytes: who brings the same ones, from the same environment (credentials), shares the
   process; everybody else gets another. Before it is configured, a connection gets only answers that are the
   same from any process; a call that is not known to be one is refused.
2. *Only what is locked.* A package is attached to only where the project's lock file has its checksum;
   anything else is left to `init`, which refuses it.
3. *Terraform outlives us, so the gateway does.* It is a process in a session of its own and stays until no
   connection has been there for two minutes. Its providers die with it, even by SIGKILL.
4. *Trouble means the ordinary way.* A command that changes nothing and failed for a reason of ours is run
   again without us, and that is said once. An apply is never repeated: its events show what it did.

Risks, and what is done about them:
- `Stop` (Ctrl-C) ends what a whole process is doing. It is handed on once everybody in there has asked.
- A type is missing that is needed: Terraform refuses cleanly ("does not support resource type"); rule 4.
- Whether a configuration is valid may depend on more than its bytes and the environment, a file for example:
  only for providers that have been looked at is the answer used again, and never one that is a refusal.
- A provider that computes its schema from its environment would be shown a kept one: none is known to.
- A provider with `-debug` logs every request it sends, with the secrets in it: see `voice`.
- A socket is a door without a lock: all lie in a folder of mode 0700, made by `umask` 077.
- A provider that reads files from the folder it is in: see `shard`.
- A crash takes all commands of that process along, not one. They fail as they would alone.
"""
