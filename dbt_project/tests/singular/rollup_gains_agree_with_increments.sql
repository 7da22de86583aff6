-- What: over all days, the gains of daily_rollup are those of the accounts that the user may read.
-- Why:  local days of a user's zone must neither drop nor double an increment.
-- Rows: user and platform, with both figures.
with

rollup_gains as (

    select
        user_key,
        platform,
        sum(new_impressions) as new_impressions,
        sum(new_likes) as new_likes
    from {{ ref('daily_rollup') }}
    group by user_key, platform

),

increment_gains as (

    select
        members.user_key,
        increments.platform,
        sum(increments.new_impressions) as new_impressions,
        sum(increments.new_likes) as new_likes
    from {{ ref('post_increments') }} as increments
    inner join {{ ref('account_members') }} as members on increments.account_id = members.account_id
    group by members.user_key, increments.platform

),

final as (

    select
        coalesce(rollup_gains.user_key, increment_gains.user_key) as user_key,
        coalesce(rollup_gains.platform, increment_gains.platform) as platform,
        rollup_gains.new_impressions as rollup_impressions,
        increment_gains.new_impressions as increment_impressions,
        rollup_gains.new_likes as rollup_likes,
        increment_gains.new_likes as increment_likes
    from rollup_gains
    full outer join increment_gains
        on
            rollup_gains.user_key = increment_gains.user_key
            and rollup_gains.platform = increment_gains.platform
    where
        rollup_gains.new_impressions is distinct from increment_gains.new_impressions
        or rollup_gains.new_likes is distinct from increment_gains.new_likes

)

select * from final
