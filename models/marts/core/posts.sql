with

posts as (

    select * from {{ ref('int_posts') }}

),

collected as (

    select
        post_id,
        min(collected_at) as first_collected_at,
        max(collected_at) as last_collected_at,
        max(case when source = 'api' then 1 else 0 end) as has_api,
        max(case when source = 'file' then 1 else 0 end) as has_file,
        cast(count(*) as integer) as snapshots
    from {{ ref('int_snapshots_unioned') }}
    group by post_id

),

final as (

    select
        posts.post_id,
        posts.account_id,
        posts.platform,
        posts.platform_post_id,
        posts.post_type,
        posts.published_at,
        collected.first_collected_at,
        collected.last_collected_at,
        posts.deleted_at,
        posts.is_deleted,
        coalesce(collected.has_api = 1, false) as has_api_snapshots,
        coalesce(collected.has_file = 1, false) as has_file_snapshots,
        coalesce(collected.snapshots, 0) as snapshots
    from posts
    left join collected on posts.post_id = collected.post_id

)

select * from final
