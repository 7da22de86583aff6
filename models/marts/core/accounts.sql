with

accounts as (

    select * from {{ ref('int_accounts_live') }}

),

activity as (

    select
        account_id,
        min(activity_at) as first_activity_at,
        max(activity_at) as last_activity_at
    from {{ ref('post_increments') }}
    group by account_id

),

posts as (

    select
        account_id,
        cast(count(*) as integer) as posts
    from {{ ref('int_posts') }}
    group by account_id

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
        activity.first_activity_at,
        activity.last_activity_at,
        coalesce(posts.posts, 0) as posts
    from accounts
    inner join {{ ref('int_account_as_of') }} as as_of on accounts.account_id = as_of.account_id
    left join activity on accounts.account_id = activity.account_id
    left join posts on accounts.account_id = posts.account_id

)

select * from final
