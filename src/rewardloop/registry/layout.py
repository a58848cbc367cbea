"""Where everything of one data directory lives. The only place that knows a path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_DATA = "rewardloop-data"
"""The data directory where none is named: in the working directory."""


@dataclass(frozen=True, slots=True)
class ExperimentDirectory:
    """`DATA/experiments/NAME`: all that one experiment owns, and nothing that another does."""

    root: Path

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def joined(self) -> Path:
        """Joined data as CSV, a folder a job, for scripts that read it as they read S3."""
        return self.root / "joined"

    @property
    def hosted(self) -> Path:
        """The pointer that serving workers watch."""
        return self.root / "hosted.json"

    @property
    def trial(self) -> Path:
        """What serving processes count of a challenger."""
        return self.root / "trial"

    @property
    def personalizer(self) -> Path:
        """What Personalizer's clients keep with the service: names, dates, evaluations."""
        return self.root / "personalizer"

    @property
    def erasures(self) -> Path:
        """What is to be forgotten and is not yet, and the record of what was."""
        return self.root / "erasures"

    @property
    def trainer_lock(self) -> Path:
        """Held by whoever collects, joins, trains and deploys: one process at a time."""
        return self.root / "trainer.lock"


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """One data directory: a catalog and a folder for each experiment.

    >>> DataDirectory(Path("data")).experiment("offers").hosted.as_posix()
    'data/experiments/offers/hosted.json'
    """

    root: Path

    @property
    def server_lock(self) -> Path:
        return self.root / "server.lock"

    @property
    def signing_root(self) -> Path:
        """What the secrets of signed requests are derived from; readable by its owner alone."""
        return self.root / "signing.root"

    @property
    def experiments(self) -> Path:
        return self.root / "experiments"

    def experiment(self, name: str) -> ExperimentDirectory:
        return ExperimentDirectory(self.experiments / name)
