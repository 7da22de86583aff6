with

twitter as (

    select
        snapshot_id,
        post_id,
        account_id,
        'twitter' as platform,
        platform_post_id,
        slot_start,
        collected_at,
        first_landed_at,
        impressions,
        likes,
        cast(null as integer) as comments,
        cast(null as integer) as shares,
        clicks,
        replies,
        retweets,
        quotes,
        bookmarks,
        cast(null as integer) as unique_impressions
    from {{ ref('stg_twitter__snapshots') }}

),

linkedin as (

    select
        snapshot_id,
        post_id,
        account_id,
        'linkedin' as platform,
        platform_post_id,
        slot_start,
        collected_at,
        first_landed_at,
        impressions,
        likes,
        comments,
        shares,
        clicks,
        cast(null as integer) as replies,
        cast(null as integer) as retweets,
        cast(null as integer) as quotes,
        bookmarks,
        unique_impressions
    from {{ ref('stg_linkedin__snapshots') }}

),

versions as (

    select * from twitter
    union all
    select * from linkedin

),

live as (

    select versions.*
    from versions
    inner join {{ ref('int_accounts_live') }} as accounts
        on versions.account_id = accounts.account_id

),

-- A later reading of the same slot replaces an earlier one, whichever of a post's ids it came under: the
-- client has already summed the versions of an edited X post.
ranked as (

    select
        *,
        row_number() over (
            partition by post_id, slot_start
            order by collected_at desc, platform_post_id desc
        ) as recency
    from live

),

final as (

    select
        snapshot_id,
        post_id,
        account_id,
        platform,
        platform_post_id,
        slot_start,
        collected_at,
        first_landed_at,
        {%- for counter in counters() + ['unique_impressions'] %}
        {{ counter }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from ranked
    where recency = 1

)

select * from final
