-- What: per account and post, the snapshots from the API are as many as the distinct landed slots of accounts that were
--       not merged away, and their impressions and likes add up to the same; a reading that a later, archived one of
--       its slot replaces does not count.
-- Why:  a join that drops or doubles rows between landing and mart shows here.
-- Rows: account and post, with both counts and sums.
with

-- Ids are text here, as they landed.
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
    where {{ of_touched_posts('post_id', is_landed=true) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

landed_sums as (

    select
        account_id,
        post_id,
        count(*) as snapshots,
        sum(impressions) as impressions,
        sum(likes) as likes
    from readings
    where not is_archived
    group by account_id, post_id

),

marted as (

    select
        cast(account_id as string) as account_id,
        cast(post_id as string) as post_id,
        count(*) as snapshots,
        sum(impressions) as impressions,
        sum(likes) as likes
    from {{ ref('analytics_snapshots') }}
    where
        source = 'api'
        and {{ of_touched_posts('post_id') }}
    group by account_id, post_id

),

-- Few posts have more readings than slots, archived ones, or an account that was merged away: only theirs are
-- asked which of a slot is the newest. A snapshot too many cannot hide among the others: a slot twice is an id
-- twice.
differing_posts as (

    select post_id from readings
    where is_archived
    union distinct
    select landed_sums.post_id
    from landed_sums
    inner join {{ ref('stg_control__accounts') }} as accounts
        on
            landed_sums.account_id = cast(accounts.account_id as string)
            and accounts.merged_into is not null
    union distinct
    select coalesce(landed_sums.post_id, marted.post_id) as post_id
    from landed_sums
    full outer join marted
        on
            landed_sums.account_id = marted.account_id
            and landed_sums.post_id = marted.post_id
    where
        landed_sums.snapshots is distinct from marted.snapshots
        or landed_sums.impressions is distinct from marted.impressions
        or landed_sums.likes is distinct from marted.likes

),

newest as (

    select
        readings.post_id,
        readings.slot_start,
        max(readings.collected_at) as collected_at
    from readings
    inner join differing_posts on readings.post_id = differing_posts.post_id
    group by readings.post_id, readings.slot_start

),

landed as (

    select
        readings.account_id,
        readings.post_id,
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
            readings.account_id = cast(accounts.account_id as string)
            and accounts.merged_into is null
    where not readings.is_archived
    group by readings.account_id, readings.post_id

),

marted_differing as (

    select marted.*
    from marted
    inner join differing_posts on marted.post_id = differing_posts.post_id

),

final as (

    select
        coalesce(landed.account_id, marted.account_id) as account_id,
        coalesce(landed.post_id, marted.post_id) as post_id,
        landed.snapshots as landed_snapshots,
        marted.snapshots as mart_snapshots,
        landed.impressions as landed_impressions,
        marted.impressions as mart_impressions,
        landed.likes as landed_likes,
        marted.likes as mart_likes
    from landed
    full outer join marted_differing as marted
        on
            landed.account_id = marted.account_id
            and landed.post_id = marted.post_id
    where
        landed.snapshots is distinct from marted.snapshots
        or landed.impressions is distinct from marted.impressions
        or landed.likes is distinct from marted.likes

)

select * from final
