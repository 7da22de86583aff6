with

readers as (

    select
        members.user_key,
        users.timezone,
        members.account_id,
        accounts.platform
    from {{ ref('stg_control__account_members') }} as members
    inner join {{ ref('stg_control__users') }} as users on members.user_key = users.user_key
    inner join {{ ref('int_accounts_live') }} as accounts on members.account_id = accounts.account_id

),

totals as (

    select
        readers.user_key,
        days.local_day,
        readers.platform,
        cast(sum(days.total_impressions) as bigint) as total_impressions,
        cast(sum(days.total_likes) as bigint) as total_likes,
        cast(sum(days.rate_sum) as bigint) as rate_sum,
        cast(sum(days.rate_count) as bigint) as rate_count,
        max(days.peak_engagement_score) as peak_engagement_score
    from {{ ref('int_account_days') }} as days
    inner join readers
        on
            days.account_id = readers.account_id
            and days.timezone = readers.timezone
    group by readers.user_key, days.local_day, readers.platform

),

gained as (

    select
        readers.user_key,
        days.local_day,
        readers.platform,
        cast(sum(metrics.new_impressions) as bigint) as new_impressions,
        cast(sum(metrics.new_likes) as bigint) as new_likes
    from {{ ref('quarter_hour_metrics') }} as metrics
    inner join readers on metrics.account_id = readers.account_id
    inner join {{ ref('int_local_days') }} as days
        on
            readers.timezone = days.timezone
            and metrics.quarter_hour = days.quarter_hour
    where metrics.active_posts > 0
    group by readers.user_key, days.local_day, readers.platform

),

keys as (

    select
        user_key,
        local_day,
        platform
    from totals
    union distinct
    select
        user_key,
        local_day,
        platform
    from gained

),

final as (

    select
        keys.user_key,
        keys.local_day as day,
        keys.platform,
        totals.total_impressions,
        totals.total_likes,
        {{ mean_rate('totals.rate_sum', 'totals.rate_count') }} as avg_engagement_rate,
        totals.peak_engagement_score,
        gained.new_impressions,
        gained.new_likes
    from keys
    left join totals
        on
            keys.user_key = totals.user_key
            and keys.local_day = totals.local_day
            and keys.platform = totals.platform
    left join gained
        on
            keys.user_key = gained.user_key
            and keys.local_day = gained.local_day
            and keys.platform = gained.platform

)

select * from final
