{#-
    Passes if the expression is true in every row; NULL counts as false.
    Failing rows: the columns that are asked for: what names a row, and what the expression speaks of.
-#}
{% test holds(model, expression, columns) %}
    {%- if not expression or columns is string or not columns -%}
        {{- exceptions.raise_compiler_error(
            'holds needs an expression, as in filled_slots <= due_slots, and a list of the columns to show'
        ) -}}
    {%- endif %}
    select {{ columns | join(', ') }}
    from {{ model }}
    where not coalesce({{ expression }}, false)
{% endtest %}
