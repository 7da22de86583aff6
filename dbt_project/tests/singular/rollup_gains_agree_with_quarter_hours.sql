-- What: over all days, the gains of daily_rollup are those of the accounts that the user may read.
-- Why:  local days of a user's zone must neither drop nor double what its accounts gained.
-- Rows: user, platform and metric: the gain found in the rollup, and what the quarter hours let expect.
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

quarter_hour_gains as (

    select
        members.user_key,
        metrics.platform,
        sum(metrics.new_impressions) as new_impressions,
        sum(metrics.new_likes) as new_likes
    from {{ ref('quarter_hour_metrics') }} as metrics
    inner join {{ ref('account_members') }} as members on metrics.account_id = members.account_id
    group by members.user_key, metrics.platform

),

compared as (

    select
        coalesce(rollup_gains.user_key, quarter_hour_gains.user_key) as user_key,
        coalesce(rollup_gains.platform, quarter_hour_gains.platform) as platform,
        rollup_gains.new_impressions as found_new_impressions,
        quarter_hour_gains.new_impressions as expected_new_impressions,
        rollup_gains.new_likes as found_new_likes,
        quarter_hour_gains.new_likes as expected_new_likes
    from rollup_gains
    full outer join quarter_hour_gains
        on
            rollup_gains.user_key = quarter_hour_gains.user_key
            and rollup_gains.platform = quarter_hour_gains.platform

),

final as (

    {{ each_difference('compared', ['user_key', 'platform'], ['new_impressions', 'new_likes']) }}

)

select * from final
