with

accounts as (

    select * from {{ ref('int_accounts_live') }}

),

posts as (

    select
        posts.account_id,
        min(totals.first_activity_at) as first_activity_at,
        max(totals.last_activity_at) as last_activity_at,
        cast(count(*) as integer) as posts
    from {{ ref('int_posts') }} as posts
    left join {{ ref('int_post_totals') }} as totals on posts.post_id = totals.post_id
    group by posts.account_id

),

final as (

    select
        accounts.account_id,
        accounts.platform,
        accounts.account_kind,
        accounts.timezone,
        accounts.is_proven,
        accounts.connected_at,
        as_of.as_of,
        posts.first_activity_at,
        posts.last_activity_at,
        coalesce(posts.posts, 0) as posts
    from accounts
    inner join {{ ref('int_account_as_of') }} as as_of on accounts.account_id = as_of.account_id
    left join posts on accounts.account_id = posts.account_id

)

select * from final
