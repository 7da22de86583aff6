-- What: analytics_snapshots and post_increments hold the same ids, and the same posts, slots and accounts; only
--       increments of archived readings may stand alone.
-- Why:  a snapshot without increment is lost from every window, one with two counts twice.
-- Rows: the id, and what differs: found in post_increments, expected by analytics_snapshots. Where all of one side
--       is NULL, the id stands on the other alone.
with

archived as (

    select distinct cast(snapshot_id as {{ uuid_type() }}) as snapshot_id
    from {{ ref('int_readings') }}
    where is_archived

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

differing as (

    select
        coalesce(snapshots.id, increments.id) as id,
        increments.post_id as found_post_id,
        snapshots.post_id as expected_post_id,
        increments.account_id as found_account_id,
        snapshots.account_id as expected_account_id,
        increments.slot_start as found_slot_start,
        snapshots.slot_start as expected_slot_start
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

),

compared as (

    select
        id,
        {%- for column in ['post_id', 'account_id', 'slot_start'] %}
        cast(found_{{ column }} as string) as found_{{ column }},
        cast(expected_{{ column }} as string) as expected_{{ column }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from differing

),

final as (

    {{ each_difference('compared', ['id'], ['post_id', 'account_id', 'slot_start']) }}

)

select * from final
