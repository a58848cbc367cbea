"""What the bodies of Personalizer's calls have in common: how keys are written, that none is ignored, what an id is."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from rewardloop.events import MAX_EVENT_ID

Id = Annotated[str, Meta(min_length=1, max_length=MAX_EVENT_ID)]
MaybeId = Annotated[str, Meta(max_length=MAX_EVENT_ID)] | None


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Base of all bodies: a key that is not known is refused."""
