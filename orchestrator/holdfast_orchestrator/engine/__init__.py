"""Terraform and OpenTofu: commands go in as values, typed results come out.

    toolchain    which engine there is, where, and how old                    -> Engine
    workdir      a private folder per shard, its files written anew           -> Path
    in_memory    files of that folder that must not outlive us
    providers    what a configuration requires of which provider              -> Requirement
    mirrors      folders of provider packages on this machine
    old_folders  folders of shards that are not worked on any more
    cli_config   where providers come from: mirror, cache or network          -> CliConfig
    lockfile     the project's `.terraform.lock.hcl`: which provider builds are trusted
    environment  what of the caller's environment an engine may see
    user_logs    logs that the caller has switched on
    runner       one command at a time, watched to its end
    initialize   `init`, only when needed, only with trusted providers
    warm         providers that run already, behind a gateway that shows a shard what it needs of them
    terraform    init, plan, show, apply, output                              -> outcomes
    ui_events    what an engine says while it works, one frozen value a line  -> UiEvent
    diagnostics  what it complains of, each complaint once, with a place in the Python source

Into a shard's folder goes its configuration; out come events as they happen and, at the end, an
outcome. Nothing here decides what to do: no retry, no rollback, no lease. Nothing here touches a
state except by running an engine, and nothing deletes an `errored.tfstate`. A failed apply is an
outcome, not an exception, because what to do next depends on what it had done.
"""
