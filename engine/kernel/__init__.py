"""The pure kernel: the order of see, want, allow, do, have, and the whole state."""

from engine.kernel.kernel import Kernel, KernelConfig

__all__ = ["Kernel", "KernelConfig"]
