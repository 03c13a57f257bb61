-- Which makers built at least a hundred of the planes, how far did they fly, and how old were the planes on average?
SELECT
    manufacturer,
    count(DISTINCT planes.tailnum) AS aircraft,
    sum(distance) AS miles,
    round(avg(flights.year - planes.year), 1) AS mean_age
FROM flights
JOIN planes ON planes.tailnum = flights.tailnum
WHERE air_time IS NOT NULL
GROUP BY manufacturer
HAVING count(DISTINCT planes.tailnum) >= 100
ORDER BY miles DESC, manufacturer
