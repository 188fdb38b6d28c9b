"""A project on disk to its `build/` folder: reading all inputs, compiling in parallel, caching, writing whole.

The compiler is loaded when a name of it is asked for, so that `build.last` can tell without it that nothing is to do.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alertkit.build.compilation import Compilation, compile_project
    from alertkit.build.systems import read_systems

__all__ = ["Compilation", "compile_project", "read_systems"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from alertkit.build import compilation, systems

        return getattr(systems if name == "read_systems" else compilation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
