"""A project on disk to its `build/` folder: reading all inputs, compiling in parallel, caching, writing whole."""

from alertkit.build.compilation import Compilation, compile_project, read_systems
from alertkit.build.folder import differences, write

__all__ = ["Compilation", "compile_project", "differences", "read_systems", "write"]
