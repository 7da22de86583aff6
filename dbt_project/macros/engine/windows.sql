{#-
    What:   the newest value that is not NULL, before the current row.
    Types:  any expression; partition and order as in a window clause -> the expression's type.
    Usage:  {{ last_known_before('likes', 'post_id', 'slot_start') }} as before_likes
-#}
{% macro last_known_before(expression, partition_by, order_by) %}
    {{- adapter.dispatch('last_known_before')(expression, partition_by, order_by) -}}
{% endmacro %}

{% macro default__last_known_before(expression, partition_by, order_by) -%}
    last_value({{ expression }} ignore nulls) over (
        partition by {{ partition_by }}
        order by {{ order_by }}
        rows between unbounded preceding and 1 preceding
    )
{%- endmacro %}

{% macro spark__last_known_before(expression, partition_by, order_by) -%}
    last_value({{ expression }}, true) over (
        partition by {{ partition_by }}
        order by {{ order_by }}
        rows between unbounded preceding and 1 preceding
    )
{%- endmacro %}
