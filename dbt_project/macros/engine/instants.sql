{#-
    What:   microseconds since 1970-01-01 00:00 UTC of an instant, exact.
    Types:  timestamp with time zone -> bigint.
    Usage:  {{ epoch_microseconds('collected_at') }}
-#}
{% macro epoch_microseconds(instant) %}
    {{- adapter.dispatch('epoch_microseconds')(instant) -}}
{% endmacro %}

{% macro default__epoch_microseconds(instant) %}epoch_us({{ instant }}){% endmacro %}

{% macro spark__epoch_microseconds(instant) %}unix_micros({{ instant }}){% endmacro %}


{#-
    What:   the instant that lies the given microseconds after 1970-01-01 00:00 UTC.
    Types:  bigint -> timestamp with time zone.
    Usage:  {{ from_epoch_microseconds('n') }}
-#}
{% macro from_epoch_microseconds(microseconds) %}
    {{- adapter.dispatch('from_epoch_microseconds')(microseconds) -}}
{% endmacro %}

{% macro default__from_epoch_microseconds(microseconds) %}make_timestamptz({{ microseconds }}){% endmacro %}

{% macro spark__from_epoch_microseconds(microseconds) %}timestamp_micros({{ microseconds }}){% endmacro %}


{#-
    What:   one row for each instant from the first to the last, both included, a number of hours apart.
    Types:  timestamp with time zone twice, integer literal -> rows of one timestamp with time zone.
    Usage:  select {{ each_instant('first_slot', 'last_slot', 2) }} as slot_start from bounds
-#}
{% macro each_instant(first, last, hours) %}
    {{- adapter.dispatch('each_instant')(first, last, hours) -}}
{% endmacro %}

{% macro default__each_instant(first, last, hours) -%}
    unnest(generate_series({{ first }}, {{ last }}, interval '{{ hours }}' hour))
{%- endmacro %}

{% macro spark__each_instant(first, last, hours) -%}
    explode(sequence({{ first }}, {{ last }}, interval '{{ hours }}' hour))
{%- endmacro %}


{#-
    What:   whole days from one date to another.
    Types:  date, date -> integer or bigint.
    Usage:  {{ days_between('day', 'today') }}
-#}
{% macro days_between(first, second) %}
    {{- adapter.dispatch('days_between')(first, second) -}}
{% endmacro %}

{% macro default__days_between(first, second) %}({{ second }} - {{ first }}){% endmacro %}

{% macro spark__days_between(first, second) %}datediff({{ second }}, {{ first }}){% endmacro %}
