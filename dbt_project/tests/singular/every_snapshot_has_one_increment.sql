-- What: analytics_snapshots and post_increments hold the same ids, and the same posts, slots and accounts.
-- Why:  a snapshot without increment is lost from every window, one with two counts twice.
-- Rows: the snapshot that stands on one side alone, or differs.
with

final as (

    select
        snapshots.id as snapshot_id,
        increments.id as increment_id,
        snapshots.post_id,
        snapshots.slot_start
    from {{ ref('analytics_snapshots') }} as snapshots
    full outer join {{ ref('post_increments') }} as increments on snapshots.id = increments.id
    where
        snapshots.post_id is distinct from increments.post_id
        or snapshots.slot_start is distinct from increments.slot_start
        or snapshots.account_id is distinct from increments.account_id

)

select * from final
