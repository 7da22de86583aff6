with

source as (

    select * from {{ source('twitter_readings', 'snapshots') }}

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
        cast(null as integer) as comments,
        cast(null as integer) as shares,
        cast(url_link_clicks as integer) as clicks,
        cast(reply_count as integer) as replies,
        cast(retweet_count as integer) as retweets,
        cast(quote_count as integer) as quotes,
        cast(bookmark_count as integer) as bookmarks,
        cast(null as integer) as unique_impressions

    from source

)

select * from final
