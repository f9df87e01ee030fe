"""Read speech for `./dev bench speech`, and PESQ-WB of what was heard of it.

    speech_scores.py prepare DIRECTORY    writes reading.raw: 48 kHz, 16 bits, one channel
    speech_scores.py judge DIRECTORY      compares each NAME.heard with it; writes "NAME score" a line into scores.txt
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

# One thread a process: they are as many as cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy

from footage import at_48k, speech
from quality import speech_quality

RECORDINGS = 5


def score(file: Path) -> float:
    heard = numpy.fromfile(file, numpy.int16).astype(numpy.float32) / 32768
    return speech_quality(speech(RECORDINGS), heard)


def main() -> None:
    command, directory = sys.argv[1], Path(sys.argv[2])
    if command == "prepare":
        at_48k(speech(RECORDINGS)).tofile(directory / "reading.raw")
        return
    files = sorted(directory.glob("*.heard"))
    with ProcessPoolExecutor(max_workers=min(os.cpu_count() or 1, 8)) as pool:
        scores = pool.map(score, files)
        lines = [f"{file.stem} {value:.4f}\n" for file, value in zip(files, scores)]
    (directory / "scores.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
