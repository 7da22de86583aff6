{%- set recorded_loads = recorded('recorded_loads') -%}
{%- set recorded_posts = recorded('recorded_posts') -%}

with

new_loads as (

    select loads.load_id
    from {{ ref('int_loads') }} as loads
    {%- if recorded_loads %}
    left join {{ recorded_loads }} as recorded on loads.load_id = recorded.load_id
    where recorded.load_id is null
    {% endif %}

),

-- A new reading changes its own snapshot and the increments after it.
new_readings as (

    select
        readings.post_id,
        min(readings.slot_start) as first_slot
    from {{ ref('stg_twitter__snapshots') }} as readings
    inner join new_loads on readings.load_id = new_loads.load_id
    group by readings.post_id
    union all
    select
        readings.post_id,
        min(readings.slot_start) as first_slot
    from {{ ref('stg_linkedin__snapshots') }} as readings
    inner join new_loads on readings.load_id = new_loads.load_id
    group by readings.post_id

),

-- A new file row may replace the snapshot of an older file anywhere in the history.
new_file_rows as (

    select
        files.post_id,
        {{ beginning() }} as first_slot
    from {{ ref('stg_twitter__export_posts') }} as files
    inner join new_loads on files.load_id = new_loads.load_id

),

-- What is known of the post changed, it is new, or it is no more (its account was merged or erased).
changed_posts as (

    {%- if recorded_posts %}
    select
        coalesce(posts.post_id, recorded.post_id) as post_id,
        {{ beginning() }} as first_slot
    from {{ ref('int_posts') }} as posts
    full outer join {{ recorded_posts }} as recorded on posts.post_id = recorded.post_id
    where posts.fingerprint is distinct from recorded.fingerprint
    {%- else %}
    select
        post_id,
        {{ beginning() }} as first_slot
    from {{ ref('int_posts') }}
    {% endif %}

),

touched as (

    select * from new_readings
    union all
    select * from new_file_rows
    union all
    select * from changed_posts

),

first_touches as (

    select
        post_id,
        min(first_slot) as first_slot
    from touched
    group by post_id

),

-- Where the post is or was in its account's timeline: later posts are compared with it.
final as (

    select
        first_touches.post_id,
        first_touches.first_slot,
        {%- if recorded_posts %}
        coalesce(posts.account_id, recorded.account_id) as account_id,
        case
            when recorded.published_at < posts.published_at then recorded.published_at
            else coalesce(posts.published_at, recorded.published_at)
        end as earliest_published_at,
        case
            when recorded.published_at > posts.published_at then recorded.published_at
            else coalesce(posts.published_at, recorded.published_at)
        end as latest_published_at
        {%- else %}
        posts.account_id,
        posts.published_at as earliest_published_at,
        posts.published_at as latest_published_at
        {%- endif %}
    from first_touches
    left join {{ ref('int_posts') }} as posts on first_touches.post_id = posts.post_id
    {% if recorded_posts %}
    left join {{ recorded_posts }} as recorded on first_touches.post_id = recorded.post_id
    {% endif %}

)

select * from final
