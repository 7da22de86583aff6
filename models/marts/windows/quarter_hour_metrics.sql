-- depends_on: {{ ref('int_touched_quarters') }}
{{ config(materialized='incremental', pre_hook="{{ delete_touched_quarters() }}") }}

with

increments as (

    select
        *,
        {{ floor_to('activity_at', 15) }} as quarter_hour
    from {{ ref('post_increments') }}

),

gained as (

    select
        increments.account_id,
        increments.quarter_hour,
        {{ sum_increments() }},
        cast(count(distinct increments.post_id) as integer) as active_posts
    from increments
    {% if is_incremental() %}
    inner join {{ ref('int_touched_quarters') }} as touched
        on
            increments.account_id = touched.account_id
            and increments.quarter_hour = touched.quarter_hour
    {% endif %}
    group by increments.account_id, increments.quarter_hour

),

coverage as (

    select
        slots.account_id,
        slots.slot_start as quarter_hour,
        slots.due_slots,
        slots.filled_slots
    from {{ ref('int_slot_coverage') }} as slots
    {% if is_incremental() %}
    inner join {{ ref('int_touched_quarters') }} as touched
        on
            slots.account_id = touched.account_id
            and slots.slot_start = touched.quarter_hour
    {% endif %}

),

keys as (

    select
        account_id,
        quarter_hour
    from gained
    union distinct
    select
        account_id,
        quarter_hour
    from coverage

),

final as (

    select
        keys.account_id,
        accounts.platform,
        keys.quarter_hour,
        {%- for total in increment_sums() %}
        gained.{{ total }},
        {%- endfor %}
        coalesce(gained.active_posts, 0) as active_posts,
        coalesce(coverage.due_slots, 0) as due_slots,
        coalesce(coverage.filled_slots, 0) as filled_slots
    from keys
    inner join {{ ref('int_accounts_live') }} as accounts on keys.account_id = accounts.account_id
    left join gained
        on
            keys.account_id = gained.account_id
            and keys.quarter_hour = gained.quarter_hour
    left join coverage
        on
            keys.account_id = coverage.account_id
            and keys.quarter_hour = coverage.quarter_hour

)

select * from final
