{#-
    What:   what a clock on the wall shows at an instant in a zone.
    Types:  timestamp with time zone, varchar (IANA name) -> timestamp without time zone.
    Usage:  {{ wall_clock('as_of', 'timezone') }}
    Note:   slow on large tables: ask it of distinct (zone, quarter hour) pairs and join.
-#}
{% macro wall_clock(instant, zone) %}
    {{- adapter.dispatch('wall_clock')(instant, zone) -}}
{% endmacro %}

{% macro default__wall_clock(instant, zone) %}timezone({{ zone }}, {{ instant }}){% endmacro %}

{% macro spark__wall_clock(instant, zone) %}from_utc_timestamp({{ instant }}, {{ zone }}){% endmacro %}


{#-
    What:   the instant at which a wall clock of a zone shows a time. A time that DST skips moves
            forward by the skipped hour; of a time that happens twice, whichever the engine takes
            (`instant_of_wall_clock` picks the first).
    Types:  timestamp without time zone, varchar (IANA name) -> timestamp with time zone.
-#}
{% macro engine_instant(wall_time, zone) %}
    {{- adapter.dispatch('engine_instant')(wall_time, zone) -}}
{% endmacro %}

{% macro default__engine_instant(wall_time, zone) %}timezone({{ zone }}, {{ wall_time }}){% endmacro %}

{% macro spark__engine_instant(wall_time, zone) %}to_utc_timestamp({{ wall_time }}, {{ zone }}){% endmacro %}


{#-
    What:   day of the week of a wall clock, Monday 1 to Sunday 7.
    Types:  timestamp without time zone -> integer.
    Usage:  {{ weekday_number('local_time') }}
-#}
{% macro weekday_number(wall_time) %}
    {{- adapter.dispatch('weekday_number')(wall_time) -}}
{% endmacro %}

{% macro default__weekday_number(wall_time) %}cast(extract(isodow from {{ wall_time }}) as integer){% endmacro %}

{% macro spark__weekday_number(wall_time) %}cast(extract(dayofweek_iso from {{ wall_time }}) as integer){% endmacro %}
