with

touched as (

    select
        post_id,
        account_id,
        earliest_published_at,
        latest_published_at
    from {{ ref('int_touched_ages') }}
    where age_hours = 72

),

-- A post is measured against those of the 90 days before it: a touched one takes the later ones along.
final as (

    select post_id
    from touched
    union distinct
    select posts.post_id
    from {{ ref('int_posts') }} as posts
    inner join touched
        on
            posts.account_id = touched.account_id
            and posts.published_at >= touched.earliest_published_at
            and posts.published_at <= touched.latest_published_at + interval '90' day

)

select * from final
