with

final as (

    select
        posts.post_id,
        posts.account_id,
        posts.platform,
        posts.platform_post_id,
        posts.post_type,
        posts.published_at,
        totals.first_collected_at,
        totals.last_collected_at,
        posts.deleted_at,
        posts.is_deleted,
        coalesce(totals.has_api = 1, false) as has_api_snapshots,
        coalesce(totals.has_file = 1, false) as has_file_snapshots,
        cast(coalesce(totals.snapshots, 0) as integer) as snapshots
    from {{ ref('int_posts') }} as posts
    left join {{ ref('int_post_totals') }} as totals on posts.post_id = totals.post_id

)

select * from final
