-- Which hours of the day have the most departures planned from each airport?
SELECT origin, hour, count(*) AS flights, count(DISTINCT dest) AS destinations
FROM flights
GROUP BY origin, hour
ORDER BY flights DESC, origin, hour
LIMIT 10
