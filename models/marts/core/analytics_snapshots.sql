{{ config(materialized='view') }}

with

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
    from {{ ref('int_snapshots') }}
    where not is_archived

)

select * from final
