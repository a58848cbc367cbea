"""What is on offer: a request's actions understood, and remembered where clients send the same again and again."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from rewardloop.actions import ActionSet, celled_actions, fixed_actions, parse_actions, read_limits
from rewardloop.deciding.asking import DecideRequest
from rewardloop.deciding.shapes import Shapes
from rewardloop.errors import InvalidInput
from rewardloop.recurring import Recurring
from rewardloop.settings import ExperimentSettings

Offer = tuple[ActionSet, tuple[int, ...]]
"""The actions, and the indices of those that are excluded."""


class Offers:
    """One experiment's. Its methods raise `InvalidInput` with the place that is wrong."""

    def __init__(self, settings: ExperimentSettings) -> None:
        self._experiment = settings.experiment
        self._cells = settings.cells
        self._fixed = _usual_actions(settings)
        self.usual: Offer | None = (self._fixed, ()) if self._fixed is not None else None
        """What is on offer where a request names no actions; None where each must."""
        self._known = Recurring[ActionSet]()
        self._shapes = Shapes()

    @property
    def fixed(self) -> bool:
        """Whether `actions` only name those of the experiment's own that are eligible."""
        return self._fixed is not None

    def of_request(self, request: DecideRequest, usual: Offer | None, at: str, *, tabled: bool = False) -> Offer:
        """Its own actions, or the usual ones given, without those it excludes. `at` is the place of the request.

        `tabled`: new actions may be a `Table`, whose names are in another order than the JSON's.
        """
        offer = usual if request.actions is UNSET else self.of_json(bytes(request.actions), f"{at}.actions", tabled=tabled)
        if offer is None:
            raise InvalidInput(f"Expected `actions`: experiment `{self._experiment}` has no fixed ones", at=at)
        return self.without(offer, request.excluded, f"{at}.excluded") if request.excluded else offer

    def of_requests(self, requests: Sequence[DecideRequest], usual: Offer | None, *, tabled: bool) -> list[Offer]:
        """`of_request` of each, without saying where it is that something is wrong."""
        if usual is None:
            return [self.of_request(request, None, "$", tabled=tabled) for request in requests]
        return [
            usual if request.actions is UNSET and not request.excluded else self.of_request(request, usual, "$", tabled=tabled)
            for request in requests
        ]

    def without(self, offer: Offer, ids: Sequence[str], at: str) -> Offer:
        """The same offer with further actions excluded, by their ids."""
        actions, excluded = offer
        more = {actions.index(action_id, f"{at}[{i}]") for i, action_id in enumerate(ids)}
        if len(more | set(excluded)) == len(actions):
            raise InvalidInput("Expected at least one action that is not excluded, got none", at=at)
        return actions, tuple(sorted(more | set(excluded)))

    def of_json(self, raw: bytes, at: str, *, tabled: bool = False) -> Offer:
        """Actions as they were sent. Of fixed ones they say which are eligible, of cells between what the value may lie."""
        if self._cells is not None and self._fixed is not None:
            return self._fixed, self._cells.outside(*read_limits(raw, at), at)
        offered = self._parse(raw, at, tabled)
        if self._fixed is None:
            return offered, ()
        if offered.features is not None:
            raise InvalidInput("Expected ids of fixed actions, got features, which fixed actions have none of", at=at)
        eligible = {self._fixed.index(action_id, f"{at}[{i}]") for i, action_id in enumerate(offered.ids)}
        return self._fixed, tuple(i for i in range(len(self._fixed)) if i not in eligible)

    def _parse(self, raw: bytes, at: str, tabled: bool) -> ActionSet:
        """Clients offer the same actions again and again, and parsing a hundred features costs as much as deciding."""
        known = self._known.find(raw)
        if known is not None:
            return known
        table = self._shapes.read(raw) if tabled else None
        if table is not None and self._known.is_new(raw):
            return table
        known = parse_actions(raw, at)  # In the order that the JSON has, for whichever policy may decide when it comes again.
        if known.ranges is not None:
            raise InvalidInput("Expected an array of actions, got a box: continuous actions are declared in the settings", at=at)
        if tabled:
            self._shapes.look(known)
        self._known.keep(raw, known)
        return known


def _usual_actions(settings: ExperimentSettings) -> ActionSet | None:
    if settings.cells is not None:
        return celled_actions(settings.cells)
    return fixed_actions(settings.action_ids) if settings.action_ids is not None else None
