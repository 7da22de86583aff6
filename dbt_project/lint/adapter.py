"""Stands in for dbt's `adapter` while sqlfluff renders a model: no warehouse is opened."""

from collections.abc import Callable


def dispatch(name: str) -> Callable[..., str]:
    """A call of the engine macro as a function of its arguments: SQL of the right shape."""

    def call(*arguments: object) -> str:
        listed = ", ".join(str(argument) for argument in arguments)
        return f"{name}({listed})" if arguments else name

    return call
