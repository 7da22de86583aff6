with

cells as (

    select
        account_id,
        timezone,
        weekday,
        hour,
        count(*) as n,
        {%- for measure in timing_measures() %}
        cast(sum(unit_{{ measure }}) as bigint) as total_{{ measure }},
        cast(sum(unit_{{ measure }} * unit_{{ measure }}) as bigint) as squares_{{ measure }},
        cast(sum({{ shuffle_key('place', 'unit_' ~ measure) }}) as bigint) as marks_{{ measure }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('int_timing_posts') }}
    group by account_id, timezone, weekday, hour

),

final as (
    {% for measure in timing_measures() %}
    select
        account_id,
        timezone,
        '{{ measure }}' as measure,
        weekday,
        hour,
        n,
        total_{{ measure }} as total,
        squares_{{ measure }} as squares,
        marks_{{ measure }} as marks
    from cells
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select * from final
