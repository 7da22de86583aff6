-- What: where a counter is below the one known before it, the increment says `is_correction`, and nowhere else.
-- Why:  a fall that nobody flagged would be an unexplained loss in a chart.
-- Rows: the increment, with its flag.
with

final as (

    select
        id,
        post_id,
        collected_at,
        is_correction,
        {%- for counter in counters() %}
        new_{{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('post_increments') }}
    where
        {{ of_touched_posts('post_id') }}
        and is_correction is distinct from (
            {%- for counter in counters() %}
            coalesce(new_{{ counter }}, 0) < 0
            {%- if not loop.last %} or{% endif %}
            {%- endfor %}
        )

)

select * from final
