{%- set last_built = as_last_built('intermediate', 'int_slot_coverage') -%}
{%- set recorded_posts = recorded('recorded_posts') -%}

with

accounts as (

    select distinct account_id
    from {{ ref('int_posts') }}

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

starts as (

    select
        accounts.account_id,
        coalesce(passed_time.first_slot, {{ beginning() }}) as first_slot
    from accounts
    cross join passed_time
    union all
    select
        accounts.account_id,
        {{ floor_to('changed_posts.earliest_published_at', 360) }} as first_slot
    from accounts
    inner join changed_posts on accounts.account_id = changed_posts.account_id

),

final as (

    select
        account_id,
        min(first_slot) as first_slot
    from starts
    group by account_id

)

select * from final
