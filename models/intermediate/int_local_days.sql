with

zones as (

    select timezone from {{ ref('int_accounts_live') }}
    union distinct
    select timezone from {{ ref('stg_control__users') }}

),

instants as (

    select activity_at as moment from {{ ref('post_increments') }}
    union all
    select collected_at as moment from {{ ref('int_snapshots_unioned') }}
    union all
    select slot_start as moment from {{ ref('int_slot_coverage') }}

),

quarter_hours as (

    select distinct {{ floor_to('moment', 15) }} as quarter_hour
    from instants

),

-- Every zone's offset is a multiple of 15 minutes, so that a quarter hour lies in one local day. Asking
-- the zone of these few rows and joining is far faster than asking it of every row of a mart.
final as (

    select
        zones.timezone,
        quarter_hours.quarter_hour,
        cast({{ wall_clock('quarter_hours.quarter_hour', 'zones.timezone') }} as date) as local_day
    from zones
    cross join quarter_hours

)

select * from final
