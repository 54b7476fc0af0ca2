"""How the commands that change shards print the end of their run."""

from holdfast_orchestrator import RunResult
from holdfast_orchestrator.cli._output import Output
from holdfast_orchestrator.report.documents import deploy_document
from holdfast_orchestrator.report.ending import ending_lines, summary_line
from holdfast_orchestrator.report.output_text import outputs_after


def show_result(output: Output, result: RunResult) -> int:
    """Print how a run ended; return its exit code."""
    lines = [*ending_lines(result), *outputs_after(result.outputs)]
    told = ["", *lines, *([""] if lines else []), summary_line(result)]
    output.show(deploy_document(result), told, wrapped_at=output.width)
    return result.exit_code
