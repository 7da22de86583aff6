-- depends_on: {{ ref('int_due_posts') }}
-- depends_on: {{ ref('int_touched_times') }}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['account_id', 'slot_start'],
    pre_hook="{{ delete_recounted_slots() }}"
) }}
{%- set last_built = as_last_built('intermediate', 'int_slot_coverage') %}

with

posts as (

    select
        *,
        case when first_due_slot > recounted_from then first_due_slot else recounted_from end as first_counted_slot
    from {{ ref('int_due_posts') }}

),

-- A post's due slots are two runs, one of two-hour and one of six-hour slots: each run adds one where it
-- starts and takes it away after its end, and a running sum gives the due slots without a row for each post.
runs as (

    select
        account_id,
        2 as slot_hours,
        first_counted_slot as first_slot,
        case when last_due_slot < last_young_slot then last_due_slot else last_young_slot end as last_slot
    from posts
    where
        first_counted_slot <= last_young_slot
        and first_counted_slot <= last_due_slot
    union all
    select
        account_id,
        6 as slot_hours,
        case when first_counted_slot > first_old_slot then first_counted_slot else first_old_slot end as first_slot,
        last_due_slot as last_slot
    from posts
    where
        first_counted_slot <= last_due_slot
        and first_old_slot <= last_due_slot

),

events as (

    select
        account_id,
        slot_hours,
        first_slot as slot_start,
        1 as change
    from runs
    union all
    select
        account_id,
        slot_hours,
        case
            when slot_hours = 2 then last_slot + interval '2' hour
            else last_slot + interval '6' hour
        end as slot_start,
        -1 as change
    from runs

),

changes as (

    select
        account_id,
        slot_start,
        sum(case when slot_hours = 2 then change else 0 end) as young_change,
        sum(case when slot_hours = 6 then change else 0 end) as old_change
    from events
    group by account_id, slot_start

),

-- How many posts are due in two-hour and in six-hour slots, from one change to the next.
running as (

    select
        account_id,
        slot_start as first_slot,
        lead(slot_start) over (partition by account_id order by slot_start) as next_change,
        sum(young_change) over (
            partition by account_id order by slot_start
            rows between unbounded preceding and current row
        ) as young_due,
        sum(old_change) over (
            partition by account_id order by slot_start
            rows between unbounded preceding and current row
        ) as old_due
    from changes

),

grid as (

    select
        account_id,
        {{ each_instant('first_slot', "next_change - interval '2' hour", 2) }} as slot_start,
        young_due,
        old_due
    from running
    where young_due + old_due > 0

),

-- Six-hour slots start on every third point of the two-hour grid.
due as (

    select
        account_id,
        slot_start,
        young_due + case when {{ floor_to('slot_start', 360) }} = slot_start then old_due else 0 end as due_slots
    from grid

),

{% if last_built -%}
accounts as (

    select distinct
        account_id,
        recounted_from
    from posts

),

{% endif -%}
-- Of slots before, only what is filled may differ: they stay until they are replaced.
recounted as (

    select
        account_id,
        slot_start,
        due_slots
    from due
    where due_slots > 0
    {%- if last_built %}
    union all
    select
        built.account_id,
        built.slot_start,
        built.due_slots
    from {{ last_built }} as built
    inner join accounts
        on
            built.account_id = accounts.account_id
            and built.slot_start < accounts.recounted_from
    where
        (built.account_id, built.slot_start) in (
            select
                touched.account_id,
                touched.slot_start
            from {{ ref('int_touched_times') }} as touched
        )
    {%- endif %}

),

-- Ten million rows are left to a few thousand before their posts are asked for. The slots are grouped only for
-- DuckDB to expect that few of them: it would hash the ten million instead.
readings as (

    select
        account_id,
        slot_start,
        post_id
    from {{ ref('post_increments') }}
    where
        source = 'api'
        and (account_id, slot_start) in (
            select
                recounted.account_id,
                recounted.slot_start
            from recounted
            group by recounted.account_id, recounted.slot_start
        )

),

filled as (

    select
        readings.account_id,
        readings.slot_start,
        count(*) as filled_slots
    from readings
    inner join posts
        on
            readings.post_id = posts.post_id
            and readings.slot_start >= posts.first_due_slot
            and readings.slot_start <= posts.last_due_slot
    group by readings.account_id, readings.slot_start

),

final as (

    select
        recounted.account_id,
        recounted.slot_start,
        cast(recounted.due_slots as integer) as due_slots,
        cast(coalesce(filled.filled_slots, 0) as integer) as filled_slots
    from recounted
    left join filled
        on
            recounted.account_id = filled.account_id
            and recounted.slot_start = filled.slot_start

)

select * from final
