"""The environments of the peers: they stand on other versions of what mdfsql stands on, so they have their own."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

from benchmarks.measure import PEERS, Options

__all__ = ["install"]

HERE = Path(__file__).parent


def install(options: Options) -> None:
    """Make the environments, or bring them up to what their lists say."""
    for name in PEERS:
        folder = options.peers_folder / name
        python = folder / "bin" / "python"
        if not python.exists():
            venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", HERE / f"{name}.txt"], check=True)
        print(f"{name} are in {folder}")
