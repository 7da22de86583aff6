{#-
    What:   the platforms whose posts are collected. Each has a folder in models/staging with the models
            stg_<platform>__posts, __snapshots and __accounts, which give its data the product's names.
    Usage:  {% for platform in platforms() %} ... {{ ref('stg_' ~ platform ~ '__posts') }} ... {% endfor %}
-#}
{% macro platforms() %}
    {{- return(var('platforms')) -}}
{% endmacro %}

{#-
    What:   the on-run-start hook: `raw_all.<table>` shows the hot readings of `raw` with the archived ones of
            `raw_cold`, told apart by `is_archived`. Made anew each time: landing may have added columns.
-#}
{% macro show_all_readings() %}
    {%- if execute and flags.WHICH in ['build', 'run', 'test'] %}
        create schema if not exists raw_cold;
        create schema if not exists raw_all;
        {%- for platform in platforms() %}
            {%- set table = platform ~ '_snapshots' %}
            create view if not exists raw_cold.{{ table }} as
            select * from raw.{{ table }} where 1 = 0;
            create or replace view raw_all.{{ table }} as
            {{ union_by_name(
                'select *, false as is_archived from raw.' ~ table,
                'select *, true as is_archived from raw_cold.' ~ table
            ) }};
        {%- endfor %}
    {%- endif %}
{% endmacro %}
