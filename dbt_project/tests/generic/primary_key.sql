{#-
    Passes if the columns together name each row once and are never NULL.
    Failing rows: the key, and how often it stands there.
-#}
{% test primary_key(model, columns) %}
    {%- if columns is string or not columns -%}
        {{- exceptions.raise_compiler_error(
            'primary_key needs columns: a list of the columns that name a row, as in [account_id, day]'
        ) -}}
    {%- endif %}
    select
        {{ columns | join(', ') }},
        count(*) as rows_with_this_key
    from {{ model }}
    group by {{ columns | join(', ') }}
    having
        count(*) > 1
        {%- for column in columns %}
        or {{ column }} is null
        {%- endfor %}
{% endtest %}
