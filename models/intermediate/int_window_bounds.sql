with

ends as (

    select
        accounts.account_id,
        accounts.platform,
        accounts.timezone,
        accounts.connected_at,
        as_of.as_of,
        {{ floor_to('as_of.as_of', 120) }} + interval '2' hour as slot_end,
        {{ floor_to('as_of.as_of', 15) }} + interval '15' minute as quarter_end
    from {{ ref('int_accounts_live') }} as accounts
    inner join {{ ref('int_account_as_of') }} as as_of on accounts.account_id = as_of.account_id
    where as_of.as_of is not null

),

clocks as (

    select
        *,
        {{ wall_clock('quarter_end', 'timezone') }} as end_clock,
        cast(cast({{ wall_clock('as_of', 'timezone') }} as date) as timestamp) as open_day
    from ends

),

-- The open day and the days before it; the period before is cut at the same wall clock (METRICS.md 3, 5).
day_windows as (
    {% for days in [7, 30, 90] %}
    select
        account_id,
        platform,
        timezone,
        connected_at,
        as_of,
        '{{ days }}d' as window_name,
        open_day - interval '{{ days - 1 }}' day as start_clock,
        end_clock,
        quarter_end as window_end,
        open_day - interval '{{ 2 * days - 1 }}' day as previous_start_clock,
        end_clock - interval '{{ days }}' day as previous_end_clock
    from clocks
    {%- if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}

),

day_bounds as (

    select
        account_id,
        platform,
        timezone,
        connected_at,
        as_of,
        window_name,
        {{ instant_of_wall_clock('start_clock', 'timezone') }} as window_start,
        window_end,
        {{ instant_of_wall_clock('previous_start_clock', 'timezone') }} as previous_start,
        {{ instant_of_wall_clock('previous_end_clock', 'timezone') }} as previous_end
    from day_windows

),

-- 24 h go by slots: those that start after (slot of the end - 24 h).
slot_bounds as (

    select
        account_id,
        platform,
        timezone,
        connected_at,
        as_of,
        '24h' as window_name,
        slot_end - interval '24' hour as window_start,
        slot_end as window_end,
        slot_end - interval '48' hour as previous_start,
        slot_end - interval '24' hour as previous_end
    from ends

),

final as (

    select * from slot_bounds
    union all
    select * from day_bounds

)

select * from final
