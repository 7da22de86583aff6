{#-
    Passes if each measure adds up to the same, group by group, in the model and in another one.
    NULL and 0 differ: a total of nothing known is not a total of zero.
    Failing rows: the group, and of each measure that differs the total found in the model and the other one's.
-#}
{% test same_totals(model, compare_model, group_by, measures) %}
    {%- if group_by is string or measures is string -%}
        {{- exceptions.raise_compiler_error('same_totals needs lists: group_by: [account_id], measures: [new_likes]') -}}
    {%- endif %}
    with

    {%- for side, relation in [('here', model), ('there', compare_model)] %}

    {{ side }} as (

        select
            {{ group_by | join(', ') }},
            {%- for measure in measures %}
            cast(sum({{ measure }}) as bigint) as {{ measure }}
            {%- if not loop.last %},{% endif %}
            {%- endfor %}
        from {{ relation }}
        group by {{ group_by | join(', ') }}

    ),
    {%- endfor %}

    compared as (

        select
            {%- for key in group_by %}
            coalesce(here.{{ key }}, there.{{ key }}) as {{ key }},
            {%- endfor %}
            {%- for measure in measures %}
            here.{{ measure }} as found_{{ measure }},
            there.{{ measure }} as expected_{{ measure }}
            {%- if not loop.last %},{% endif %}
            {%- endfor %}
        from here
        full outer join there
            on
                {%- for key in group_by %}
                here.{{ key }} = there.{{ key }}
                {%- if not loop.last %} and {% endif %}
                {%- endfor %}

    )

    {{ each_difference('compared', group_by, measures) }}
{% endtest %}
