{#-
    What:   quantile of a group with linear interpolation between neighbours (type 7), exact for integers
            below 2**50 at quarters.
    Types:  integer expression, literal between 0 and 1 -> double.
    Usage:  {{ quantile('impressions', 0.5) }}
-#}
{% macro quantile(expression, share) %}
    {{- adapter.dispatch('quantile')(expression, share) -}}
{% endmacro %}

{% macro default__quantile(expression, share) %}quantile_cont({{ expression }}, {{ share }}){% endmacro %}

{% macro spark__quantile(expression, share) %}percentile({{ expression }}, {{ share }}){% endmacro %}


{#-
    What:   one row for each whole number from the first to the last, both included.
    Types:  integer literals -> rows of one bigint.
    Usage:  select {{ each_number(1, 100) }} as draw
-#}
{% macro each_number(first, last) %}
    {{- adapter.dispatch('each_number')(first, last) -}}
{% endmacro %}

{% macro default__each_number(first, last) %}unnest(generate_series({{ first }}, {{ last }})){% endmacro %}

{% macro spark__each_number(first, last) %}explode(sequence({{ first }}, {{ last }})){% endmacro %}

{#-
    What:   the three quartiles of a group, as `quantile` gives them, for one look at its values.
    Types:  integer expression -> a list of three doubles, for `nth`.
    Usage:  {{ quartiles('impressions') }} as quartiles
-#}
{% macro quartiles(expression) %}
    {{- adapter.dispatch('quartiles')(expression) -}}
{% endmacro %}

{% macro default__quartiles(expression) %}quantile_cont({{ expression }}, list_value(0.25, 0.5, 0.75)){% endmacro %}

{% macro spark__quartiles(expression) %}percentile({{ expression }}, array(0.25, 0.5, 0.75)){% endmacro %}

{#-
    What:   an element of a list, counted from 1; NULL of NULL.
    Types:  list, integer literal -> the element's type.
    Usage:  {{ nth('quartiles', 2) }} as median
-#}
{% macro nth(list, number) %}
    {{- adapter.dispatch('nth')(list, number) -}}
{% endmacro %}

{% macro default__nth(list, number) %}list_extract({{ list }}, {{ number }}){% endmacro %}

{% macro spark__nth(list, number) %}element_at({{ list }}, {{ number }}){% endmacro %}
