-- depends_on: {{ ref('int_touched_units') }}
{{ config(materialized='incremental', pre_hook="{{ delete_posts_of('int_touched_units') }}") }}

with

-- A correction may leave less than nothing at 72 hours: no logarithm there.
aged as (

    select
        post_id,
        account_id,
        published_at,
        case when impressions < 0 then 0 else {{ in_ten_thousandths('impressions') }} end as impressions,
        {{ in_ten_thousandths('engagement_score') }} as engagement_score
    from {{ ref('post_age_values') }}
    where
        age_hours = 72
        and impressions is not null

),

subjects as (

    select aged.*
    from aged
    {% if is_incremental() %}
    inner join {{ ref('int_touched_units') }} as touched on aged.post_id = touched.post_id
    {% endif %}

),

levels as (

    select
        subjects.post_id,
        count(*) as n,
        {{ quantile('peers.impressions', 0.5) }} as median_impressions,
        {{ quantile('peers.engagement_score', 0.5) }} as median_engagement_score
    from subjects
    inner join aged as peers
        on
            subjects.account_id = peers.account_id
            and subjects.published_at > peers.published_at
            and subjects.published_at <= peers.published_at + interval '90' day
    group by subjects.post_id

),

-- How a post did against the account's recent level, as a logarithm in millionths: whole numbers add up to
-- the same in any order.
final as (

    select
        subjects.post_id,
        subjects.account_id,
        subjects.published_at,
        {{ log_millionths('subjects.impressions', 'levels.median_impressions') }} as unit_impressions,
        {{ log_millionths('subjects.engagement_score', 'levels.median_engagement_score') }} as unit_engagement_score
    from subjects
    inner join levels on subjects.post_id = levels.post_id
    where levels.n >= 5

)

select * from final
