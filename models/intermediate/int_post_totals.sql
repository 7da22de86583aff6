-- depends_on: {{ ref('int_touched_posts') }}
{{ config(materialized='incremental', pre_hook="{{ delete_posts_of('int_touched_posts') }}") }}

with

increments as (

    select increments.*
    from {{ ref('post_increments') }} as increments
    {% if is_incremental() %}
    inner join {{ ref('int_touched_posts') }} as touched on increments.post_id = touched.post_id
    {% endif %}

),

-- The last known values are the sums of the increments; people do not add up: the newest total counts.
sums as (

    select
        post_id,
        count(*) as snapshots,
        min(collected_at) as first_collected_at,
        max(collected_at) as last_collected_at,
        max(slot_start) as last_slot,
        min(activity_at) as first_activity_at,
        max(activity_at) as last_activity_at,
        max(activity_slot) as last_activity_slot,
        max(case when source = 'api' then 1 else 0 end) as has_api,
        max(case when source = 'file' then 1 else 0 end) as has_file,
        {%- for metric in gained_metrics() %}
        cast(sum(new_{{ metric }}) as bigint) as {{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from increments
    group by post_id

),

final as (

    select
        sums.*,
        newest.unique_impressions,
        newest.collected_at as newest_collected_at,
        newest.source as newest_source
    from sums
    inner join increments as newest
        on
            sums.post_id = newest.post_id
            and sums.last_slot = newest.slot_start

)

select * from final
