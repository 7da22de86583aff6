{#-
    Passes if each measure adds up to the same, group by group, in the model and in another one.
    NULL and 0 differ: a total of nothing known is not a total of zero.
    Failing rows: the group, and both totals of each measure.
-#}
{% test same_totals(model, compare_model, group_by, measures) %}
    {%- if group_by is string or measures is string -%}
        {{- exceptions.raise_compiler_error('same_totals needs lists: group_by: [account_id], measures: [new_likes]') -}}
    {%- endif %}
    with

    here as (

        select
            {{ group_by | join(', ') }},
            {%- for measure in measures %}
            cast(sum({{ measure }}) as bigint) as {{ measure }}
            {%- if not loop.last %},{% endif %}
            {%- endfor %}
        from {{ model }}
        group by {{ group_by | join(', ') }}

    ),

    there as (

        select
            {{ group_by | join(', ') }},
            {%- for measure in measures %}
            cast(sum({{ measure }}) as bigint) as {{ measure }}
            {%- if not loop.last %},{% endif %}
            {%- endfor %}
        from {{ compare_model }}
        group by {{ group_by | join(', ') }}

    )

    select
        {%- for key in group_by %}
        coalesce(here.{{ key }}, there.{{ key }}) as {{ key }},
        {%- endfor %}
        {%- for measure in measures %}
        here.{{ measure }} as {{ measure }}_here,
        there.{{ measure }} as {{ measure }}_there
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from here
    full outer join there
        on
            {%- for key in group_by %}
            here.{{ key }} = there.{{ key }}
            {%- if not loop.last %} and {% endif %}
            {%- endfor %}
    where
        {%- for measure in measures %}
        here.{{ measure }} is distinct from there.{{ measure }}
        {%- if not loop.last %} or {% endif %}
        {%- endfor %}
{% endtest %}
