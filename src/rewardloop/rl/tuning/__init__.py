"""The search for hyperparameters, resumable at any point.

Search     `search`: dimensions, default ranges, what was found and its pictures
Study      `study`: what Optuna proposes, which trials go on, how each ended
Trial      `attempts` trains one and ends it early where the study says so
"""
