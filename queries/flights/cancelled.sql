-- How many flights of each month never left, how many left without an arrival delay on record, and what share is that?
SELECT
    month,
    count(*) AS flights,
    count(*) - count(dep_time) AS cancelled,
    count(dep_time) - count(arr_delay) AS astray,
    round(100.0 * (count(*) - count(arr_delay)) / count(*), 2) AS percent_lost,
    count(*) - count(tailnum) AS without_plane
FROM flights
GROUP BY month
ORDER BY month
