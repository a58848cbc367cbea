"""The wing with a simulator: training, evaluating, comparing, tuning and exporting. Serving knows nothing of what is in here."""
