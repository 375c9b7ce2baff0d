"""The machine that figures come from, as the results page states it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

_NAMED_FLAGS = [
    "sse4_2",
    "avx",
    "avx2",
    "fma",
    "f16c",
    "avx_vnni",
    "avx512f",
    "avx512bw",
    "avx512dq",
    "avx512vl",
    "avx512_vnni",
    "avx512vbmi",
    "avx512_vbmi2",
    "avx512_bf16",
    "avx512_vpopcntdq",
    "amx_int8",
    "amx_bf16",
    "asimd",
    "asimddp",
    "sve",
]


def cpu_model() -> str:
    """The processor's name, with family, model and stepping where the kernel tells them."""
    cpu = _first_cpu()
    name = cpu.get("model name") or platform.processor() or "unknown processor"
    numbers = [f"{key} {cpu[key]}" for key in ("cpu family", "model", "stepping") if key in cpu]
    return f"{name} ({', '.join(numbers)})" if numbers else name


def describe_machine() -> dict[str, str]:
    """Label -> value; what cannot be read is said to be unknown."""
    return {
        "processor": cpu_model(),
        "instruction sets": " ".join(_instruction_sets()) or "unknown",
        "processors": f"{os.cpu_count()} online, {len(os.sched_getaffinity(0))} usable",
        "clock": _clock(),
        "frequency governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "caches": _caches(),
        "memory": _memory(),
        "virtual machine": "yes" if "hypervisor" in _flags() else "no",
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load average at the start": " ".join(f"{x:.2f}" for x in os.getloadavg()),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "C library": " ".join(platform.libc_ver()) or "unknown",
    }


def _first_cpu() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    lines = path.read_text().split("\n\n", 1)[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _flags() -> set[str]:
    cpu = _first_cpu()
    return set((cpu.get("flags") or cpu.get("Features") or "").split())


def _instruction_sets() -> list[str]:
    flags = _flags()
    return [name for name in _NAMED_FLAGS if name in flags]


def _clock() -> str:
    mhz = _first_cpu().get("cpu MHz")
    return f"{float(mhz) / 1000:.2f} GHz, as the kernel reports it" if mhz else "unknown"


def _caches() -> str:
    folders = sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"))
    named = (
        f"L{_read(f / 'level')} {_read(f / 'type').lower()} {_read(f / 'size')}" for f in folders
    )
    return ", ".join(named) or "unknown"


def _memory() -> str:
    path = Path("/proc/meminfo")
    if not path.exists():
        return "unknown"
    kib = int(path.read_text().split()[1])
    return f"{kib / 2**20:.1f} GiB"


def _read(path: str | Path) -> str:
    file = Path(path)
    return file.read_text().strip() if file.exists() else "unknown"
