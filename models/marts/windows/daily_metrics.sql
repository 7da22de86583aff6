with

quarter_hours as (

    select
        metrics.*,
        accounts.timezone,
        days.local_day
    from {{ ref('quarter_hour_metrics') }} as metrics
    inner join {{ ref('int_accounts_live') }} as accounts on metrics.account_id = accounts.account_id
    inner join {{ ref('int_local_days') }} as days
        on
            metrics.quarter_hour = days.quarter_hour
            and accounts.timezone = days.timezone

),

sums as (

    select
        account_id,
        platform,
        timezone,
        local_day,
        {{ sum_sums() }},
        cast(sum(due_slots) as integer) as due_slots,
        cast(sum(filled_slots) as integer) as filled_slots
    from quarter_hours
    group by account_id, platform, timezone, local_day

),

-- A post that was active in two quarter hours of a day counts once: this cannot be summed.
active as (

    select
        increments.account_id,
        days.local_day,
        cast(count(distinct increments.post_id) as integer) as active_posts
    from {{ ref('post_increments') }} as increments
    inner join {{ ref('int_accounts_live') }} as accounts on increments.account_id = accounts.account_id
    inner join {{ ref('int_local_days') }} as days
        on
            accounts.timezone = days.timezone
            and {{ floor_to('increments.activity_at', 15) }} = days.quarter_hour
    group by increments.account_id, days.local_day

),

final as (

    select
        sums.account_id,
        sums.platform,
        sums.local_day as day,
        sums.timezone,
        {%- for total in increment_sums() %}
        sums.{{ total }},
        {%- endfor %}
        coalesce(active.active_posts, 0) as active_posts,
        sums.due_slots,
        sums.filled_slots
    from sums
    left join active
        on
            sums.account_id = active.account_id
            and sums.local_day = active.local_day

)

select * from final
