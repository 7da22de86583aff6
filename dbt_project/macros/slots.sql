{#- The SQL twin of ingest/slots.py (METRICS.md 2); tests/warehouse proves that both agree. -#}

{#-
    What:   the last point of the UTC grid that is not after an instant.
    Types:  timestamp with time zone, step in minutes (literal) -> timestamp with time zone.
    Usage:  {{ floor_to('activity_at', 15) }} as quarter_hour
-#}
{% macro floor_to(instant, minutes) -%}
    {%- set step = minutes * 60 * 1000000 -%}
    {{ from_epoch_microseconds(integer_divide(epoch_microseconds(instant), step) ~ ' * ' ~ step) }}
{%- endmacro %}

{#- What: the last two-hour slot of a post published at an instant. -#}
{% macro last_young_slot(published_at) -%}
    {%- set step = 2 * 3600 * 1000000 -%}
    {%- set last_young_moment = epoch_microseconds(published_at) ~ ' + ' ~ (48 * 3600 * 1000000 - 1) -%}
    {{ from_epoch_microseconds(integer_divide(last_young_moment, step) ~ ' * ' ~ step) }}
{%- endmacro %}

{#- What: the first six-hour slot of a post published at an instant. -#}
{% macro first_old_slot(published_at) -%}
    {%- set step = 6 * 3600 * 1000000 -%}
    {%- set rounded_up = epoch_microseconds(published_at) ~ ' + ' ~ (54 * 3600 * 1000000 - 1) -%}
    {{ from_epoch_microseconds(integer_divide(rounded_up, step) ~ ' * ' ~ step) }}
{%- endmacro %}

{#-
    What:   start of the slot of a post that holds a moment: two hours while the post is younger than
            48 hours at the slot's start, six hours from then on.
    Usage:  {{ slot_start('connected_at', 'published_at') }}
-#}
{% macro slot_start(moment, published_at) -%}
    case
        when {{ floor_to(moment, 120) }} < {{ published_at }} + interval '48' hour then {{ floor_to(moment, 120) }}
        when {{ moment }} < {{ first_old_slot(published_at) }} then {{ last_young_slot(published_at) }}
        else {{ floor_to(moment, 360) }}
    end
{%- endmacro %}

{#-
    What:   number of the slot that starts at an instant, counted from 0 for the slot of publication:
            two consecutive due slots differ by one, whatever their lengths.
    Types:  timestamps with time zone -> bigint.
    Usage:  {{ slot_index('slot_start', 'published_at') }}
-#}
{% macro slot_index(slot_start, published_at) -%}
    {%- set young = 2 * 3600 * 1000000 -%}
    {%- set old = 6 * 3600 * 1000000 -%}
    {%- set first_slot = integer_divide(epoch_microseconds(published_at), young) -%}
    case
        when {{ slot_start }} < {{ published_at }} + interval '48' hour
            then {{ integer_divide(epoch_microseconds(slot_start), young) }} - {{ first_slot }}
        else
            {{ integer_divide(epoch_microseconds(last_young_slot(published_at)), young) }} - {{ first_slot }} + 1
            + {{ integer_divide(epoch_microseconds(slot_start), old) }}
            - {{ integer_divide(epoch_microseconds(first_old_slot(published_at)), old) }}
    end
{%- endmacro %}
