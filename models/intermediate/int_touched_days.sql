with

-- Days of the zone an account has, and of the zones its readers live in.
zones as (

    select
        account_id,
        timezone
    from {{ ref('int_accounts_live') }}
    union distinct
    select
        account_id,
        timezone
    from {{ ref('int_reader_zones') }}

),

final as (

    select distinct
        zones.account_id,
        zones.timezone,
        days.local_day
    from {{ ref('int_touched_quarters') }} as touched
    inner join zones on touched.account_id = zones.account_id
    inner join {{ ref('int_local_days') }} as days
        on
            zones.timezone = days.timezone
            and touched.quarter_hour = days.quarter_hour

)

select * from final
