with

accounts as (

    select * from {{ ref('int_collected_accounts') }}

),

zones as (

    select distinct
        account_id,
        timezone
    from {{ ref('daily_metrics') }}

),

open_days as (

    select
        zones.account_id,
        zones.timezone,
        cast({{ wall_clock('accounts.data_as_of', 'zones.timezone') }} as date) as open_day
    from zones
    inner join accounts on zones.account_id = accounts.account_id

),

days as (

    select
        metrics.account_id,
        metrics.day,
        metrics.due_slots,
        metrics.filled_slots,
        open_days.open_day
    from {{ ref('daily_metrics') }} as metrics
    inner join open_days
        on
            metrics.account_id = open_days.account_id
            and metrics.timezone = open_days.timezone

),

recent_days as (

    select
        *,
        {{ days_between('day', 'open_day') }} as days_ago
    from days

),

-- The last whole day stands against the seven before it, both as a share of what was due: a drop beyond
-- what fewer due slots explain.
coverage as (

    select
        account_id,
        sum(case when days_ago between 0 and 6 then due_slots else 0 end) as due_slots_7d,
        sum(case when days_ago between 0 and 6 then filled_slots else 0 end) as filled_slots_7d,
        sum(case when days_ago between 1 and 30 and due_slots > 0 and filled_slots = 0 then 1 else 0 end)
            as missing_days_30d,
        max(case when days_ago between 1 and 30 and due_slots > 0 and filled_slots = 0 then day end)
            as last_missing_day,
        sum(case when days_ago = 1 then due_slots else 0 end) as due_last_day,
        sum(case when days_ago = 1 then filled_slots else 0 end) as filled_last_day,
        sum(case when days_ago between 2 and 8 then due_slots else 0 end) as due_week_before,
        sum(case when days_ago between 2 and 8 then filled_slots else 0 end) as filled_week_before
    from recent_days
    group by account_id

),

posts as (

    select
        posts.account_id,
        count(*) as posts,
        sum(case when posts.is_deleted then 1 else 0 end) as deleted_posts,
        sum(case when posts.deleted_at > accounts.data_as_of - interval '30' day then 1 else 0 end) as deleted_posts_30d
    from {{ ref('int_posts') }} as posts
    inner join accounts on posts.account_id = accounts.account_id
    group by posts.account_id

),

flags as (

    select
        account_id,
        count(*) as open_flags
    from {{ ref('metric_delta_flags') }}
    where status = 'open'
    group by account_id

),

final as (

    select
        accounts.account_id,
        accounts.platform,
        accounts.as_of,
        accounts.data_as_of,
        coalesce(
            accounts.connected_at is not null
            and (accounts.as_of is null or accounts.as_of < accounts.data_as_of - interval '6' hour),
            false
        ) as is_stale,
        accounts.connection_state,
        accounts.token_expires_at,
        accounts.cooldown_until,
        cast(coalesce(coverage.due_slots_7d, 0) as integer) as due_slots_7d,
        cast(coalesce(coverage.filled_slots_7d, 0) as integer) as filled_slots_7d,
        {{ rate('coverage.filled_slots_7d', 'coverage.due_slots_7d') }} as coverage_7d,
        cast(coalesce(readings.gaps_7d, 0) as integer) as gaps_7d,
        {{ rate('readings.readings_with_impressions', 'readings.readings_7d') }} as impressions_completeness_7d,
        {{ rate('readings.readings_with_engagements', 'readings.readings_7d') }} as engagements_completeness_7d,
        cast(coalesce(coverage.missing_days_30d, 0) as integer) as missing_days_30d,
        coverage.last_missing_day,
        coalesce(
            coverage.filled_last_day * coverage.due_week_before * 100
            < coverage.filled_week_before * coverage.due_last_day * 85,
            false
        ) as has_unexplained_drop,
        accounts.last_imported_at,
        accounts.rejected_rows,
        cast(coalesce(posts.posts, 0) as integer) as posts,
        cast(coalesce(posts.deleted_posts, 0) as integer) as deleted_posts,
        cast(coalesce(posts.deleted_posts_30d, 0) as integer) as deleted_posts_30d,
        cast(coalesce(flags.open_flags, 0) as integer) as open_flags
    from accounts
    left join coverage on accounts.account_id = coverage.account_id
    left join {{ ref('int_recent_readings') }} as readings on accounts.account_id = readings.account_id
    left join posts on accounts.account_id = posts.account_id
    left join flags on accounts.account_id = flags.account_id

)

select * from final
