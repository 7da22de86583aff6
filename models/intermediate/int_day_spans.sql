with

marked as (

    select
        *,
        case
            when local_day = lag(local_day) over (partition by timezone order by quarter_hour) then 0
            else 1
        end as is_first
    from {{ ref('int_local_days') }}

),

-- Quarter hours of one local day that follow each other: a day in more than one run is one whose clocks went
-- back over midnight.
numbered as (

    select
        *,
        sum(is_first) over (
            partition by timezone order by quarter_hour
            rows between unbounded preceding and current row
        ) as run
    from marked

),

runs as (

    select
        timezone,
        local_day,
        min(quarter_hour) as span_start,
        max(quarter_hour) + interval '15' minute as span_end,
        {{ floor_to('min(quarter_hour)', 1440) }} as first_utc_day,
        {{ floor_to('max(quarter_hour)', 1440) }} as last_utc_day
    from numbered
    group by timezone, local_day, run

),

-- Few rows, and one column to join by: ten million readings find their day without a row for each quarter hour.
final as (

    select
        timezone,
        local_day,
        {{ each_instant('first_utc_day', 'last_utc_day', 24) }} as utc_day,
        span_start,
        span_end
    from runs

)

select * from final
