with

latest as (

    select
        post_id,
        account_id,
        platform,
        published_at,
        collected_at,
        {%- for counter in counters() %}
        known_{{ counter }} as {{ counter }},
        {%- endfor %}
        known_unique_impressions as unique_impressions,
        known_engagements as engagements,
        known_engagements_core as engagements_core
    from {{ ref('int_snapshots_known') }}
    where recency = 1

),

weights as (

    select * from {{ ref('int_score_weights') }}

),

scored as (

    select
        latest.*,
        weights.metric_version,
        weights.is_current_version,
        {{ engagement_score('latest', 'weights') }} as engagement_score
    from latest
    inner join weights on latest.platform = weights.platform

),

final as (

    select
        post_id,
        metric_version,
        is_current_version,
        account_id,
        platform,
        published_at,
        collected_at,
        {%- for counter in counters() %}
        {{ counter }},
        {%- endfor %}
        unique_impressions,
        engagements,
        engagements_core,
        {{ rate('engagements', 'impressions') }} as engagement_rate,
        engagement_score,
        engagement_score = 1000 as score_capped
    from scored

)

select * from final
