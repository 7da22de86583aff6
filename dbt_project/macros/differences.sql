{#-
    What:   what a test that compares figures tells: one row for each figure that differs, with its `keys`, the
            `figure` by name, and what was `found` and `expected` of it.
    Input:  compared: rows with the keys, and columns found_<figure> and expected_<figure> for each of the figures.
    Usage:  final as ( {{ each_difference('compared', ['account_id'], ['likes', 'shares']) }} )
    Note:   rows in which nothing differs go first: the others are few.
-#}
{% macro each_difference(compared, keys, figures) -%}
    select
        {%- for key in keys %}
        told.{{ key }},
        {%- endfor %}
        told.figure,
        told.found,
        told.expected
    from (
        select
            {%- for key in keys %}
            differing.{{ key }},
            {%- endfor %}
            figures.figure,
            {%- for side in ['found', 'expected'] %}
            case figures.figure
                {%- for figure in figures %}
                when '{{ figure }}' then differing.{{ side }}_{{ figure }}
                {%- endfor %}
            end as {{ side }}
            {%- if not loop.last %},{% endif %}
            {%- endfor %}
        from (
            select * from {{ compared }}
            where
                {%- for figure in figures %}
                found_{{ figure }} is distinct from expected_{{ figure }}
                {%- if not loop.last %} or{% endif %}
                {%- endfor %}
        ) as differing
        cross join (
            {%- for figure in figures %}
            select '{{ figure }}' as figure
            {%- if not loop.last %} union all{% endif %}
            {%- endfor %}
        ) as figures
    ) as told
    where told.found is distinct from told.expected
{%- endmacro %}
