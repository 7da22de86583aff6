-- What: per post and counter, the increments that are not NULL add up to the newest value that is not NULL; a value
--       that only archived snapshots know is not looked for.
-- Why:  every sum over time rests on it; a lost, doubled or misplaced increment shows here.
-- Rows: the post, with both figures of each counter.
with

last_known as (

    select
        post_id,
        count(*) as hot_snapshots,
        {%- for counter in counters() %}
        max_by({{ counter }}, case when {{ counter }} is not null then slot_start end) as {{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('analytics_snapshots') }}
    where {{ of_touched_posts('post_id') }}
    group by post_id

),

added_up as (

    select
        post_id,
        count(*) as snapshots,
        {%- for metric in gained_metrics() %}
        sum(new_{{ metric }}) as {{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('post_increments') }}
    where {{ of_touched_posts('post_id') }}
    group by post_id

),

final as (

    select
        added_up.post_id,
        {%- for counter in counters() %}
        last_known.{{ counter }} as last_{{ counter }},
        added_up.{{ counter }} as added_{{ counter }},
        {%- endfor %}
        scores.engagements as last_engagements,
        added_up.engagements as added_engagements,
        scores.engagements_core as last_engagements_core,
        added_up.engagements_core as added_engagements_core
    from added_up
    left join last_known on added_up.post_id = last_known.post_id
    left join {{ ref('post_scores') }} as scores
        on
            added_up.post_id = scores.post_id
            and scores.is_current_version
    where
        {%- for counter in counters() %}
        last_known.{{ counter }} <> added_up.{{ counter }}
        or (last_known.{{ counter }} is not null and added_up.{{ counter }} is null)
        or (
            last_known.{{ counter }} is null and added_up.{{ counter }} is not null
            and coalesce(last_known.hot_snapshots, 0) = added_up.snapshots
        ) or
        {%- endfor %}
        scores.engagements is distinct from added_up.engagements
        or scores.engagements_core is distinct from added_up.engagements_core

)

select * from final
