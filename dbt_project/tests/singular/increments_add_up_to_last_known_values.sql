-- What: per post and counter, the increments that are not NULL add up to the newest value that is not NULL; a value
--       that only archived snapshots know is looked for in the build that read them alone.
-- Why:  every sum over time rests on it; a lost, doubled or misplaced increment shows here.
-- Rows: the post and the counter: the sum that was found, and the last known value that was expected.
with

last_known as (

    select
        post_id,
        count(*) as snapshots,
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

compared as (

    select
        added_up.post_id,
        {%- for counter in counters() %}
        added_up.{{ counter }} as found_{{ counter }},
        -- only archived snapshots may know it
        case
            when last_known.{{ counter }} is null and coalesce(last_known.snapshots, 0) < added_up.snapshots
                then added_up.{{ counter }}
            else last_known.{{ counter }}
        end as expected_{{ counter }},
        {%- endfor %}
        added_up.engagements as found_engagements,
        scores.engagements as expected_engagements,
        added_up.engagements_core as found_engagements_core,
        scores.engagements_core as expected_engagements_core
    from added_up
    left join last_known on added_up.post_id = last_known.post_id
    left join {{ ref('post_scores') }} as scores
        on
            added_up.post_id = scores.post_id
            and scores.is_current_version

),

final as (

    {{ each_difference('compared', ['post_id'], gained_metrics()) }}

)

select * from final
