{%- set recorded_posts = recorded('recorded_posts') -%}

with

-- What the last complete build saw of each post: nothing at first and in a full refresh.
seen as (

    {%- if recorded_posts %}
    select
        post_id,
        fingerprint,
        account_id,
        published_at
    from {{ recorded_posts }}
    {%- else %}
    select
        post_id,
        fingerprint,
        account_id,
        published_at
    from {{ ref('int_posts') }}
    where 1 = 0
    {%- endif %}

),

new_posts as (

    select
        posts.post_id,
        cast(posts.post_id as string) as landed_post_id
    from {{ ref('int_posts') }} as posts
    left join seen on posts.post_id = seen.post_id
    where seen.post_id is null

),

-- Readings may have landed before their post was known, or its account was live again; files are searched for.
read_before as (

    select new_posts.post_id
    from {{ ref('stg_twitter__export_posts') }} as files
    inner join new_posts on files.post_id = new_posts.post_id
    union distinct
    select new_posts.post_id
    from {{ ref('int_readings') }} as readings
    inner join new_posts on readings.post_id = new_posts.landed_post_id
    inner join {{ ref('int_loads') }} as loads on readings.load_id = loads.load_id
    where
        not readings.is_archived
        and not loads.is_new

),

-- A post changed if what is known of it did, if it is new, or if it is no more (its account was merged or erased).
final as (

    select
        coalesce(posts.post_id, seen.post_id) as post_id,
        coalesce(posts.account_id, seen.account_id) as account_id,
        case
            when seen.published_at < posts.published_at then seen.published_at
            else coalesce(posts.published_at, seen.published_at)
        end as earliest_published_at,
        case
            when seen.published_at > posts.published_at then seen.published_at
            else coalesce(posts.published_at, seen.published_at)
        end as latest_published_at,
        coalesce(posts.fingerprint <> seen.fingerprint, true) as is_changed,
        seen.post_id is null and read_before.post_id is null as only_adds
    from {{ ref('int_posts') }} as posts
    full outer join seen on posts.post_id = seen.post_id
    left join read_before on posts.post_id = read_before.post_id

)

select * from final
