{{ config(materialized='incremental') }}

with

zones as (

    select timezone from {{ ref('int_accounts_live') }}
    union distinct
    select timezone from {{ ref('stg_control__users') }}

),

quarter_hours as (

    select distinct quarter_hour
    from {{ ref('int_touched_quarters') }}
    {%- if is_incremental() %}
    union distinct
    select distinct quarter_hour
    from {{ this }}
    {% endif %}

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
    {% if is_incremental() %}
    left join {{ this }} as known
        on
            zones.timezone = known.timezone
            and quarter_hours.quarter_hour = known.quarter_hour
    where known.timezone is null
    {% endif %}

)

select * from final
