-- What: where a counter is below the one known before it, the increment says `is_correction`, and nowhere else.
-- Why:  a fall that nobody flagged would be an unexplained loss in a chart.
-- Rows: the increment, with its flag and the counters that fell.
with

final as (

    select
        id,
        post_id,
        slot_start,
        is_correction,
        concat_ws(
            ', '
            {%- for counter in counters() %},
            case when new_{{ counter }} < 0 then '{{ counter }}' end
            {%- endfor %}
        ) as falls
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
