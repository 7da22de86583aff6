-- What: where a counter is below the one known before it, the increment says `is_correction`, and nowhere else.
-- Why:  a fall that nobody flagged would be an unexplained loss in a chart.
-- Rows: the increment, with its flag.
with

final as (

    select
        tested.id,
        tested.post_id,
        tested.collected_at,
        tested.is_correction,
        {%- for counter in counters() %}
        tested.new_{{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('post_increments') }} as tested
    {{ of_touched_snapshots() }}
    where
        tested.is_correction is distinct from (
            {%- for counter in counters() %}
            coalesce(tested.new_{{ counter }}, 0) < 0
            {%- if not loop.last %} or{% endif %}
            {%- endfor %}
        )

)

select * from final
