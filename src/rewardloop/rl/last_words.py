"""What workers that are gone left behind: the sentence of an error, or the stack of one that did not answer."""

from __future__ import annotations

from pathlib import Path


def last_words(words: Path, n_workers: int) -> str:
    """What workers that are gone left behind: what they raised, or where they stood when their time was up."""
    names = sorted({path.stem for path in words.glob("*.*")})
    said = {name: said_by(words / f"{name}.txt") for name in names}
    return "; ".join(f"worker {name} of {n_workers} ended. {text}" for name, text in said.items() if text)


def said_by(words: Path) -> str:
    """The last words of one worker; empty where it had no time for any."""
    if words.is_file():
        return words.read_text()
    stack = stack_beside(words).read_text() if stack_beside(words).is_file() else ""
    return f"It did not answer a step in time (see --step-timeout); it was at {_innermost(stack)}" if stack else ""


def _innermost(stack: str) -> str:
    lines = [line.strip() for line in stack.splitlines() if line.strip().startswith("File ")]
    return lines[0] if lines else "an unknown place"


def stack_beside(words: Path) -> Path:
    """Where the kernel's alarm writes down what a worker was at."""
    return words.with_suffix(".stack")
