-- Which day of each month had the longest mean departure delay at each airport?
SELECT origin, month, day, count(*) AS flights, round(avg(dep_delay), 1) AS mean_delay
FROM flights
WHERE dep_delay IS NOT NULL
GROUP BY origin, month, day
QUALIFY row_number() OVER (PARTITION BY origin, month ORDER BY avg(dep_delay) DESC, day) = 1
ORDER BY origin, month
