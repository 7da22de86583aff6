with

-- Slots of which a reading is new, has changed, or is no more.
final as (

    select
        account_id,
        slot_start
    from {{ ref('int_touched_before') }}
    union distinct
    select
        increments.account_id,
        increments.slot_start
    from {{ ref('post_increments') }} as increments
    inner join {{ ref('int_touched_posts') }} as touched
        on
            increments.post_id = touched.post_id
            and increments.slot_start between touched.first_slot and touched.last_slot

)

select * from final
