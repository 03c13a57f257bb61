-- How late do the flights of each airline arrive, and how many of those that arrive are more than an hour late?
SELECT
    name,
    count(*) AS flights,
    round(avg(arr_delay), 1) AS mean_delay,
    max(arr_delay) AS worst_delay,
    count(*) FILTER (WHERE arr_delay > 60) AS very_late
FROM flights
JOIN airlines ON airlines.carrier = flights.carrier
WHERE arr_delay IS NOT NULL
GROUP BY name
ORDER BY mean_delay DESC, name
