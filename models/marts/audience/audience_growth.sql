with

readings as (

    {%- for platform in platforms() %}
    select
        account_id,
        collected_at,
        followers
    from {{ ref('stg_' ~ platform ~ '__accounts') }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

local_readings as (

    select
        accounts.account_id,
        accounts.platform,
        accounts.timezone,
        readings.collected_at,
        readings.followers,
        cast({{ wall_clock('readings.collected_at', 'accounts.timezone') }} as date) as local_day
    from readings
    inner join {{ ref('int_accounts_live') }} as accounts on readings.account_id = accounts.account_id
    where readings.followers is not null

),

ranked as (

    select
        *,
        row_number() over (
            partition by account_id, local_day
            order by collected_at desc
        ) as recency
    from local_readings

),

days as (

    select
        account_id,
        platform,
        timezone,
        local_day,
        collected_at,
        followers,
        lag(followers) over (partition by account_id order by local_day) as followers_before,
        lag(local_day) over (partition by account_id order by local_day) as day_before
    from ranked
    where recency = 1

),

final as (

    select
        account_id,
        platform,
        local_day as day,
        timezone,
        collected_at,
        followers,
        case
            when day_before = cast(local_day - interval '1' day as date) then followers - followers_before
        end as followers_gained
    from days

)

select * from final
