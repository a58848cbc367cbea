"""Policies tried on worlds: which one, with which settings, earns how much. `worlds` has the worlds, `reports` the pages."""
