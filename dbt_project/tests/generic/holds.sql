{#-
    Passes if the expression is true in every row; NULL counts as false.
    Failing rows: the whole row.
-#}
{% test holds(model, expression) %}
    {%- if not expression -%}
        {{- exceptions.raise_compiler_error('holds needs an expression, as in filled_slots <= due_slots') -}}
    {%- endif %}
    select *
    from {{ model }}
    where not coalesce({{ expression }}, false)
{% endtest %}
