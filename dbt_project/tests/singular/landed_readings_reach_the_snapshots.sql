-- What: per account, the snapshots from the API are as many as the distinct landed (post, slot) readings of
--       accounts that were not merged away, and their impressions and likes add up to the same; a reading that a
--       later, archived one of its slot replaces does not count.
-- Why:  a join that drops or doubles rows between landing and mart shows here.
-- Rows: the account, with both counts and sums.
with

readings as (

    {%- for platform in platforms() %}
    select
        account_id,
        post_id,
        slot_start,
        collected_at,
        impressions,
        likes,
        is_archived
    from {{ ref('stg_' ~ platform ~ '__snapshots') }}
    where {{ of_touched_posts('post_id') }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

newest as (

    select
        account_id,
        post_id,
        slot_start,
        max(collected_at) as collected_at
    from readings
    group by account_id, post_id, slot_start

),

landed as (

    select
        readings.account_id,
        count(*) as snapshots,
        sum(readings.impressions) as impressions,
        sum(readings.likes) as likes
    from readings
    inner join newest
        on
            readings.post_id = newest.post_id
            and readings.slot_start = newest.slot_start
            and readings.collected_at = newest.collected_at
    inner join {{ ref('stg_control__accounts') }} as accounts
        on
            readings.account_id = accounts.account_id
            and accounts.merged_into is null
    where not readings.is_archived
    group by readings.account_id

),

marted as (

    select
        account_id,
        count(*) as snapshots,
        sum(impressions) as impressions,
        sum(likes) as likes
    from {{ ref('analytics_snapshots') }}
    where
        source = 'api'
        and {{ of_touched_posts('post_id') }}
    group by account_id

),

final as (

    select
        coalesce(landed.account_id, marted.account_id) as account_id,
        landed.snapshots as landed_snapshots,
        marted.snapshots as mart_snapshots,
        landed.impressions as landed_impressions,
        marted.impressions as mart_impressions,
        landed.likes as landed_likes,
        marted.likes as mart_likes
    from landed
    full outer join marted on landed.account_id = marted.account_id
    where
        landed.snapshots is distinct from marted.snapshots
        or landed.impressions is distinct from marted.impressions
        or landed.likes is distinct from marted.likes

)

select * from final
