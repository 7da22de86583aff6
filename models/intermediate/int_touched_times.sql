with

-- When the touched posts count as last built, and when they count now.
final as (

    select
        account_id,
        slot_start,
        activity_quarter,
        reading_quarter
    from {{ ref('int_touched_before') }}
    union distinct
    select
        increments.account_id,
        increments.slot_start,
        {{ floor_to('increments.activity_at', 15) }} as activity_quarter,
        {{ floor_to('increments.collected_at', 15) }} as reading_quarter
    from {{ ref('post_increments') }} as increments
    inner join {{ ref('int_touched_posts') }} as touched
        on
            increments.post_id = touched.post_id
            and increments.slot_start between touched.first_slot and touched.last_slot

)

select * from final
