"""dbt as the child of a run: `python -m execution.analytics.dbt_program ARGUMENTS`.

It loads while its parent copies the warehouse (dbt_connection.py). It tells what the parent wants
to know as lines of JSON: to tell all, as dbt's own log does, takes a tenth of a small build.
"""

import gc
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from dbt.cli.exceptions import DbtUsageException
from dbt.cli.main import dbtRunner

_OF_A_NODE = {"index", "total", "node_info"}
#: What the macro tell_failing_rows logs begins with.
_FAILING_ROWS = "failing rows: "


def main(arguments: Sequence[str]) -> int:
    """Run dbt; its exit code."""
    gc.disable()  # it ends in seconds, and looks in vain through all that it has parsed
    result = dbtRunner(callbacks=[_tell]).invoke([*arguments])
    gc.freeze()
    if isinstance(result.exception, DbtUsageException):  # others were told as they came
        _print({"error": str(result.exception)})
    return 0 if result.success else 1


def _tell(event: Any) -> None:
    """Print what is of use: each node's progress, each error, rows that tests or `show` found."""
    if event.info.level == "error":
        _print({"error": event.info.msg})
    elif event.info.name == "ShowNode":
        _print({"preview": json.loads(event.data.preview)})
    elif event.info.name == "JinjaLogDebug" and event.data.msg.startswith(_FAILING_ROWS):
        _print({"failing": json.loads(event.data.msg.removeprefix(_FAILING_ROWS))})
    elif _OF_A_NODE.issubset(event.data.DESCRIPTOR.fields_by_name):
        node = event.data.node_info
        if node.resource_type != "operation":  # hooks count on their own
            progress = {"index": event.data.index, "total": event.data.total}
            _print(progress | {"name": node.node_name})


def _print(told: dict[str, Any]) -> None:
    try:
        print(json.dumps(told), flush=True)  # noqa: T201  (this is its protocol)
    except BrokenPipeError:  # nobody wants it: an error in a thread of dbt's would stop all others
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
