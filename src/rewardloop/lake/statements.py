"""The SQL of the join. Portable on purpose: int64 microseconds, no QUALIFY, no USING, no function that only one engine has.

Tables: decisions, rewards, activations as in `parts.SCHEMAS`. `{since}` < time ≤ `{until}` is the slice of events to close,
`{window}` the reward window, `{default}` the reward where there is none, `{earliest}` 1 where the first reward closes an
event, `{waits}` 1 where every event waits for the end of its window; otherwise 0.
"""

PAIRS = """
WITH told AS (
    SELECT event_key, COUNT(*) AS n, MIN(effective_at) AS told_at, MAX(effective_at) AS last_at, MIN(reward) AS reward,
           MAX(CASE WHEN final THEN 1 ELSE 0 END) AS final
    FROM rewards
    WHERE effective_at > {since} - CAST(2 AS BIGINT) * {window} AND effective_at <= {until}
    GROUP BY event_key
), paired AS (
    SELECT COALESCE(d.event_key, t.event_key) AS event_key, d.seq AS seq, d.effective_at AS opened_at,
           d.sample_prob AS sample_prob, t.told_at AS told_at, t.last_at AS last_at, t.reward AS reward, t.final AS final,
           CASE WHEN d.deferred THEN 3
                WHEN t.n IS NULL THEN 0
                WHEN t.n = 1 AND t.told_at >= d.effective_at - {window} AND t.told_at <= d.effective_at + {window} THEN 1
                ELSE 2 END AS pairs
    FROM (
        SELECT event_key, seq, effective_at, sample_prob, deferred
        FROM decisions
        WHERE effective_at > {since} - {window} AND effective_at <= {until} {superseded}
    ) d
    FULL OUTER JOIN told t ON d.event_key = t.event_key
), closing AS (
    SELECT event_key, seq, sample_prob, last_at, pairs,
           CASE WHEN pairs = 1 THEN reward ELSE {default} END AS reward,
           CASE WHEN pairs >= 2 THEN opened_at
                WHEN pairs = 0 OR {waits} = 1 OR (final = 0 AND {earliest} = 0) THEN opened_at + {window}
                WHEN told_at < opened_at THEN opened_at
                ELSE told_at END AS closed_at
    FROM paired
)
SELECT event_key, seq, sample_prob, pairs, reward, closed_at
FROM closing
WHERE (pairs < 2 AND closed_at > {since} AND closed_at <= {until})
   OR (pairs >= 2 AND (seq IS NOT NULL OR last_at > {since}))
"""
"""One row an event of the slice. `pairs`: 0 no reward, 1 exactly one and it counts; otherwise the event is odd (several
rewards, one out of the window, rewards without a decision; 3 where it is deferred), its `closed_at` is only the time of the
decision, and `STORIES` tells all of it."""

MEASURED = """
SELECT m.event_key AS event_key, m.seq AS seq, m.closed_at AS closed_at, r.metrics AS metrics
FROM measured m
JOIN rewards r ON m.event_key = r.event_key
WHERE r.effective_at > {since} - CAST(2 AS BIGINT) * {window} AND r.effective_at <= {until} AND r.metrics <> ''
ORDER BY m.seq
"""
"""What the one reward of each event in `measured` carries beside the reward."""

STORIES = """
WITH active AS (
    SELECT o.seq AS seq, MIN(a.effective_at) AS activated_at
    FROM odd o
    JOIN activations a ON o.event_key = a.event_key
    WHERE a.effective_at >= o.closed_at - {window} AND a.effective_at <= o.closed_at + {window} AND a.effective_at <= {until}
    GROUP BY o.seq
), heard AS (
    SELECT event_key, effective_at, reward, reward_id, final, COALESCE(metrics, '') AS metrics
    FROM rewards
    WHERE effective_at > {since} - CAST(2 AS BIGINT) * {window} AND effective_at <= {until}
), story AS (
    SELECT o.event_key AS event_key, o.seq AS seq, o.closed_at AS opened_at, o.sample_prob AS sample_prob,
           CASE WHEN o.pairs = 3 THEN 1 ELSE 0 END AS deferred, a.activated_at AS activated_at, h.effective_at AS told_at,
           h.reward AS reward, h.reward_id AS reward_id, CASE WHEN h.final THEN 1 ELSE 0 END AS final, h.metrics AS metrics,
           CASE WHEN h.effective_at >= o.closed_at - {window} AND h.effective_at <= o.closed_at + {window} THEN 1
                ELSE 0 END AS fits
    FROM odd o
    LEFT JOIN heard h ON o.event_key = h.event_key
    LEFT JOIN active a ON o.seq = a.seq
)
SELECT event_key, seq, opened_at, sample_prob, deferred, activated_at, told_at, reward, final, metrics, fits,
       CASE WHEN reward_id = '' THEN 1
            ELSE ROW_NUMBER() OVER (PARTITION BY event_key, fits, reward_id ORDER BY told_at, reward, metrics) END AS nth
FROM story
ORDER BY seq, event_key, told_at, reward, reward_id, metrics
"""
"""One row a reward of the events in `odd` (without any: one row, `told_at` null), in order. `nth`: the how-manieth of its id."""
