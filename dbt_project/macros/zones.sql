{#-
    What:   the first instant at which a wall clock of a zone shows a time; a time that DST skips
            moves forward by the skipped hour (METRICS.md 5).
    Types:  timestamp without time zone, varchar (IANA name) -> timestamp with time zone.
    Usage:  {{ instant_of_wall_clock('midnight', 'timezone') }}
    Why:    engines differ in which of two equal wall times they take. Clocks go back by an hour, on
            Lord Howe Island by half of one.
-#}
{% macro instant_of_wall_clock(wall_time, zone) -%}
    {%- set instant = engine_instant(wall_time, zone) -%}
    case
        when {{ wall_clock(instant ~ " - interval '60' minute", zone) }} = {{ wall_time }}
            then {{ instant }} - interval '60' minute
        when {{ wall_clock(instant ~ " - interval '30' minute", zone) }} = {{ wall_time }}
            then {{ instant }} - interval '30' minute
        else {{ instant }}
    end
{%- endmacro %}
