{#-
    What:   the sums of an increments mart over rows of post_increments: everything (`new_`), what was
            observed as it happened (`observed_`), and both parts of a rate over rows that know both.
    Usage:  select account_id, {{ sum_increments() }} from increments group by account_id
    Note:   a sum over no known value is NULL, not 0 (METRICS.md 1).
-#}
{% macro sum_increments() -%}
    {%- for metric in gained_metrics() %}
        cast(sum(new_{{ metric }}) as bigint) as new_{{ metric }},
    {%- endfor %}
    {%- for metric in gained_metrics() %}
        cast(sum(case when basis = 'observed' then new_{{ metric }} end) as bigint) as observed_{{ metric }},
    {%- endfor %}
    {%- for quality, condition in [('rated', ''), ('observed_rated', "basis = 'observed' and ")] %}
        {%- for metric, other in [('impressions', 'engagements'), ('engagements', 'impressions')] %}
        cast(sum(case when {{ condition }}new_{{ other }} is not null then new_{{ metric }} end) as bigint)
            as {{ quality }}_{{ metric }}
            {%- if not loop.last %},{% endif %}
        {%- endfor %}
        {%- if not loop.last %},{% endif %}
    {%- endfor %}
{%- endmacro %}

{#- What: the same sums over rows of a mart that has them already (quarter hours, days). -#}
{% macro sum_sums() -%}
    {%- for total in increment_sums() %}
        cast(sum({{ total }}) as bigint) as {{ total }}
        {%- if not loop.last %},{% endif %}
    {%- endfor %}
{%- endmacro %}
