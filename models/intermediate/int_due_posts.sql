{%- set last_built = as_last_built('intermediate', 'int_slot_coverage') -%}
{%- set recorded_posts = recorded('recorded_posts') -%}

with

posts as (

    select
        post_id,
        account_id,
        published_at,
        first_due_slot,
        last_due_slot
    from {{ ref('int_posts') }}
    where first_due_slot is not null

),

newest as (

    select max(data_as_of) as moment from {{ ref('int_account_as_of') }}
    {%- if last_built %}
    union all
    select max(slot_start) as moment from {{ last_built }}
    {%- endif %}

),

-- As time goes on, only slots after the newest ones become due.
passed_time as (

    select case when count(moment) = 2 then {{ floor_to('min(moment)', 360) }} - interval '6' hour end as first_slot
    from newest

),

-- A post of which more changed than its readings may be due otherwise since it was published.
changed_posts as (

    select
        account_id,
        earliest_published_at
    from {{ ref('int_touched_posts') }}
    where first_slot = {{ beginning() }}
    {%- if recorded_posts %}
    union all
    select
        recorded.account_id,
        touched.earliest_published_at
    from {{ recorded_posts }} as recorded
    inner join {{ ref('int_touched_posts') }} as touched on recorded.post_id = touched.post_id
    where touched.first_slot = {{ beginning() }}
    {%- endif %}

),

changed_accounts as (

    select
        account_id,
        {{ floor_to('min(earliest_published_at)', 360) }} as first_slot
    from changed_posts
    group by account_id

),

-- The slot from which on an account is counted anew.
starts as (

    select
        posts.*,
        case
            when changed_accounts.first_slot < passed_time.first_slot then changed_accounts.first_slot
            else coalesce(passed_time.first_slot, {{ beginning() }})
        end as recounted_from
    from posts
    cross join passed_time
    left join changed_accounts on posts.account_id = changed_accounts.account_id

),

final as (

    select
        post_id,
        account_id,
        first_due_slot,
        last_due_slot,
        {{ last_young_slot('published_at') }} as last_young_slot,
        {{ first_old_slot('published_at') }} as first_old_slot,
        recounted_from
    from starts

)

select * from final
