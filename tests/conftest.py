"""One profile for all property tests: the same examples every time, and no deadlines on shared machines."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")
