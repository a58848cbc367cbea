"""The algorithms, each a loss of a batch: what is minimised, and what its policy says. The loop around them is in `toolkit`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy
from typing import Any, cast

import torch
from torch import Tensor, nn

from rewardloop.rl.offline.batches import Batch, Shape
from rewardloop.rl.offline.networks import Policy, Standardised, Twins, bootstrapped, network, weighted
from rewardloop.rl.offline.table import Conservative, Constrained, Implicit, Parameters, WithBeta

_IMPOSSIBLE = -1e9


class Learner(nn.Module, ABC):
    """Networks over standardised observations. Every parameter of it is learned; targets follow in `after_step`."""

    greedy = False
    """Whether its numbers are values, of which the highest is taken, and not log-odds."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.standardised = Standardised(shape)

    @abstractmethod
    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """By name, for observations that are standardised; their sum is minimised."""

    @abstractmethod
    def numbers(self, seen: Tensor) -> Tensor:
        """(B, n) for standardised observations: log-odds, values, or locations in the box from −1 to 1."""

    def after_step(self) -> None:
        """Whatever follows the parameters slowly."""


class Cloning(Learner):
    """−log π(a | s) of what was done."""

    def __init__(self, shape: Shape, chosen: Parameters) -> None:
        super().__init__(shape)
        self.policy = Policy(shape, chosen.net_arch)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        return {"policy": self.policy.surprise(batch.seen, batch.action).mean()}

    def numbers(self, seen: Tensor) -> Tensor:
        return cast(Tensor, self.policy(seen))


class Marwil(Cloning):
    """The same, weighted by exp(β × advantage / its running deviation), by what was earned from there on (eq. 3–6)."""

    def __init__(self, shape: Shape, chosen: WithBeta) -> None:
        super().__init__(shape, chosen)
        self._beta = chosen.beta
        self.value = network(len(shape.mean), chosen.net_arch, 1)
        self.register_buffer("square", torch.ones(()))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        advantage = batch.ahead - self.value(batch.seen)[:, 0]
        self.square: Tensor = self.square + 1e-2 * (advantage.detach().square().mean() - self.square)
        scaled = advantage.detach() / self.square.sqrt()
        surprise = self.policy.surprise(batch.seen, batch.action)
        return {"value": advantage.square().mean(), "policy": weighted(surprise, scaled, self._beta, 20.0)}


class ImplicitQ(Cloning):
    """Never asks for the value of an action that was not logged: V is an upper expectile of Q over those that were."""

    def __init__(self, shape: Shape, chosen: Implicit) -> None:
        super().__init__(shape, chosen)
        self._chosen = chosen
        self.q = Twins(shape, chosen.net_arch)
        self.value = network(len(shape.mean), chosen.net_arch, 1)
        self.target = _frozen(self.q)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        chosen = self._chosen
        believed = torch.min(*self.target(batch.seen, batch.action))
        error = believed - self.value(batch.seen)[:, 0]
        side = torch.where(error > 0, chosen.expectile, 1 - chosen.expectile)
        wanted = bootstrapped(batch, self.value(batch.after)[:, 0], chosen.gamma)
        found = self.q(batch.seen, batch.action)
        surprise = self.policy.surprise(batch.seen, batch.action)
        return {
            "value": (side * error.square()).mean(),
            "q": sum(((q - wanted).square().mean() for q in found), torch.zeros(())),
            "policy": weighted(surprise, error.detach(), chosen.beta, 100.0),
        }

    def after_step(self) -> None:
        _follow(self.target, self.q, self._chosen.tau)


class ConservativeQ(Learner):
    """Double Q-learning, and α (log Σ exp Q(s, ·) − Q(s, a)): what was not done is not believed to be good (eq. 4)."""

    greedy = True

    def __init__(self, shape: Shape, chosen: Conservative) -> None:
        super().__init__(shape)
        self._chosen = chosen
        self.q = Twins(shape, chosen.net_arch)
        self.target = _frozen(self.q)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        best = _masked(torch.min(*self.q.all(batch.after)), batch.possible).argmax(dim=1)
        wanted = bootstrapped(batch, torch.min(*self.target(batch.after, best)), self._chosen.gamma)
        found = self.q.all(batch.seen)
        taken = [q.gather(1, batch.action[:, None])[:, 0] for q in found]
        return {
            "q": sum(((q - wanted).square().mean() for q in taken), torch.zeros(())),
            "conservative": self._chosen.alpha
            * sum(((q.logsumexp(dim=1) - own).mean() for q, own in zip(found, taken, strict=True)), torch.zeros(())),
        }

    def numbers(self, seen: Tensor) -> Tensor:
        return torch.min(*self.q.all(seen))

    def after_step(self) -> None:
        _follow(self.target, self.q, self._chosen.tau)


class ConstrainedQ(Learner):
    """Double Q-learning among actions that the log's own policy, cloned beside, does often enough."""

    greedy = True

    def __init__(self, shape: Shape, chosen: Constrained) -> None:
        super().__init__(shape)
        self._chosen = chosen
        self.q = Twins(shape, chosen.net_arch)
        self.target = _frozen(self.q)
        self.policy = Policy(shape, chosen.net_arch)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        best = _masked(self.numbers(batch.after), batch.possible).argmax(dim=1)
        wanted = bootstrapped(batch, torch.min(*self.target(batch.after, best)), self._chosen.gamma)
        found = self.q(batch.seen, batch.action)
        return {
            "q": sum(((q - wanted).square().mean() for q in found), torch.zeros(())),
            "policy": self.policy.surprise(batch.seen, batch.action).mean(),
        }

    def numbers(self, seen: Tensor) -> Tensor:
        chance = self.policy(seen).softmax(dim=1)
        often = chance >= self._chosen.threshold * chance.max(dim=1, keepdim=True).values
        return _masked(torch.min(*self.q.all(seen)), often)

    def after_step(self) -> None:
        _follow(self.target, self.q, self._chosen.tau)


_KINDS: dict[str, Any] = {"bc": Cloning, "marwil": Marwil, "iql": ImplicitQ, "cql": ConservativeQ, "bcq": ConstrainedQ}


def learner_of(algorithm: str, shape: Shape, chosen: Parameters) -> Learner:
    """One that has learned nothing, by torch's generator as it stands."""
    learner: Learner = _KINDS[algorithm](shape, chosen)
    return learner


def _masked(values: Tensor, possible: Tensor) -> Tensor:
    return torch.where(possible, values, torch.full_like(values, _IMPOSSIBLE))


def _frozen(module: nn.Module) -> Any:
    copy = deepcopy(module)
    for parameter in copy.parameters():
        parameter.requires_grad_(False)
    return copy


def _follow(target: nn.Module, module: nn.Module, share: float) -> None:
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), module.parameters(), strict=True):
            slow.lerp_(fast, share)
