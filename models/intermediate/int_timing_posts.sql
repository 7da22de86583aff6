with

placed as (

    select
        post_id,
        account_id,
        published_at,
        unit_impressions,
        unit_engagement_score,
        row_number() over (
            partition by account_id
            order by published_at, post_id
        ) as place
    from {{ ref('int_timing_units') }}

),

local_posts as (

    select
        placed.*,
        zones.timezone,
        {{ wall_clock('placed.published_at', 'zones.timezone') }} as local_time
    from placed
    inner join {{ ref('int_timing_zones') }} as zones on placed.account_id = zones.account_id

),

final as (

    select
        account_id,
        timezone,
        place,
        {{ weekday_number('local_time') }} as weekday,
        cast(extract(hour from local_time) as integer) as hour,
        unit_impressions,
        unit_engagement_score
    from local_posts

)

select * from final
