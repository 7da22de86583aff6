with

newest as (

    select max(slot_start) as newest_slot
    from {{ ref('int_readings') }}
    where is_archived

),

final as (

    select newest_slot from newest
    where newest_slot is not null

)

select * from final
