with

-- Posts whose value at an age may differ now, or whose lifetime values (age 0) where a file is all that is known.
touched as (

    select
        post_id,
        age_hours,
        account_id,
        earliest_published_at,
        latest_published_at
    from {{ ref('int_touched_ages') }}
    union all
    select
        touched.post_id,
        0 as age_hours,
        touched.account_id,
        touched.earliest_published_at,
        touched.latest_published_at
    from {{ ref('int_touched_posts') }} as touched
    where
        touched.first_slot = {{ beginning() }}
        or touched.post_id in (select files.post_id from {{ ref('stg_twitter__export_posts') }} as files)

),

-- The age at which each post is compared: the oldest that it has a value at.
compared as (

    select
        post_id,
        account_id,
        published_at,
        max(age_hours) as age_hours
    from {{ ref('post_age_values') }}
    group by post_id, account_id, published_at
    union all
    select
        posts.post_id,
        posts.account_id,
        posts.published_at,
        0 as age_hours
    from {{ ref('int_posts') }} as posts
    inner join {{ ref('int_post_totals') }} as totals on posts.post_id = totals.post_id
    where totals.has_api = 0

),

-- A post is compared with those of the 90 days before it: a touched one takes along the later ones that are
-- compared at the age at which it was touched.
final as (

    select post_id
    from touched
    union distinct
    select compared.post_id
    from compared
    inner join touched
        on
            compared.account_id = touched.account_id
            and compared.age_hours = touched.age_hours
            and compared.published_at >= touched.earliest_published_at
            and compared.published_at <= touched.latest_published_at + interval '90' day

)

select * from final
