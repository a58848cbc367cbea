"""The HTTP service: one supervisor, N worker processes, one port.

Processes  `supervisor` starts each `worker` and hears of it by a `link`; `sockets` is the port, with `tls`; `logs` the lines
A request  `application` finds its route (`routes`, and those of `dialects`), reads `bodies`, and sends `replies`; `protocol` is the
           shorter way of most, by `heads` that came before; `head_limit` bounds all, offers of `upgrades` are passed over
The door   `guard` knows who calls (`keyring`), whether they may (`access`) and whether too often (`limits`); for pages `browsers`
           and `cors`; a key of some experiments sees a `scoped` service
The work   `handlers` ask the `service`, which has each `experiment`; `reading` makes requests of bytes, `wire` is their shape;
           what is asked in one of its `turns` is decided together; `commits` go before answers, `recent` decisions wait for rewards
Told       `counts` of a worker, all together as `metrics`; `deaths` on trial; `openapi`; both are served by `documents`
"""
