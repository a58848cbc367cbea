"""Buildings that come along: data centres written in code, offices from the package that carries EnergyPlus."""
