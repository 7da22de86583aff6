with

source as (

    select * from {{ source('twitter', 'export_posts') }}

),

final as (

    select
        -- ids
        cast(snapshot_id as {{ uuid_type() }}) as snapshot_id,
        cast(post_id as {{ uuid_type() }}) as post_id,
        cast(account_id as {{ uuid_type() }}) as account_id,
        platform_post_id,
        file_sha256,
        row_number as file_row,
        _dlt_load_id as load_id,

        -- attributes
        post_type,
        collected_basis,
        case when bookmarks is null and shares is null then 'x_legacy' else 'x_content' end as layout,

        -- content
        text as post_text,
        url as post_url,

        -- timestamps
        published_at,
        slot_start,
        collected_at,
        first_landed_at,

        -- counters
        cast(impressions as integer) as impressions,
        cast(likes as integer) as likes,
        cast(replies as integer) as replies,
        cast(retweets as integer) as retweets,
        cast(url_clicks as integer) as clicks,
        cast(bookmarks as integer) as bookmarks,
        cast(user_profile_clicks as integer) as profile_clicks,
        cast(engagements as integer) as platform_engagements,
        cast(promoted_impressions as integer) as promoted_impressions

    from source

)

select * from final
