-- Who changed production in the last seven days, and how did it end?
SELECT "at", actor, run, action, outcome, array_join(shards, ', ') AS shards
FROM holdfast_audit
WHERE "date" >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND contains(environments, 'prod')
  AND part = 1
ORDER BY n DESC
