"""The SQL of the join. Portable on purpose: int64 microseconds, no QUALIFY, no USING, no function that only one engine has.

Tables: decisions, rewards, activations as in `parts.SCHEMAS`. `{since}` < time ≤ `{until}` is the slice of events to close,
`{window}` the reward window, `{earliest}` 1 where the first reward closes an event, otherwise 0.
"""

PAIRS = """
WITH candidate AS (
    SELECT event_key, seq, effective_at AS opened_at, sample_prob, deferred
    FROM decisions
    WHERE effective_at > {since} - {window} AND effective_at <= {until} {superseded}
), told AS (
    SELECT event_key, COUNT(*) AS n, MIN(effective_at) AS told_at, MAX(effective_at) AS last_at, MIN(reward) AS reward,
           MAX(CASE WHEN final THEN 1 ELSE 0 END) AS final
    FROM rewards
    WHERE effective_at > {since} - 2 * {window} AND effective_at <= {until}
    GROUP BY event_key
), active AS (
    SELECT c.seq AS seq, MIN(a.effective_at) AS activated_at
    FROM candidate c
    JOIN activations a ON c.event_key = a.event_key
    WHERE c.deferred AND a.effective_at <= {until}
      AND a.effective_at >= c.opened_at - {window} AND a.effective_at <= c.opened_at + {window}
    GROUP BY c.seq
), paired AS (
    SELECT COALESCE(c.event_key, t.event_key) AS event_key, c.seq AS seq, c.opened_at AS opened_at,
           c.sample_prob AS sample_prob, c.deferred AS deferred, t.last_at AS last_at, t.reward AS reward, t.final AS final,
           CASE WHEN t.told_at < c.opened_at THEN c.opened_at ELSE t.told_at END AS told_at,
           CASE WHEN t.n IS NULL THEN 0
                WHEN t.n = 1 AND t.told_at >= c.opened_at - {window} AND t.told_at <= c.opened_at + {window} THEN 1
                ELSE 2 END AS pairs
    FROM candidate c
    FULL OUTER JOIN told t ON c.event_key = t.event_key
), shut AS (
    SELECT p.event_key AS event_key, p.seq AS seq, p.opened_at AS opened_at, p.sample_prob AS sample_prob,
           p.deferred AS deferred, a.activated_at AS activated_at, p.last_at AS last_at, p.reward AS reward, p.pairs AS pairs,
           CASE WHEN p.pairs = 1 AND (p.final = 1 OR {earliest} = 1) THEN p.told_at
                ELSE p.opened_at + {window} END AS shut_at
    FROM paired p
    LEFT JOIN active a ON p.seq = a.seq
), closing AS (
    SELECT event_key, seq, opened_at, sample_prob, deferred, activated_at, last_at, reward, pairs,
           CASE WHEN NOT deferred THEN shut_at
                WHEN activated_at IS NULL THEN opened_at + {window}
                WHEN activated_at > shut_at THEN activated_at
                ELSE shut_at END AS closed_at
    FROM shut
)
SELECT event_key, seq, opened_at, sample_prob, CASE WHEN deferred THEN 1 ELSE 0 END AS deferred, activated_at, reward, pairs,
       closed_at
FROM closing
WHERE (pairs < 2 AND closed_at > {since} AND closed_at <= {until})
   OR (pairs = 2 AND (seq IS NOT NULL OR last_at > {since}))
"""
"""One row an event of the slice. `pairs`: 0 no reward, 1 exactly one and it counts, 2 anything else (several rewards, one out
of the window, rewards without a decision), whose whole story `STORIES` tells."""

STORIES = """
SELECT s.event_key AS event_key, s.seq AS seq, s.opened_at AS opened_at, s.sample_prob AS sample_prob, s.deferred AS deferred,
       s.activated_at AS activated_at, s.told_at AS told_at, s.reward AS reward, s.final AS final, s.fits AS fits,
       CASE WHEN s.reward_id = '' THEN 1
            ELSE ROW_NUMBER() OVER (PARTITION BY s.event_key, s.fits, s.reward_id ORDER BY s.told_at, s.reward) END AS nth
FROM (
    SELECT o.event_key AS event_key, o.seq AS seq, o.opened_at AS opened_at, o.sample_prob AS sample_prob,
           o.deferred AS deferred, o.activated_at AS activated_at, r.effective_at AS told_at, r.reward AS reward,
           r.reward_id AS reward_id, CASE WHEN r.final THEN 1 ELSE 0 END AS final,
           CASE WHEN r.effective_at >= o.opened_at - {window} AND r.effective_at <= o.opened_at + {window} THEN 1
                ELSE 0 END AS fits
    FROM odd o
    JOIN rewards r ON o.event_key = r.event_key
    WHERE r.effective_at > {since} - 2 * {window} AND r.effective_at <= {until}
) s
ORDER BY s.seq, s.event_key, s.told_at, s.reward, s.reward_id
"""
"""One row a reward of the events in `odd`, in order. `nth`: among rewards of one id, the how-manieth."""
