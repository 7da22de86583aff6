with

source as (

    select * from {{ source('linkedin_readings', 'snapshots') }}

),

final as (

    select
        -- ids, in text as they landed: who joins or groups ten million readings casts what is left
        snapshot_id,
        post_id,
        account_id,
        platform_post_id,
        _dlt_load_id as load_id,

        -- attributes
        is_archived,

        -- timestamps
        published_at,
        slot_start,
        collected_at,
        first_landed_at,

        -- counters
        cast(impression_count as integer) as impressions,
        cast(like_count as integer) as likes,
        cast(comment_count as integer) as comments,
        cast(share_count as integer) as shares,
        cast(click_count as integer) as clicks,
        cast(null as integer) as replies,
        cast(null as integer) as retweets,
        cast(null as integer) as quotes,
        cast(save_count as integer) as bookmarks,
        cast(unique_impressions_count as integer) as unique_impressions

    from source

)

select * from final
