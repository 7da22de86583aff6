with

live as (

    select export_posts.*
    from {{ ref('stg_twitter__export_posts') }} as export_posts
    inner join {{ ref('int_accounts_live') }} as accounts
        on export_posts.account_id = accounts.account_id

),

-- Of several file rows of a post version the newest counts, the one with most impressions on a tie.
ranked_rows as (

    select
        *,
        row_number() over (
            partition by post_id, platform_post_id
            order by collected_at desc, impressions desc nulls last, file_sha256 asc
        ) as recency
    from live

),

newest_rows as (

    select * from ranked_rows
    where recency = 1

),

-- The snapshot of an edited post takes identity and time from its newest version row.
ranked_versions as (

    select
        *,
        row_number() over (
            partition by post_id
            order by collected_at desc, platform_post_id desc
        ) as version_recency
    from newest_rows

),

summed_versions as (

    select
        post_id,
        max(platform_post_id) as platform_post_id,
        min(first_landed_at) as first_landed_at,
        {%- for measure in ['impressions', 'likes', 'replies', 'retweets', 'clicks', 'platform_engagements'] %}
        cast(case when count({{ measure }}) = count(*) then sum({{ measure }}) end as integer) as {{ measure }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from newest_rows
    group by post_id

),

final as (

    select
        newest.snapshot_id,
        newest.post_id,
        newest.account_id,
        'twitter' as platform,
        summed.platform_post_id,
        newest.slot_start,
        newest.collected_at,
        newest.collected_basis,
        summed.first_landed_at,
        summed.impressions,
        summed.likes,
        cast(null as integer) as comments,
        cast(null as integer) as shares,
        summed.clicks,
        summed.replies,
        summed.retweets,
        cast(null as integer) as quotes,
        cast(null as integer) as bookmarks,
        cast(null as integer) as unique_impressions,
        summed.platform_engagements
    from ranked_versions as newest
    inner join summed_versions as summed on newest.post_id = summed.post_id
    where newest.version_recency = 1

)

select * from final
