"""From a folder of stacks and a folder of settings to a synthesized app.

    registry   @service and @shared: which stacks there are
    site       one environment in one region; builds its stacks, each when it is first asked for
    main       cdktf.json's app: settings → stacks → cdktf.out
    selection  takes out of cdktf.out what was not asked for

A service is one file in the folder of stacks, and a table [services.<name>] in the settings.
"""

try:
    from holdfast_constructs.project.main import main
    from holdfast_constructs.project.registry import service, shared
    from holdfast_constructs.project.site import Site
except ModuleNotFoundError as error:
    if error.name not in {"cdktf", "constructs", "jsii", "cdktf_cdktf_provider_aws"}:
        raise
    raise ModuleNotFoundError(
        f"the building blocks need {error.name}, which is not installed; next: pip install 'holdfast[aws]'",
        name=error.name,
    ) from None

__all__ = ["Site", "main", "service", "shared"]
