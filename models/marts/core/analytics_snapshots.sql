-- depends_on: {{ ref('int_touched_posts') }}
{{ config(materialized='incremental', pre_hook="{{ delete_touched_snapshots() }}") }}

with

snapshots as (

    select snapshots.*
    from {{ ref('int_snapshots') }} as snapshots
    {% if is_incremental() %}
    inner join {{ ref('int_touched_posts') }} as touched
        on
            snapshots.post_id = touched.post_id
            and snapshots.slot_start >= touched.first_slot
    {% endif %}
    where not snapshots.is_archived

),

final as (

    select
        snapshot_id as id,
        post_id,
        platform,
        platform_post_id,
        {%- for counter in counters() %}
        {{ counter }},
        {%- endfor %}
        engagement_rate,
        engagement_score,
        collected_at,
        first_landed_at as created_at,
        account_id,
        slot_start,
        published_at,
        unique_impressions,
        engagements,
        engagements_core,
        engagements_basis,
        platform_engagements,
        engagement_score = 1000 as score_capped,
        metric_version,
        source,
        collected_basis
    from snapshots

)

select * from final
