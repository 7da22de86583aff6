with

twitter as (

    select
        post_id,
        account_id,
        'twitter' as platform,
        platform_post_id,
        published_at,
        post_type,
        fetched_at as known_at,
        1 as source_rank
    from {{ ref('stg_twitter__posts') }}

),

linkedin as (

    select
        post_id,
        account_id,
        'linkedin' as platform,
        platform_post_id,
        published_at,
        post_type,
        fetched_at as known_at,
        1 as source_rank
    from {{ ref('stg_linkedin__posts') }}

),

exported as (

    select
        post_id,
        account_id,
        'twitter' as platform,
        platform_post_id,
        published_at,
        post_type,
        collected_at as known_at,
        2 as source_rank
    from {{ ref('stg_twitter__export_posts') }}

),

tracked as (

    select
        post_id,
        account_id,
        platform,
        platform_post_id,
        published_at,
        cast(null as varchar) as post_type,
        registered_at as known_at,
        3 as source_rank
    from {{ ref('stg_control__tracked_posts') }}
    where published_at is not null

),

final as (

    select * from twitter
    union all
    select * from linkedin
    union all
    select * from exported
    union all
    select * from tracked

)

select * from final
