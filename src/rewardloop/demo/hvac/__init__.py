"""The tutorial of heating and cooling: a policy is trained on the real EnergyPlus, compared, drawn and served."""
