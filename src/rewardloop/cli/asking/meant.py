"""Which experiment is meant: a YAML file, or a name that must be known. Nothing is opened or made here, and little is imported."""

from __future__ import annotations

from pathlib import Path

from rewardloop.cli.telling.printing import warn
from rewardloop.errors import UnknownExperiment
from rewardloop.registry.catalog import Catalog
from rewardloop.settings import ExperimentSettings, load_settings


def load(path: Path) -> ExperimentSettings:
    """The settings in a YAML file; what does nothing here is said once, by name. Raises `InvalidSettings`."""
    loaded = load_settings(path)
    if loaded.ignored:
        warn(f"{path}: ignored, because nothing here corresponds: {', '.join(loaded.ignored)}")
    return loaded.settings


def settings_of(config: str, data: Path) -> ExperimentSettings:
    """The settings of an experiment given by name or by file. Raises `UnknownExperiment`, `InvalidSettings`."""
    if _is_file(config):
        return load(Path(config))
    require_data(data, config)
    with Catalog(data) as catalog:
        try:
            return catalog.experiment(config).settings
        except UnknownExperiment as error:
            raise UnknownExperiment(f"{error}{_file_hint(config)}") from None


def known_settings(name: str, data: Path) -> ExperimentSettings | None:
    """Those in force until now; None for an experiment that is not known yet. Makes nothing."""
    if not (data / "catalog.db").exists():
        return None
    with Catalog(data) as catalog:
        return next((entry.settings for entry in catalog.experiments() if entry.name == name), None)


def require_data(data: Path, name: str) -> None:
    """Raises `UnknownExperiment` where there is no data directory."""
    if not data.exists():
        hint = _file_hint(name) or "; choose another with --data, or begin with `rewardloop init`"
        raise UnknownExperiment(f"Expected a data directory at `{data}`, found none{hint}")


def _is_file(config: str) -> bool:
    path = Path(config)
    return path.suffix in {".yaml", ".yml"} or path.is_file()


def _file_hint(name: str) -> str:
    files = [Path(f"{name}{suffix}") for suffix in (".yaml", ".yml")]
    return next((f"; to take in a file, name it: `{file}`" for file in files if file.is_file()), "")
