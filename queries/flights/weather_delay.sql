-- How much later do flights leave in rain, fog and wind, by the weather at their airport in the hour of departure?
SELECT
    CASE
        WHEN weather.origin IS NULL THEN 'not recorded'
        WHEN precip > 0 THEN 'rain'
        WHEN visib < 3 THEN 'fog'
        WHEN wind_speed > 25 THEN 'wind'
        ELSE 'fair'
    END AS conditions,
    count(*) AS flights,
    count(*) - count(dep_time) AS cancelled,
    round(avg(dep_delay), 1) AS mean_delay
FROM flights
LEFT JOIN weather ON weather.origin = flights.origin AND weather.time_hour = flights.time_hour
GROUP BY conditions
ORDER BY mean_delay DESC, conditions
