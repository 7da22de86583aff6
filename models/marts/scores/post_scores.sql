with

totals as (

    select
        totals.*,
        posts.account_id,
        posts.platform,
        posts.published_at
    from {{ ref('int_post_totals') }} as totals
    inner join {{ ref('int_posts') }} as posts on totals.post_id = posts.post_id

),

scored as (

    select
        totals.*,
        weights.metric_version,
        weights.is_current_version,
        {{ engagement_score('totals', 'weights') }} as engagement_score
    from totals
    inner join {{ ref('int_score_weights') }} as weights on totals.platform = weights.platform

),

final as (

    select
        post_id,
        metric_version,
        is_current_version,
        account_id,
        platform,
        published_at,
        last_collected_at as collected_at,
        {%- for counter in counters() %}
        cast({{ counter }} as integer) as {{ counter }},
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
