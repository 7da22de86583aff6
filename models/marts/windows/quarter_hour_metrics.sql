with

increments as (

    select
        *,
        {{ floor_to('activity_at', 15) }} as quarter_hour
    from {{ ref('post_increments') }}

),

gained as (

    select
        account_id,
        quarter_hour,
        {{ sum_increments() }},
        cast(count(distinct post_id) as integer) as active_posts
    from increments
    group by account_id, quarter_hour

),

coverage as (

    select
        account_id,
        slot_start as quarter_hour,
        due_slots,
        filled_slots
    from {{ ref('int_slot_coverage') }}

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
