-- What: analytics_snapshots and post_increments hold the same ids, and the same posts, slots and accounts; only
--       increments of archived readings may stand alone.
-- Why:  a snapshot without increment is lost from every window, one with two counts twice.
-- Rows: the snapshot that stands on one side alone, or differs.
with

archived as (
    {% for platform in platforms() %}
    select cast(snapshot_id as {{ uuid_type() }}) as snapshot_id from {{ ref('stg_' ~ platform ~ '__snapshots') }}
    where is_archived
    {%- if not loop.last %}
    union distinct
    {%- endif %}
    {%- endfor %}

),

snapshots as (

    select
        marted.id,
        marted.post_id,
        marted.account_id,
        marted.slot_start
    from {{ touched_snapshots(ref('analytics_snapshots')) }} as marted

),

increments as (

    select
        added.id,
        added.post_id,
        added.account_id,
        added.slot_start
    from {{ touched_snapshots(ref('post_increments')) }} as added

),

final as (

    select
        snapshots.id as snapshot_id,
        increments.id as increment_id,
        coalesce(snapshots.post_id, increments.post_id) as post_id,
        coalesce(snapshots.slot_start, increments.slot_start) as slot_start
    from snapshots
    full outer join increments on snapshots.id = increments.id
    left join archived on increments.id = archived.snapshot_id
    where
        (
            snapshots.post_id is distinct from increments.post_id
            or snapshots.slot_start is distinct from increments.slot_start
            or snapshots.account_id is distinct from increments.account_id
        )
        and (snapshots.id is not null or archived.snapshot_id is null)

)

select * from final
