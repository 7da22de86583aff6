-- depends_on: {{ ref('int_touched_posts') }}
{{ config(materialized='incremental', pre_hook="{{ delete_touched_posts() }}") }}

with

increments as (

    select increments.*
    from {{ ref('post_increments') }} as increments
    {% if is_incremental() %}
    inner join {{ ref('int_touched_posts') }} as touched on increments.post_id = touched.post_id
    {% endif %}

),

-- The last known values are the sums of the increments; people do not add up and are looked up instead.
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

reach as (

    select
        snapshots.post_id,
        snapshots.unique_impressions,
        row_number() over (partition by snapshots.post_id order by snapshots.slot_start desc) as recency
    from {{ ref('int_snapshots') }} as snapshots
    {% if is_incremental() %}
    inner join {{ ref('int_touched_posts') }} as touched on snapshots.post_id = touched.post_id
    {% endif %}
    where snapshots.unique_impressions is not null

),

final as (

    select
        sums.*,
        reach.unique_impressions
    from sums
    left join reach
        on
            sums.post_id = reach.post_id
            and reach.recency = 1

)

select * from final
